/*
 * Interval method `profile`: profile likelihoods of a group's values, and the verdict "practically
 * not identified".
 */
#include "core/infer/interval_method.h"
#include "core/infer/profile_trace.h"

#include "core/base/memory.h"
#include "core/base/threads.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Of one value; zeroed where it is not profiled. */
typedef struct value_profile {
  pf_status status;
  pf_error error;
  pf_profile profile;
  double *better; /* [n] */
} value_profile;

/* -L at the estimate, as the profile's function has it. */
static pf_status evaluate_estimate(const pf_infer_job *job, double *f_best, pf_error *error)
{
  pf_group_objective *function = NULL;
  pf_status status = pf_infer_objective(job, &job->evidence.batches, &function, error);
  if (status == PF_OK) {
    const pf_function *f = pf_group_objective_get(function);
    status = f->value(f->self, job->group->values, f_best, NULL, error);
  }
  pf_group_objective_free(function);
  return status;
}

/* One value by one thread: nothing but memory of its own. */
static void profile_value(const pf_infer_job *job, size_t k, double f_best, value_profile *to)
{
  pf_group_objective *function = NULL;
  pf_profile_settings settings = pf_profile_defaults();
  settings.level = job->problem->settings->intervals.level;
  to->error = pf_error_none();
  to->status = pf_infer_objective(job, &job->evidence.batches, &function, &to->error);
  if (to->status == PF_OK) {
    to->status = pf_profile_value(pf_group_objective_get(function), job->group->values, f_best, k,
                                  &settings, to->better, &to->profile, &to->error);
  }
  pf_group_objective_free(function);
}

/* Those values that are identified: others can go any distance. */
static pf_status profile_values(const pf_infer_job *job, double f_best, value_profile *profiles,
                                pf_error *error)
{
  const size_t n = job->out->n;
  const bool *identified = job->out->spectrum->identified;
  const bool over_values = job->n_workspaces > 1 && n >= job->n_workspaces;
#pragma omp parallel for schedule(dynamic) num_threads((int)job->n_workspaces) if (over_values)
  for (size_t k = 0; k < n; k++) {
    pf_infer_job own = *job;
    if (over_values) {
      own.workspaces += pf_this_thread();
      own.n_workspaces = 1;
    }
    if (identified[k]) {
      profile_value(&own, k, f_best, &profiles[k]);
    }
  }
  for (size_t k = 0; k < n; k++) {
    if (profiles[k].status != PF_OK) {
      return pf_fail(error, profiles[k].status, "%s", profiles[k].error.text);
    }
  }
  return PF_OK;
}

/* ---- what the profiles say ---- */

static void print_end(double at, uint32_t end, const char *direction, char *text, size_t capacity)
{
  const char *bound = end == PF_PROFILE_BOUND ? " (its bound)" : "";
  (void)snprintf(text, capacity, "%.4g%s", at, bound);
  if (end == PF_PROFILE_NO_VALUE) {
    (void)snprintf(text, capacity, "%.4g (weights overflow %s)", at, direction);
  }
}

/* "the data allow everything up to 3", "the data allow from -1 to 4 (its bound)". */
static void print_range(const pf_profile *profile, char *text, size_t capacity)
{
  char low[64], high[64];
  const bool no_low = profile->low_end == PF_PROFILE_OPEN;
  const bool no_high = profile->high_end == PF_PROFILE_OPEN;
  print_end(profile->low, profile->low_end, "below", low, sizeof low);
  print_end(profile->high, profile->high_end, "above", high, sizeof high);
  if (no_low && no_high) {
    (void)snprintf(text, capacity, "the data allow any value");
  } else if (no_low) {
    (void)snprintf(text, capacity, "the data allow everything up to %s", high);
  } else if (no_high) {
    (void)snprintf(text, capacity, "the data allow everything from %s on", low);
  } else {
    (void)snprintf(text, capacity, "the data allow from %s to %s", low, high);
  }
}

