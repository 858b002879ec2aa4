/* Sessions of a problem: whether an animal's weights last from one to the next, and what is
 * forgotten between. */
#include "core/problem/build.h"

pf_status pf_build_session_keys(pf_problem *problem, pf_error *error)
{
  pf_view *view = NULL;
  pf_status status =
      pf_build_host_view(problem, &problem->models->source, PF_KIND_SOURCE, "source", &view, error);
  if (status != PF_OK) {
    return status;
  }
  const pf_options *options = pf_view_options(view);
  const bool task = pf_source_is_task(&problem->models->source);
  pf_session_settings *sessions = &problem->settings->sessions;
  sessions->persist = options->boolean(options, "sessions.persist") != 0;
  sessions->forget = options->boolean(options, "sessions.forget") != 0;
  sessions->count = options->integer(options, "sessions.count");
  sessions->gap = options->real(options, "sessions.gap");
  sessions->rate = options->real(options, "sessions.rate");
  sessions->true_rate = options->real(options, "sessions.true_rate");
  if (!sessions->persist && (sessions->forget || sessions->count > 1)) {
    status = pf_fail(error, PF_STOP,
                     "source.sessions: sessions are independent unless persist = true, so there is "
                     "nothing to forget and no need of `count`");
  } else if (!task && sessions->count > 1) {
    status = pf_fail(error, PF_STOP,
                     "source.sessions.count: only a task's sessions are simulated; %s reads data",
                     problem->models->source.label);
  }
  if (status != PF_OK) {
    pf_error_locate(error, problem->config, pf_node_get(problem->models->source.node, "sessions"));
  }
  pf_view_free(view);
  return status;
}

pf_status pf_build_forgetting(const pf_problem *problem, pf_model *model, bool teacher,
                              pf_error *error)
{
  const pf_session_settings *sessions = &problem->settings->sessions;
  if (!sessions->forget) {
    return PF_OK;
  }
  const pf_status status =
      pf_model_forget(model, teacher ? sessions->true_rate : sessions->rate, error);
  if (status == PF_OK) {
    model->parameters[model->forgetting_theta].declared.value = sessions->true_rate;
  }
  return status;
}
