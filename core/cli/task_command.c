#include "core/cli/task_command.h"

#include "core/report/save_run.h"

static pf_status need_task(const pf_problem *problem, const char *wish, pf_error *error)
{
  if (pf_source_is_task(&problem->models->source)) {
    return PF_OK;
  }
  pf_fail(error, PF_STOP, "%s reads data%s a task is needed, such as source.plugin = \"teacher\"",
          problem->models->source.label, wish);
  pf_error_locate(error, problem->config, problem->models->source.node);
  return PF_STOP;
}

pf_status pf_cli_task_read(const pf_cli_arguments *given, const pf_cli_task_request *request,
                           pf_cli_task *out, pf_error *error)
{
  if (pf_config_read(given->subject, given->overrides, given->n_overrides, &out->config, error) !=
          PF_OK ||
      pf_config_override(out->config, "evaluate.animals=0", error) != PF_OK ||
      pf_problem_create(out->config, &out->problem, error) != PF_OK ||
      need_task(out->problem, request->wish, error) != PF_OK) {
    return PF_STOP;
  }
  const bool named = pf_node_get(pf_config_root(out->config), "out") != NULL;
  pf_text_add(&out->out, "%s%s", out->problem->settings->out, named ? "" : request->suffix);
  if (out->out.failed) {
    return pf_fail(error, PF_STOP, "out of memory");
  }
  return pf_report_check_out(out->out.text, request->force, error);
}

void pf_cli_task_free(pf_cli_task *task)
{
  pf_text_free(&task->out);
  pf_problem_free(task->problem);
  pf_config_free(task->config);
}
