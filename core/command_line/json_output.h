/* --json: one document on stdout, and nothing else there. Messages stay on stderr. */
#ifndef PLASTFIT_CORE_COMMAND_LINE_JSON_OUTPUT_H
#define PLASTFIT_CORE_COMMAND_LINE_JSON_OUTPUT_H

#include "core/store/json_values.h"

/** Prints the tree and frees it; NULL: there was no memory. Returns an exit code. */
int pf_cli_print_json(json_t *root);
/** Prints a JSON file that was written just now. Returns an exit code. */
int pf_cli_print_json_file(const char *path);
/** The same of a file in a folder. */
int pf_cli_print_json_of(const char *folder, const char *name);

#endif
