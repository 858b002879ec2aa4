/*
 * Configuration: a libconfig file with @include and `a.b=value` overrides,
 * checked against tables of options. No other file includes libconfig.h.
 *
 * The host's own keys are declared in the same pf_option tables as plugins'
 * options, so one piece of code checks names, types, ranges and choices, and
 * one makes the documentation.
 */
#ifndef PLASTFIT_CORE_CONFIG_CONFIG_H
#define PLASTFIT_CORE_CONFIG_CONFIG_H

#include <plastfit/abi/options.h>
#include <stdbool.h>

typedef struct pf_config pf_config; /**< a whole config; owns its nodes */
typedef struct pf_node pf_node; /**< one setting of it: a scalar, list, array or group (opaque) */

/**
 * Read `path`, then apply the overrides in order ("a.b=value", "losses.[0].plugin=value"; the value
 * in libconfig's syntax, a bare word being a string). Relative paths in the file are relative to
 * the file's folder, those of overrides to the current one. Errors: one line with file:line (or the
 * override's text).
 */
pf_status pf_config_read(const char *path, const char *const *overrides, size_t n_overrides,
                         pf_config **out, pf_error *error);
/** The same from a string, for tests and embedding; `name` stands for the file in messages. */
pf_status pf_config_parse(const char *text, const char *name, const char *const *overrides,
                          size_t n_overrides, pf_config **out, pf_error *error);
void pf_config_free(pf_config *config);
/** Who is warned of what this config comes to: the default host unless another was set, which MUST
 * outlive what is made of the config. `config` MAY be NULL. */
void pf_config_set_host(pf_config *config, const pf_host *host);
const pf_host *pf_config_host(const pf_config *config);
/** One more override, "a.b=value" (or "source={ ... }", on one line). Nodes below what it replaces
 * are gone. */
pf_status pf_config_override(pf_config *config, const char *override, pf_error *error);
/** As above for what another argument of the command line means; messages name that: "--data
 * own.csv". */
pf_status pf_config_override_for(pf_config *config, const char *override, const char *argument,
                                 pf_error *error);
/** Overrides one after the other, up to the first that fails. */
pf_status pf_config_override_all(pf_config *config, const char *const *overrides, size_t n,
                                 pf_error *error);

/**
 * Lay the settings of a group, of this config or another, over the root: groups into groups,
 * anything else in the place of what is there. As with overrides, another `plugin` takes the keys
 * of the first with it; messages name the place where the group stands. `over` NULL: nothing.
 */
pf_status pf_config_lay(pf_config *config, const pf_node *over, pf_error *error);
/** Take a setting out; false if there is none of that path. */
bool pf_config_remove(pf_config *config, const char *path);

const pf_node *pf_config_root(const pf_config *config);
/** Child by name, or NULL; `path` as in "fit.optimiser" or "losses.[0]". node NULL gives NULL. */
const pf_node *pf_node_get(const pf_node *node, const char *path);
/** Elements of a list, array or group; 0 for a scalar or NULL. */
int64_t pf_node_count(const pf_node *node);
const pf_node *pf_node_at(const pf_node *node, int64_t i);
/** The node's own name, or NULL for an element of a list. */
const char *pf_node_name(const pf_node *node);
int pf_node_is_group(const pf_node *node);
int pf_node_is_list(const pf_node *node); /**< list or array */
/** 1 and *value if it is a number (or a string), else 0. */
int pf_node_number(const pf_node *node, double *value);
int pf_node_string(const pf_node *node, const char **value);
/** A text that is a path, so that it works from anywhere; NULL: it is no text. */
const char *pf_node_absolute(const pf_node *node);
/** A value on one line in libconfig's syntax, as given (no defaults), paths absolute once a view
 * was made; the caller frees it with free(). NULL with the error line when out of memory. */
char *pf_node_text(const pf_node *node, pf_error *error);
/** Write "configs/fly.cfg:12" (or "command line: a.b=value") for messages. */
void pf_node_where(const pf_config *config, const pf_node *node, char *text, size_t capacity);
/** Prefix the error line with pf_node_where, unless it has been located already. */
void pf_error_locate(pf_error *error, const pf_config *config, const pf_node *node);
/** Writes the error line, with the place of `node` before it. PF_STOP always. */
pf_status pf_config_fail(const pf_config *config, const pf_node *node, pf_error *error,
                         const char *format, ...) PF_PRINTF(4, 5);

/** A group of settings, and what may stand in it. */
typedef struct pf_group {
  const pf_config *config;
  const pf_node *node;   /**< NULL: an empty group */
  const char *what;      /**< the thing's name in messages: "rule oja", "fit" */
  const char *plugin;    /**< whose options these are; a misspelt one is answered with the command
                            that lists them. NULL: keys of the host */
  pf_option_table table; /**< keys with their types, ranges, choices and defaults */
  pf_names others;       /**< more keys (the host's beside a plugin's options), not looked at */
} pf_group;

/** A group's values with defaults filled in, checked against its table. Any key that is in neither
 * `table` nor `others` is an error with the nearest right name. */
typedef struct pf_view pf_view;
pf_status pf_view_create(const pf_group *group, pf_view **out, pf_error *error);
void pf_view_free(pf_view *view);
/** The values. Valid until pf_view_free. */
const pf_options *pf_view_options(const pf_view *view);
/** After use: PF_STOP with the error line if an undeclared path or a wrong type was asked for. */
pf_status pf_view_verify(const pf_view *view, pf_error *error);
/** The node of an option as given, for messages; NULL if it was not given. `path` as in pf_options.
 */
const pf_node *pf_view_node(const pf_view *view, const char *path);

/** The text that stood in the file where the command line put this node's; NULL if none did. */
const char *pf_node_replaced(const pf_node *node);
/**
 * Take the keys of the file out of a group that neither its table nor the others have (those of the
 * command line stay). For a group whose plugin was replaced on the command line. `names` (capacity
 * bytes): what was dropped, "a, b".
 */
pf_status pf_config_drop_foreign(const pf_group *group, char *names, size_t capacity,
                                 pf_error *error);

/**
 * A file that the config reads and that lies in `folder`: the config itself, or the value of an
 * option that is a path (once a view of its group was made). NULL: there is none.
 */
const char *pf_config_reads_from(const pf_config *config, const char *folder);

/**
 * Write the config as resolved (includes and overrides applied, plugins' and host's
 * defaults filled in where a view was made) in libconfig's syntax. The file alone repeats the run.
 */
pf_status pf_config_write(const pf_config *config, const char *path, pf_error *error);

#endif
