/* What simulate and recover share: both want a task, and write beside the folder of a fit. */
#ifndef PLASTFIT_CORE_CLI_TASK_COMMAND_H
#define PLASTFIT_CORE_CLI_TASK_COMMAND_H

#include "core/base/text.h"
#include "core/problem/problem.h"

/** PF_STOP, located, where the source reads data; `wish`: why data will not do, as in "...; to
 * simulate". */
pf_status pf_cli_need_task(const pf_problem *problem, const char *wish, pf_error *error);
/** `out` of the config; where it has none, a fit's default folder with `suffix`, as that one is not
 * ours. */
pf_status pf_cli_task_out(const pf_problem *problem, const char *suffix, pf_text *out,
                          pf_error *error);

#endif
