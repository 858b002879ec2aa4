#include "core/infer/drawn_start.h"

#include "core/base/memory.h"

#include <math.h>
#include <string.h>

static const double matters = 0.5; /* nats by which the likelihood depends on drawn weights */

/* Activity, or counts that stand for it. */
static bool has_activity(const pf_infer_job *job)
{
  const pf_model *model = job->problem->model;
  for (size_t k = 0; k < model->n_losses; k++) {
    const pf_loss_ops *ops = model->losses[k].loss->plugin->loss;
    const bool counts = PF_HAS(ops, pf_loss_ops, expect) && ops->expect != NULL;
    if (counts || !isnan(job->evidence.variance[k])) {
      return true;
    }
  }
  return false;
}

/* Does the fit see the teacher's own starting weights? */
static bool is_given(const pf_infer_job *job)
{
  const pf_problem *problem = job->problem;
  for (size_t r = 0; r < job->group->n_recordings; r++) {
    if (problem->data.recordings[job->group->recordings[r]].true_noise == NULL) {
      return false;
    }
  }
  return problem->settings->give_initial_weights;
}

/* Every draw of each recording, but the drawn starting weights are 0; *n of them are there. */
static pf_status make_still_draws(const pf_infer_job *job, pf_draw **draws, size_t *n,
                                  pf_error *error)
{
  const pf_problem *problem = job->problem;
  for (size_t d = 0; d < job->evidence.n_draws; d++) {
    for (size_t r = 0; r < job->group->n_recordings; r++) {
      const pf_status status = pf_problem_draw(
          problem, &(pf_draw_id){&problem->data, job->group->recordings[r], (int64_t)d, false},
          &draws[*n], error);
      if (status != PF_OK) {
        return status;
      }
      double *noise = draws[(*n)++]->noise;
      if (noise != NULL) {
        memset(noise, 0, (size_t)problem->model->n_noise * sizeof *noise);
      }
    }
  }
  return PF_OK;
}

static pf_status value_at(const pf_infer_job *job, const pf_group_batches *batches, double *f,
                          pf_error *error)
{
  pf_group_objective *function = NULL;
  pf_status status = pf_infer_objective(job, batches, &function, error);
  if (status == PF_OK) {
    const pf_function *objective = pf_group_objective_get(function);
    status = objective->value(objective->self, job->group->values, f, NULL, error);
  }
  pf_group_objective_free(function);
  return status;
}

/* By how many nats the likelihood changes where drawn starting weights are 0. */
static pf_status find_difference(const pf_infer_job *job, double *nats, pf_error *error)
{
  pf_group_batches still = {0};
  size_t n = 0;
  double as_drawn = 0.0, at_rest = 0.0;
  pf_draw **draws =
      pf_memory_need(job->evidence.n_draws * job->group->n_recordings, sizeof(pf_draw *), error);
  if (draws == NULL) {
    return PF_STOP;
  }
  pf_status status = make_still_draws(job, draws, &n, error);
  if (status != PF_OK) {
    goto done;
  }
  status = pf_evidence_of_draws(job->problem, &job->evidence, draws, n, &still, error);
  if (status != PF_OK) {
    goto done;
  }
  status = value_at(job, &job->evidence.batches, &as_drawn, error);
  if (status != PF_OK) {
    goto done;
  }
  status = value_at(job, &still, &at_rest, error);
  *nats = fabs(as_drawn - at_rest);
done:
  pf_group_batches_clear(&still);
  for (size_t d = 0; d < n; d++) {
    pf_draw_free(job->problem->model, draws[d]);
  }
  pf_memory_free(draws);
  return status;
}

pf_status pf_infer_drawn_start(pf_infer_job *job, pf_error *error)
{
  pf_inference_group *out = job->out;
  pf_error line = pf_error_none();
  double nats = 0.0;
  if (!has_activity(job) || is_given(job) || job->evidence.no_sigma != NULL ||
      job->problem->model->n_plastic == 0) {
    return PF_OK;
  }
  const pf_status status = find_difference(job, &nats, &line);
  if (status < 0) {
    return pf_fail(error, status, "%s", line.text);
  }
  if (status == PF_OK && nats <= matters) {
    return PF_OK;
  }
  for (size_t k = 0; k < out->n; k++) {
    if (out->verdict[k] != PF_IDENTIFIED) {
      continue;
    }
    out->verdict[k] = PF_PRACTICALLY_NOT;
    const pf_status noted =
        pf_infer_why(&out->note[k], error,
                     "rests on starting weights that were drawn at random, not the animal's");
    if (noted != PF_OK) {
      return noted;
    }
  }
  return pf_infer_warn(out, error,
                       "activity was recorded, and the fit drew the starting weights at random: a "
                       "rule fitted from the wrong weights is another rule, so nothing is called "
                       "identified. Learn them (network.initial_weights.learn=each), or give them "
                       "(network.initial_weights.file)");
}
