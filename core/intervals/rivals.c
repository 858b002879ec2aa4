#include "core/intervals/rivals.h"

#include "core/base/memory.h"
#include "core/stats/stats.h"
#include "core/uncertainty/uncertainty.h"

#include <math.h>

static const double far_worse = 10.0;  /* nats: no start for anything */
static const double other_place = 0.5; /* standard errors */
static const double same_share = 1e-3; /* of a value that has no standard error */

/* Are two optima different ones? */
static bool are_apart(const pf_inference_group *of, const double *a, const double *b)
{
  for (size_t k = 0; k < of->n; k++) {
    const double variance = of->covariance[k * of->n + k];
    const double scale =
        variance > 0.0 ? other_place * sqrt(variance) : same_share * (fabs(a[k]) + fabs(b[k]));
    if (of->spectrum->identified[k] && fabs(a[k] - b[k]) > scale) {
      return true;
    }
  }
  return false;
}

/* In the order of rise; the worst is left out where there are too many. */
static void insert_rival(pf_rivals *to, const double *values, double rise)
{
  size_t at = to->n < PF_MAX_RIVALS ? to->n++ : PF_MAX_RIVALS - 1;
  if (at == PF_MAX_RIVALS - 1 && to->values[at] != NULL && to->rise[at] <= rise) {
    return;
  }
  for (; at > 0 && to->rise[at - 1] > rise; at--) {
    to->values[at] = to->values[at - 1];
    to->rise[at] = to->rise[at - 1];
  }
  to->values[at] = values;
  to->rise[at] = rise;
}

static bool is_new(const pf_infer_job *job, const pf_rivals *known, const double *values)
{
  bool is = are_apart(job->out, job->group->values, values);
  for (size_t r = 0; r < known->n; r++) {
    is = is && are_apart(job->out, known->values[r], values);
  }
  return is;
}

static pf_status add_starts(const pf_infer_job *job, const pf_function *f, pf_rivals *to,
                            pf_error *error)
{
  const pf_fit_group *group = job->group;
  for (size_t s = 0; group->starts != NULL && s < group->n_starts; s++) {
    const pf_start_result *start = &group->starts[s];
    if (start->status != PF_OK || !start->optimum.converged || !is_new(job, to, start->values)) {
      continue;
    }
    double at = 0.0;
    pf_error line = pf_error_none();
    const pf_status status = f->value(f->self, start->values, &at, NULL, &line);
    if (status < 0) {
      return pf_fail(error, status, "%s", line.text);
    }
    if (status == PF_OK && at - to->f_best < far_worse) {
      insert_rival(to, start->values, fmax(at - to->f_best, 0.0));
    }
  }
  return PF_OK;
}

pf_status pf_rivals_find(const pf_infer_job *job, pf_rivals *out, pf_error *error)
{
  pf_group_objective *function = NULL;
  *out = (pf_rivals){0};
  pf_status status = pf_infer_objective(job, &job->evidence.batches, &function, error);
  if (status == PF_OK) {
    const pf_function *f = pf_group_objective_get(function);
    status = f->value(f->self, job->group->values, &out->f_best, NULL, error);
    if (status == PF_OK) {
      status = add_starts(job, f, out, error);
    }
  }
  pf_group_objective_free(function);
  return status;
}

pf_status pf_rivals_judge(pf_infer_job *job, pf_error *error)
{
  pf_inference_group *out = job->out;
  const double allowed = 0.5 * pf_stats_chi2_quantile(job->problem->settings->intervals.level, 1.0);
  pf_rivals rivals = {0};
  if (out->why != NULL || !out->methods[out->main].there || !job->evidence.proportional ||
      job->group->n_starts < 2) {
    return PF_OK;
  }
  const pf_status status = pf_rivals_find(job, &rivals, error);
  if (status != PF_OK) {
    return status;
  }
  for (size_t r = 0; r < rivals.n && rivals.rise[r] < allowed; r++) {
    for (size_t k = 0; k < out->n; k++) {
      const double at = rivals.values[r][k];
      const pf_intervals *shown = &out->methods[pf_shown_method(out, k)];
      const bool is_outside = at < shown->lower[k] || at > shown->upper[k];
      if (out->verdict[k] != PF_IDENTIFIED || !is_outside) {
        continue;
      }
      out->verdict[k] = PF_PRACTICALLY_NOT;
      const pf_status noted = pf_infer_why(
          &out->note[k], error, "another optimum, 2dL %.2f away, has %.4g, outside this interval",
          2.0 * rivals.rise[r], at);
      if (noted != PF_OK) {
        return noted;
      }
    }
  }
  return PF_OK;
}
