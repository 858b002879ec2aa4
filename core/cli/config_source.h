/* The group `source` of a config that `plastfit new config` writes. */
#ifndef PLASTFIT_CORE_CLI_CONFIG_SOURCE_H
#define PLASTFIT_CORE_CLI_CONFIG_SOURCE_H

#include "core/data_look/table_look.h"

#include <stdio.h>

/** With every guess in a comment. */
void pf_cli_write_source(FILE *out, const table_look *look, const look_plan *p);

#endif
