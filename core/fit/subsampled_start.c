#include "core/fit/subsampled_start.h"

#include "core/base/memory.h"

#include <math.h>
#include <string.h>

/* Of how many draws, and from how many on. Measured with the flies (5 terms, 20 draws): with 4 of
 * them the time of a fit halves; with 2 the rest takes longer again. */
enum { FEW = 6, MANY = 12 };

/* Of a step's promise as a share of the objective, when few draws have told what they can. */
static const double enough = 1e-5;

static size_t draws_each(const pf_fit_group *group)
{
  return group->n_recordings > 0 ? group->n_draws / group->n_recordings : 0;
}

/* The optimum of the first draws, from `values` on. */
static pf_status go(const pf_problem *problem, const pf_fit_group *group,
                    const pf_optimiser *optimiser, const pf_optimiser_settings *settings,
                    const pf_watch *watch, pf_workspace *const *workspaces, size_t n_workspaces,
                    double *values, pf_subsampled_start *out, pf_error *error)
{
  pf_batch *batch = NULL;
  pf_group_objective *function = NULL;
  pf_optimiser_settings rough = *settings;
  rough.tolerance_progress = fmax(rough.tolerance_progress, enough);
  rough.stops_early = true;
  pf_status status = pf_batch_create(problem->model, (const pf_draw *const *)group->draws,
                                     FEW * group->n_recordings, &batch, error);
  pf_batch *batches[1] = {batch};
  const pf_group_batches whole = {.batches = batches, .n = 1};
  status = status == PF_OK ? pf_group_objective_create(problem, group->layout, &whole, true, false,
                                                       workspaces, n_workspaces, &function, error)
                           : status;
  if (status == PF_OK) {
    status = optimiser->minimise(pf_group_objective_get(function), &rough, watch, values,
                                 &out->optimum, error);
    out->n_evaluations = pf_group_objective_n_evaluations(function);
  }
  pf_group_objective_free(function);
  pf_batch_free(batch);
  return status;
}

pf_status pf_subsampled_start_find(const pf_problem *problem, const pf_fit_group *group,
                                   const pf_optimiser *optimiser,
                                   const pf_optimiser_settings *settings, const pf_watch *watch,
                                   const pf_function *all, pf_workspace *const *workspaces,
                                   size_t n_workspaces, double *values, pf_subsampled_start *out,
                                   pf_error *error)
{
  *out = (pf_subsampled_start){.start = NAN};
  if (!optimiser->needs_curvature || draws_each(group) < MANY || settings->evaluations > 0 ||
      all->n == 0) {
    return PF_OK;
  }
  pf_error line = pf_error_none(); /* of what is no error: nobody wants to read it */
  double *tried = pf_memory_need(all->n, sizeof *tried, error);
  if (tried == NULL) {
    return PF_STOP;
  }
  memcpy(tried, values, all->n * sizeof *tried);
  const pf_status status =
      go(problem, group, optimiser, settings, watch, workspaces, n_workspaces, tried, out, &line);
  if (status == PF_OK && out->optimum.reason != PF_REASON_INTERRUPTED) {
    pf_optimum count = {0};
    double there = NAN;
    const bool has_start = pf_function_value(all, values, &out->start, &count, &line) == PF_OK;
    const bool arrived = pf_function_value(all, tried, &there, &count, &line) == PF_OK;
    out->start = has_start ? out->start + pf_l1_of(all, values) : (double)NAN;
    out->moved = arrived && (!has_start || there + pf_l1_of(all, tried) < out->start);
  }
  if (out->moved) {
    memcpy(values, tried, all->n * sizeof *values);
  } else if (settings->secant != NULL) {
    memset(settings->secant, 0, all->n * all->n * sizeof *settings->secant);
  }
  pf_memory_free(tried);
  return PF_OK;
}
