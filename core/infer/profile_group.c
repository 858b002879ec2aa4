/* Profile likelihoods of a unit's values: intervals, and the verdict "practically not identified".
 */
#include "core/infer/infer.h"
#include "core/infer/profile.h"

#include "core/base/memory.h"
#include "core/base/threads.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct share {
  pf_status status;
  pf_error error;
  pf_profile profile;
  double *better; /* [n] */
} share;

/* Is value k profiled? Not where the design leaves it free: there is nothing to be found at any
 * distance. */
static bool is_profiled(const pf_inference_group *out, size_t k)
{
  return out->spectrum->identified[k];
}

/* One value by one thread: nothing but memory of its own. */
static void profile_one(const pf_infer_job *job, size_t k, double f_best,
                        pf_workspace *const *workspaces, size_t n_workspaces, share *to)
{
  pf_group_objective *function = NULL;
  pf_profile_settings settings = pf_profile_defaults();
  settings.level = job->problem->settings->intervals.level;
  to->error = pf_error_none();
  const pf_group_objective_in in = {.problem = job->problem,
                                    .layout = job->group->layout,
                                    .batches = &job->evidence.batches,
                                    .workspaces = workspaces,
                                    .n_workspaces = n_workspaces};
  to->status = pf_group_objective_create(&in, &function, &to->error);
  if (to->status == PF_OK) {
    to->status = pf_profile_value(pf_group_objective_get(function), job->group->values, f_best, k,
                                  &settings, to->better, &to->profile, &to->error);
  }
  pf_group_objective_free(function);
}

/* -L at the estimate, as the profile's function has it. */
static pf_status find_best(const pf_infer_job *job, double *f_best, pf_error *error)
{
  pf_group_objective *function = NULL;
  const pf_group_objective_in in = {.problem = job->problem,
                                    .layout = job->group->layout,
                                    .batches = &job->evidence.batches,
                                    .workspaces = job->workspaces,
                                    .n_workspaces = job->n_workspaces};
  pf_status status = pf_group_objective_create(&in, &function, error);
  if (status == PF_OK) {
    const pf_function *f = pf_group_objective_get(function);
    status = f->value(f->self, job->group->values, f_best, NULL, error);
  }
  pf_group_objective_free(function);
  return status;
}

/* "from -0.2 on", "up to 3", "from -1 to 4 (its bounds)". */
static void range_words(const pf_profile *profile, char *text, size_t capacity)
{
  char low[64] = "", high[64] = "";
  if (profile->low_end != PF_PROFILE_OPEN) {
    (void)snprintf(low, sizeof low, "%.4g%s", profile->low,
                   profile->low_end == PF_PROFILE_BOUND      ? " (its bound)"
                   : profile->low_end == PF_PROFILE_NO_VALUE ? " (weights overflow below)"
                                                             : "");
  }
  if (profile->high_end != PF_PROFILE_OPEN) {
    (void)snprintf(high, sizeof high, "%.4g%s", profile->high,
                   profile->high_end == PF_PROFILE_BOUND      ? " (its bound)"
                   : profile->high_end == PF_PROFILE_NO_VALUE ? " (weights overflow above)"
                                                              : "");
  }
  if (low[0] == '\0' && high[0] == '\0') {
    (void)snprintf(text, capacity, "the data allow any value");
  } else if (low[0] == '\0') {
    (void)snprintf(text, capacity, "the data allow everything up to %s", high);
  } else if (high[0] == '\0') {
    (void)snprintf(text, capacity, "the data allow everything from %s on", low);
  } else {
    (void)snprintf(text, capacity, "the data allow from %s to %s", low, high);
  }
}