static pf_status set_interval(pf_inference_group *out, size_t k, const pf_profile *profile,
                              pf_intervals *to, pf_error *error)
{
  const bool low_crossed = profile->low_end == PF_PROFILE_CROSSED;
  const bool high_crossed = profile->high_end == PF_PROFILE_CROSSED;
  char text[200];
  if (!out->at_bound[k]) { /* Fisher's: a profile has none */
    to->se[k] = sqrt(fmax(out->covariance[k * out->n + k], 0.0));
  }
  to->lower[k] = profile->low_end == PF_PROFILE_OPEN ? -INFINITY : profile->low;
  to->upper[k] = profile->high_end == PF_PROFILE_OPEN ? INFINITY : profile->high;
  /* of what is at its bound the data say how far from it at most */
  const bool is_closed =
      out->at_bound[k] ? low_crossed || high_crossed : low_crossed && high_crossed;
  if (is_closed) {
    return PF_OK;
  }
  print_range(profile, text, sizeof text);
  out->verdict[k] = PF_PRACTICALLY_NOT;
  return pf_infer_why(&out->note[k], error, "%s", text);
}

/* By how many nats a profile came to lie below the estimate; 0: it did not. */
static double decrease_of(const pf_profile *profile)
{
  const double low = profile->low_end == PF_PROFILE_BETTER ? profile->rise_low : 0.0;
  const double high = profile->high_end == PF_PROFILE_BETTER ? profile->rise_high : 0.0;
  return fmax(low, high);
}

/* The best of the better optima, if there are any: then no method's interval means anything. */
static pf_status keep_better(pf_inference_group *out, const value_profile *profiles,
                             pf_error *error)
{
  const value_profile *best = NULL;
  double largest = 0.0;
  for (size_t k = 0; k < out->n; k++) {
    const double decrease = decrease_of(&profiles[k].profile);
    if (decrease > largest) {
      best = &profiles[k];
      largest = decrease;
    }
  }
  if (best == NULL) {
    return PF_OK;
  }
  out->better = pf_memory_need(out->n, sizeof *out->better, error);
  if (out->better == NULL) {
    return PF_STOP;
  }
  memcpy(out->better, best->better, out->n * sizeof *out->better);
  return pf_infer_why(
      &out->why, error,
      "a better optimum was found while profiling; fit from more starts (fit.starts=20)");
}

static pf_status set_profiles(pf_infer_job *job, value_profile *profiles, pf_intervals *to,
                              pf_error *error)
{
  pf_inference_group *out = job->out;
  double f_best = 0.0;
  pf_status status = evaluate_estimate(job, &f_best, error);
  if (status == PF_OK) {
    status = profile_values(job, f_best, profiles, error);
  }
  if (status == PF_OK) {
    status = keep_better(out, profiles, error);
  }
  if (status != PF_OK || out->better != NULL) {
    return status;
  }
  status = pf_intervals_create(out->n, to, error);
  for (size_t k = 0; k < out->n; k++) {
    if (status == PF_OK && out->spectrum->identified[k]) {
      status = set_interval(out, k, &profiles[k].profile, to, error);
    }
  }
  return status;
}

static pf_status compute_profile(pf_infer_job *job, pf_intervals *to, pf_error *error)
{
  const size_t n = job->out->n;
  value_profile *profiles = pf_memory_need(n, sizeof *profiles, error);
  double *better = pf_memory_need(n * n, sizeof *better, error);
  pf_status status = profiles == NULL || better == NULL ? PF_STOP : PF_OK;
  if (status == PF_OK) {
    for (size_t k = 0; k < n; k++) {
      profiles[k].better = better + k * n;
    }
    status = set_profiles(job, profiles, to, error);
  }
  pf_memory_free(better);
  pf_memory_free(profiles);
  return status;
}

const pf_interval_method pf_interval_profile = {
    .name = "profile",
    .is_global = true,
    .needs_likelihood = "the fit weighs its losses otherwise than the likelihood does, so it is "
                        "not at its maximum; a profile would start beside it",
    .compute = compute_profile,
};
