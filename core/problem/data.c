/* Data of a problem: read by the source, or simulated in closed loop with the teacher. */
#include "core/base/memory.h"
#include "core/problem/build.h"
#include "core/engine/batch.h"

bool pf_source_is_task(const pf_component *source)
{
  const pf_source_ops *ops = source->plugin->source;
  return PF_HAS(ops, pf_source_ops, begin) && ops->begin != NULL;
}

static pf_status receive(const pf_sink *sink, const pf_experiment *experiment, pf_error *error)
{
  pf_problem *problem = sink->impl;
  pf_status status = pf_dataset_add(&problem->data, experiment, error);
  if (status != PF_OK) {
    return status;
  }
  pf_recording *recording = &problem->data.recordings[problem->data.n - 1];
  status = pf_recording_expect_reward(recording, &problem->settings->expectation, error);
  status = status == PF_OK ? pf_recording_derive(recording, problem->settings->derived,
                                                 problem->settings->n_derived, error)
                           : status;
  return status == PF_OK
             ? pf_recording_input_channels(recording, problem->settings->input_channels, error)
             : status;
}

pf_status pf_build_animals(const pf_problem *problem, pf_dataset *data, const char *word,
                           int64_t first, int64_t n, pf_error *error)
{
  pf_status status = PF_OK;
  const pf_simulated_sessions sessions = {problem->settings->sessions.count,
                                          problem->settings->sessions.gap};
  for (int64_t a = 0; a < n && status == PF_OK; a++) {
    char name[48];
    (void)snprintf(name, sizeof name, "%s%lld", word, (long long)(a + 1));
    status = pf_simulate(problem->models->teacher, problem->models->teacher_theta,
                         &problem->models->source, &problem->settings->input,
                         &problem->settings->expectation, &sessions, NULL, problem->settings->seed,
                         first + a, name, data, error);
    if (status == PF_OK) {
      status = pf_recording_derive(&data->recordings[data->n - 1], problem->settings->derived,
                                   problem->settings->n_derived, error);
    }
    status = status == PF_OK
                 ? pf_build_record(problem, &data->recordings[data->n - 1], first + a, error)
                 : status;
  }
  return status;
}

/** Cells that each loss observes on the fitted steps of recording i; cells [n_losses]. */
static pf_status count_cells(const pf_problem *problem, size_t i, int64_t *cells, pf_error *error)
{
  pf_draw *draw = NULL;
  pf_status status = pf_problem_draw(problem, &problem->data, i, 0, false, &draw, error);
  for (size_t k = 0; k < problem->model->n_losses && status == PF_OK; k++) {
    status = pf_batch_cells(problem->model, draw, k, &cells[k], error);
  }
  pf_draw_free(problem->model, draw);
  return status;
}

/**
 * Say now, not after the fit, that inputs do not match the network or that a loss finds no target.
 * A recording in which no loss observes anything is left out: it says nothing, and should not stop
 * the others.
 */
static pf_status try_draws(pf_problem *problem, pf_error *error)
{
  const size_t n_losses = problem->model->n_losses;
  const pf_host *host = pf_host_default();
  int64_t *all = pf_memory_need(2 * n_losses, sizeof *all, error);
  pf_status status = all == NULL ? PF_STOP : PF_OK;
  for (size_t i = 0; i < problem->data.n && status == PF_OK;) {
    int64_t *cells = all + n_losses, sum = 0;
    status = count_cells(problem, i, cells, error);
    for (size_t k = 0; k < n_losses && status == PF_OK; k++) {
      all[k] += cells[k];
      sum += cells[k];
    }
    if (status == PF_OK && sum == 0 && problem->data.n > 1) {
      char line[PF_ERROR_LENGTH];
      (void)snprintf(line, sizeof line,
                     "%.500s is left out: no loss observes anything in its fitted steps",
                     problem->data.recordings[i].name);
      host->warn(host, line);
      pf_dataset_remove(&problem->data, i);
    } else {
      i++;
    }
  }
  for (size_t k = 0; k < n_losses && status == PF_OK; k++) {
    if (all[k] == 0) {
      status = pf_fail(error, PF_STOP,
                       "%s observes nothing in %s%s: every cell of '%s' is missing or not fitted",
                       problem->model->losses[k].loss->label, problem->data.recordings[0].name,
                       problem->data.n > 1 ? " and the others" : "",
                       problem->model->losses[k].declared.targets.items[0]);
    }
  }
  pf_memory_free(all);
  return status;
}

pf_status pf_build_data(pf_problem *problem, int64_t animals, pf_error *error)
{
  pf_status status = PF_OK;
  if (problem->only_task) {
    return PF_OK;
  }
  if (pf_source_is_task(&problem->models->source)) {
    status = pf_build_animals(problem, &problem->data, "animal", 0, animals, error);
    status = status == PF_OK ? pf_build_animals(problem, &problem->fresh, "fresh", animals,
                                                problem->settings->evaluate.animals, error)
                             : status;
  } else {
    const pf_sink sink = {.size = sizeof sink, .impl = problem, .experiment = receive};
    status =
        problem->models->source.plugin->source->read(problem->models->source.self, &sink, error);
    if (status == PF_OK && problem->data.n == 0) {
      status = pf_fail(error, PF_STOP, "%s gave no experiments", problem->models->source.label);
    }
    if (status == PF_OK && problem->settings->sessions.persist) {
      status = pf_dataset_chain(&problem->data, problem->settings->sessions.gap, error);
    }
  }
  status = status == PF_OK ? try_draws(problem, error) : status;
  if (status != PF_OK) {
    pf_error_locate(error, problem->config, problem->models->source.node);
  }
  return status;
}