static pf_status keep(pf_inference_group *out, size_t k, const pf_profile *profile, pf_error *error)
{
  pf_intervals *to = &out->methods[PF_INTERVAL_PROFILE];
  char text[200];
  to->se[k] = out->at_bound[k]
                  ? (double)NAN
                  : sqrt(fmax(out->covariance[k * out->n + k], 0.0)); /* Fisher's: it has none */
  to->lower[k] = profile->low_end == PF_PROFILE_OPEN ? -INFINITY : profile->low;
  to->upper[k] = profile->high_end == PF_PROFILE_OPEN ? INFINITY : profile->high;
  if (profile->low_end == PF_PROFILE_CROSSED && profile->high_end == PF_PROFILE_CROSSED) {
    return PF_OK;
  }
  if (out->at_bound[k] &&
      (profile->low_end == PF_PROFILE_CROSSED || profile->high_end == PF_PROFILE_CROSSED)) {
    return PF_OK; /* at its bound, and the data say how far from it at most */
  }
  range_words(profile, text, sizeof text);
  out->verdict[k] = PF_PRACTICALLY_NOT;
  return pf_infer_why(&out->note[k], error, "%s", text);
}

/* By how many nats a profile came to lie below the estimate; 0: it did not. */
static double fell(const pf_profile *profile)
{
  const double low = profile->low_end == PF_PROFILE_BETTER ? profile->rise_low : 0.0;
  const double high = profile->high_end == PF_PROFILE_BETTER ? profile->rise_high : 0.0;
  return fmax(low, high);
}

/* The best of what profiles came upon, if they did: then no method's interval means anything. */
static pf_status take_better(pf_infer_job *job, const share *shares, pf_error *error)
{
  pf_inference_group *out = job->out;
  const share *best = NULL;
  for (size_t k = 0; k < out->n; k++) {
    const double own = fell(&shares[k].profile);
    best = own > (best == NULL ? 0.0 : fell(&best->profile)) ? &shares[k] : best;
  }
  if (best == NULL) {
    return PF_OK;
  }
  job->found_better = job->better != NULL;
  if (job->better != NULL) {
    memcpy(job->better, best->better, out->n * sizeof *job->better);
  }
  out->methods[PF_INTERVAL_PROFILE].there = false;
  return pf_infer_why(
      &out->why, error,
      "a better optimum was found while profiling; fit from more starts (fit.starts=20)");
}

pf_status pf_infer_profile(pf_infer_job *job, pf_error *error)
{
  pf_inference_group *out = job->out;
  pf_intervals *to = &out->methods[PF_INTERVAL_PROFILE];
  double f_best = 0.0;
  if (job->evidence.no_sigma != NULL) {
    return pf_infer_why(&to->why, error, "%s", job->evidence.no_sigma);
  }
  if (!job->evidence.proportional) {
    return pf_infer_why(&to->why, error,
                        "the fit weighs its losses otherwise than the likelihood does, so it is "
                        "not at its maximum; a "
                        "profile would start beside it");
  }
  share *shares = pf_memory_need(out->n, sizeof *shares, error);
  pf_status status = shares == NULL ? PF_STOP : find_best(job, &f_best, error);
  status = status == PF_OK ? pf_intervals_create(out->n, to, error) : status;
  double *better = status == PF_OK ? pf_memory_need(out->n * out->n, sizeof *better, error) : NULL;
  status = status == PF_OK && better == NULL ? PF_STOP : status;
  if (status != PF_OK) {
    pf_memory_free(shares);
    return status;
  }
  for (size_t k = 0; k < out->n; k++) {
    shares[k].better = better + k * out->n;
  }
  const bool over_values = job->n_workspaces > 1 && out->n >= job->n_workspaces;
#pragma omp parallel for schedule(dynamic) num_threads((int)job->n_workspaces) if (over_values)
  for (size_t k = 0; k < out->n; k++) {
    if (is_profiled(out, k)) {
      profile_one(job, k, f_best,
                  over_values ? job->workspaces + pf_this_thread() : job->workspaces,
                  over_values ? 1 : job->n_workspaces, &shares[k]);
    }
  }
  for (size_t k = 0; k < out->n && status == PF_OK; k++) {
    if (!is_profiled(out, k)) {
      continue;
    }
    status = shares[k].status;
    if (status != PF_OK) {
      (void)pf_fail(error, status, "%s", shares[k].error.text);
    }
  }
  status = status == PF_OK ? take_better(job, shares, error) : status;
  for (size_t k = 0; k < out->n && status == PF_OK && to->there; k++) {
    if (is_profiled(out, k)) {
      status = keep(out, k, &shares[k].profile, error);
    }
  }
  pf_memory_free(better);
  pf_memory_free(shares);
  return status;
}
