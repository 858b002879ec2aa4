/* What simulate and recover share: both want a task, and write beside the folder of a fit. */
#ifndef PLASTFIT_CORE_CLI_TASK_COMMAND_H
#define PLASTFIT_CORE_CLI_TASK_COMMAND_H

#include "core/base/text.h"
#include "core/command_line/arguments.h"
#include "core/problem/problem.h"

typedef struct pf_cli_task_request {
  const char *wish;   /**< why data will not do, as in "...; to simulate" */
  const char *suffix; /**< of the folder where the config has no `out`: that of a fit is not ours */
  bool force;         /**< what is in the folder may be replaced */
} pf_cli_task_request;

/** A config whose source is a task, and the folder to write to. */
typedef struct pf_cli_task {
  pf_config *config;
  pf_problem *problem;
  pf_text out;
} pf_cli_task;

/** The config that the arguments name, without fresh animals, which are an evaluation's. PF_STOP,
 * located, where its source reads data. The caller frees in any case. */
pf_status pf_cli_task_read(const pf_cli_arguments *given, const pf_cli_task_request *request,
                           pf_cli_task *out, pf_error *error);
void pf_cli_task_free(pf_cli_task *task);

#endif
