#include "core/candidates/job_check.h"

#include <math.h>

typedef struct checked_job {
  const pf_jobs *jobs;
  const pf_job *job;
  const pf_problem *problem;
} checked_job;

static bool has_animal(const checked_job *c, size_t animal)
{
  const pf_validation *own = pf_validation_at(c->job->validation);
  if (animal >= c->problem->data.n_animals) {
    return false;
  }
  if (own->leaves_animal_out) {
    return animal == (size_t)c->job->fold;
  }
  return c->job->animal == PF_ALL_ANIMALS || animal == c->job->animal;
}

/** The job's own validation, or one that scores its fits on fresh draws. */
static bool has_validation(const checked_job *c, uint32_t v)
{
  const pf_validation *own = pf_validation_at(c->job->validation);
  if (v == c->job->validation) {
    return true;
  }
  return !c->job->refit && c->jobs->settings->asked[v] &&
         pf_validation_at(v)->scores_fits_of == own;
}

static bool has_ablation(const checked_job *c, uint32_t ablation)
{
  const bool has_all =
      pf_validation_at(c->job->validation)->held_out && c->jobs->settings->ablations;
  return ablation < (has_all ? (uint32_t)PF_N_ABLATIONS : 1);
}

/** NaN says that there is no such figure; an infinity cannot be. */
static bool is_finite_or_none(double value)
{
  return isnan(value) || isfinite(value);
}

static bool is_score(const checked_job *c, const pf_compare_row *row)
{
  if (!has_animal(c, row->animal) || !has_validation(c, row->validation) ||
      !has_ablation(c, row->ablation) || row->n < 0 || row->n_fit < 0) {
    return false;
  }
  if (row->status != PF_OK) {
    return row->error != NULL;
  }
  return row->error == NULL && (row->n == 0 || isfinite(row->log_likelihood)) &&
         is_finite_or_none(row->no_plasticity) && is_finite_or_none(row->mean_rate) &&
         is_finite_or_none(row->baselines[PF_BASELINE_WIN_STAY]) &&
         is_finite_or_none(row->baselines[PF_BASELINE_HISTORY]) &&
         is_finite_or_none(row->r2_weights) && is_finite_or_none(row->r2_activity);
}

/** Rows come by validation, then animal, then ablation: a row that is not after the one before
 * would count twice. */
static bool is_after(const pf_compare_row *row, const pf_compare_row *before)
{
  if (row->validation != before->validation) {
    return true;
  }
  return row->animal != before->animal ? row->animal > before->animal
                                       : row->ablation > before->ablation;
}

static bool are_scores(const checked_job *c, const pf_job_result *r)
{
  uint64_t seen = 0;
  for (size_t i = 0; i < r->n_scores; i++) {
    const pf_compare_row *row = &r->scores[i];
    if (!is_score(c, row)) {
      return false;
    }
    if (i > 0 && !is_after(row, row - 1)) {
      return false;
    }
    if (i == 0 || row->validation != (row - 1)->validation) {
      const uint64_t bit = (uint64_t)1 << row->validation;
      if ((seen & bit) != 0) {
        return false;
      }
      seen |= bit;
    }
  }
  return r->status != PF_OK || r->n_scores > 0;
}

static bool are_estimates(const checked_job *c, const pf_job_result *r)
{
  for (size_t i = 0; i < r->n_estimates; i++) {
    if (!has_animal(c, r->estimates[i].animal)) {
      return false;
    }
    for (size_t k = 0; k < r->n_theta; k++) {
      if (!isfinite(r->estimates[i].theta[k])) {
        return false;
      }
    }
  }
  return true;
}

/** All of recordings that there are, and finite. */
static bool are_thetas(const checked_job *c, const pf_job_result *r)
{
  for (size_t i = 0; i < r->n_thetas; i++) {
    if (r->thetas[i].recording >= c->problem->data.n) {
      return false;
    }
    for (size_t k = 0; k < r->n_theta; k++) {
      if (!isfinite(r->thetas[i].theta[k])) {
        return false;
      }
    }
  }
  return true;
}

static bool is_prediction(const checked_job *c, const pf_compare_prediction *p)
{
  const pf_dataset *data = &c->problem->data;
  if (p->recording >= data->n || !has_validation(c, p->validation)) {
    return false;
  }
  const pf_recording *recording = &data->recordings[p->recording];
  if (recording->n_steps != p->n_steps || !has_animal(c, recording->animal_number)) {
    return false;
  }
  for (int64_t t = 0; t < p->n_steps; t++) {
    if (!isnan(p->probability[t]) && !(p->probability[t] >= 0.0 && p->probability[t] <= 1.0)) {
      return false;
    }
  }
  return true;
}

bool pf_job_result_belongs(const pf_jobs *jobs, const pf_job *job, const pf_job_result *result)
{
  const pf_candidate *candidate = &jobs->candidates->items[job->candidate];
  const bool shared = pf_validation_at(job->validation)->leaves_animal_out;
  const checked_job c = {.jobs = jobs,
                         .job = job,
                         .problem = shared ? candidate->shared.problem : candidate->own.problem};
  const size_t n_cells = c.problem->model->n_parameters * (c.problem->data.n + 1);
  if (result->n_theta != c.problem->model->n_parameters || result->n_free > n_cells ||
      (result->status != PF_OK) != (result->error != NULL)) {
    return false;
  }
  if (!are_scores(&c, result) || !are_estimates(&c, result) || !are_thetas(&c, result)) {
    return false;
  }
  for (size_t i = 0; i < result->n_predictions; i++) {
    if (!is_prediction(&c, &result->predictions[i])) {
      return false;
    }
  }
  return true;
}
