#include "core/cli/task_command.h"

#include "core/problem/problem.h"

pf_status pf_cli_need_task(const pf_problem *problem, const char *wish, pf_error *error)
{
  if (pf_source_is_task(&problem->models->source)) {
    return PF_OK;
  }
  const pf_status status = pf_fail(
      error, PF_STOP, "%s reads data%s a task is needed, such as source.plugin = \"teacher\"",
      problem->models->source.label, wish);
  pf_error_locate(error, problem->config, problem->models->source.node);
  return status;
}

pf_status pf_cli_task_out(const pf_problem *problem, const char *suffix, pf_text *out,
                          pf_error *error)
{
  const bool given = pf_node_get(pf_config_root(problem->config), "out") != NULL;
  pf_text_add(out, "%s%s", problem->settings->out, given ? "" : suffix);
  return out->failed ? pf_fail(error, PF_STOP, "out of memory") : PF_OK;
}
