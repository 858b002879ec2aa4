#include "core/fit/subsampled_start.h"

#include "core/base/memory.h"

#include <math.h>
#include <string.h>

/* Draws of a subsample, and the fewest draws of which one is taken. Measured with the flies (5
 * terms, 20 draws): with 4 of them the time of a fit halves; with 2 the rest takes longer again.
 * Many recordings under one theta average their draws: then one of each is enough. */
enum { N_SUBSAMPLE = 6, MIN_DRAWS = 12, MIN_DRAWS_OF_MANY = 4, MANY_RECORDINGS = 8 };

/* The predicted decrease, as a share of the objective, at which a subsample is done with. */
static const double enough = 1e-5;

/* Draws of each recording in the subsample; 0: there is none. */
static size_t count_subsample(size_t n_each, size_t n_recordings)
{
  if (n_recordings >= MANY_RECORDINGS && n_each >= MIN_DRAWS_OF_MANY) {
    return 1;
  }
  return n_each >= MIN_DRAWS ? N_SUBSAMPLE : 0;
}

/* The optimum of the first draws, from `values` on. */
static pf_status minimise_subsample(const pf_subsample_in *in, size_t n_draws, double *values,
                                    pf_subsampled_start *out, pf_error *error)
{
  pf_batch *batch = NULL;
  pf_group_objective *function = NULL;
  pf_optimiser_settings settings = *in->settings;
  settings.tolerance_progress = fmax(settings.tolerance_progress, enough);
  settings.stops_early = true;
  pf_status status =
      pf_batch_create(in->all->problem->model, (const pf_draw *const *)in->group->draws,
                      n_draws * in->group->n_recordings, &batch, error);
  if (status != PF_OK) {
    return status;
  }
  const pf_group_batches batches = {.batches = &batch, .n = 1};
  pf_group_objective_in few = *in->all;
  few.batches = &batches;
  status = pf_group_objective_create(&few, &function, error);
  if (status == PF_OK) {
    status = in->optimiser->minimise(pf_group_objective_get(function), &settings, in->watch, values,
                                     &out->optimum, error);
    out->n_evaluations = pf_group_objective_n_evaluations(function);
  }
  pf_group_objective_free(function);
  pf_batch_free(batch);
  return status;
}

/* out->start and out->moved: by the objective of all. */
static void compare_points(const pf_function *all, const double *start, const double *tried,
                           pf_subsampled_start *out)
{
  pf_error ignored = pf_error_none();
  pf_optimum count = {0};
  double there = NAN;
  const bool has_start = pf_function_value(all, start, &out->start, &count, &ignored) == PF_OK;
  const bool arrived = pf_function_value(all, tried, &there, &count, &ignored) == PF_OK;
  out->start = has_start ? out->start + pf_l1_of(all, start) : (double)NAN;
  out->moved = arrived && (!has_start || there + pf_l1_of(all, tried) < out->start);
}

pf_status pf_subsampled_start_find(const pf_subsample_in *in, double *values,
                                   pf_subsampled_start *out, pf_error *error)
{
  const size_t n = in->function->n, n_recordings = in->group->n_recordings;
  const size_t n_each = n_recordings > 0 ? in->group->n_draws / n_recordings : 0;
  const size_t n_few = count_subsample(n_each, n_recordings);
  *out = (pf_subsampled_start){.start = NAN};
  if (!in->optimiser->needs_curvature || n_few == 0 || in->settings->evaluations > 0 || n == 0) {
    return PF_OK;
  }
  pf_error ignored = pf_error_none();
  double *tried = pf_memory_need(n, sizeof *tried, error);
  if (tried == NULL) {
    return PF_STOP;
  }
  memcpy(tried, values, n * sizeof *tried);
  if (minimise_subsample(in, n_few, tried, out, &ignored) == PF_OK &&
      out->optimum.reason != PF_REASON_INTERRUPTED) {
    compare_points(in->function, values, tried, out);
  }
  if (out->moved) {
    memcpy(values, tried, n * sizeof *values);
  } else if (in->settings->secant != NULL) {
    memset(in->settings->secant, 0, n * n * sizeof *in->settings->secant);
  }
  pf_memory_free(tried);
  return PF_OK;
}
