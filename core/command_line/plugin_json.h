/* Plugins and options as JSON: `list --json`, `describe --json`. */
#ifndef PLASTFIT_CORE_COMMAND_LINE_PLUGIN_JSON_H
#define PLASTFIT_CORE_COMMAND_LINE_PLUGIN_JSON_H

#include "core/plugin/registry.h"
#include "core/store/json_values.h"

/** What was found, and what was refused. */
json_t *pf_cli_json_of_found(const pf_found *found, size_t count);
/** Name, type, default, unit, limits, choices and help of each option. */
json_t *pf_cli_json_of_options(pf_option_table table);

#endif
