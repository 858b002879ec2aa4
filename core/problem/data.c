/* Data of a problem: read by the source, or simulated in closed loop with the teacher. */
#include "core/base/memory.h"
#include "core/problem/build.h"

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
  status = pf_recording_expect_reward(recording, &problem->expectation, error);
  return status == PF_OK ? pf_recording_derive(recording, problem->derived, problem->n_derived, error) : status;
}

static pf_status simulate(pf_problem *problem, pf_dataset *data, const char *word, int64_t first, int64_t n,
                          pf_error *error)
{
  pf_status status = PF_OK;
  for (int64_t a = 0; a < n && status == PF_OK; a++) {
    char name[48];
    (void)snprintf(name, sizeof name, "%s%lld", word, (long long)(a + 1));
    status = pf_simulate(problem->teacher, problem->teacher_theta, &problem->source, &problem->input,
                         &problem->expectation, problem->seed, first + a, name, data, error);
    if (status == PF_OK) {
      status = pf_recording_derive(&data->recordings[data->n - 1], problem->derived, problem->n_derived, error);
    }
    status = status == PF_OK ? pf_build_record(problem, &data->recordings[data->n - 1], first + a, error) : status;
  }
  return status;
}

/** Say now, not after the fit, that inputs do not match the network or that a loss finds no target. */
static pf_status try_draw(const pf_problem *problem, pf_error *error)
{
  pf_draw *draw = NULL;
  pf_batch *batch = NULL;
  pf_status status = PF_OK;
  for (size_t i = 0; i < problem->data.n && status == PF_OK; i++) {
    status = pf_problem_draw(problem, &problem->data, i, 0, false, &draw, error);
    if (status == PF_OK) {
      const pf_draw *one = draw;
      status = pf_batch_create(problem->model, &one, 1, &batch, error);
      pf_batch_free(batch);
      pf_draw_free(problem->model, draw);
      batch = NULL;
      draw = NULL;
    }
  }
  return status;
}

pf_status pf_build_data(pf_problem *problem, int64_t animals, pf_error *error)
{
  pf_status status = PF_OK;
  if (pf_source_is_task(&problem->source)) {
    status = simulate(problem, &problem->data, "animal", 0, animals, error);
    status = status == PF_OK ? simulate(problem, &problem->fresh, "fresh", animals, problem->evaluate.animals, error)
                             : status;
  } else {
    const pf_sink sink = {.size = sizeof sink, .impl = problem, .experiment = receive};
    status = problem->source.plugin->source->read(problem->source.self, &sink, error);
    if (status == PF_OK && problem->data.n == 0) {
      status = pf_fail(error, PF_STOP, "%s gave no experiments", problem->source.label);
    }
  }
  status = status == PF_OK ? try_draw(problem, error) : status;
  if (status != PF_OK) {
    pf_error_locate(error, problem->config, problem->source.node);
  }
  return status;
}
