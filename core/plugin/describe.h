/* What a plugin is and takes, as text for a person. */
#ifndef PLASTFIT_CORE_PLUGIN_DESCRIBE_H
#define PLASTFIT_CORE_PLUGIN_DESCRIBE_H

#include <plastfit/abi/plugin.h>

/** A table of options: name, type, default, unit, what is allowed, help; one line each. */
void pf_describe_options(FILE *stream, pf_option_table table);

/**
 * Kind, name, version, file, summary, aliases, options; `host_options`, the host's keys in the same
 * group; and, where it can be made without any option, its parameters.
 */
void pf_describe_plugin(FILE *stream, const pf_plugin *plugin, const char *file,
                        pf_option_table host_options);

/** What its README says under "Options" and "Parameters", as Markdown: tests/readmes.tap compares
 * them. */
void pf_describe_plugin_markdown(FILE *stream, const pf_plugin *plugin);

/* For the manual pages (doc/manual). */
void pf_describe_options_roff(FILE *stream, pf_option_table table);
void pf_describe_plugin_roff(FILE *stream, const pf_plugin *plugin);

#endif
