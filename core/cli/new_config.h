/* `plastfit new config DATA`: a config that runs, from what a table looks like. */
#ifndef PLASTFIT_CORE_CLI_NEW_CONFIG_H
#define PLASTFIT_CORE_CLI_NEW_CONFIG_H

#include "core/command_line/arguments.h"

/** Reads the table, says what each column looks like, and writes NAME.cfg. Returns an exit code. */
int pf_cli_new_config(const char *data, const pf_cli_arguments *given);

#endif
