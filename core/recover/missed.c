/*
 * Did a fit miss the optimum? Here the truth is known: where it fits the data better than the
 * estimate does, the estimate is no best fit, whatever the optimiser says of it.
 */
#include "core/base/memory.h"
#include "core/fit/group_objective.h"
#include "core/recover/recover.h"

#include <math.h>

/* What is lower by these shares, of F and of F at the start, is not for rounding, nor for where an
 * optimiser stops. */
static const double share = 1e-7, share_of_start = 1e-10;

/** values [n]: the truth; false where it is not known, or beyond the bounds of the fit. */
static bool find_truth(const pf_recovery *r, const pf_layout *layout, size_t first, double *values)
{
  for (size_t k = 0; k < layout->n; k++) {
    values[k] = r->truth[r->cells[first + k].parameter];
    if (!(values[k] >= layout->lower[k] && values[k] <= layout->upper[k])) {
      return false;
    }
  }
  return true;
}

static pf_status compare(const pf_problem *problem, const pf_fit_group *group, const double *truth,
                         bool *out, pf_error *error)
{
  pf_workspace *workspace = NULL;
  pf_group_batches batches = {0};
  pf_group_objective *function = NULL;
  pf_optimum count = {0};
  double at_truth = 0.0, at_estimate = 0.0;
  pf_status status = pf_workspace_create(
      problem->model, pf_dataset_longest(&problem->data)->n_steps, &workspace, error);
  status =
      status == PF_OK ? pf_group_batches_create(problem, group, true, &batches, error) : status;
  status = status == PF_OK ? pf_group_objective_create(problem, group->layout, &batches, true,
                                                       false, &workspace, 1, &function, error)
                           : status;
  if (status == PF_OK) {
    const pf_function *f = pf_group_objective_get(function);
    status = pf_function_value(f, truth, &at_truth, &count, error);
    status =
        status == PF_OK ? pf_function_value(f, group->values, &at_estimate, &count, error) : status;
    at_truth += pf_l1_of(f, truth);
    at_estimate += pf_l1_of(f, group->values);
  }
  const double start = isfinite(group->optimum.start) ? fabs(group->optimum.start) : 0.0;
  *out = status == PF_OK &&
         at_estimate - at_truth > share * fabs(at_estimate) + share_of_start * start;
  pf_group_objective_free(function);
  pf_group_batches_clear(&batches);
  pf_workspace_free(workspace);
  return status < 0 ? status
                    : PF_OK; /* the model may have no value at the truth: then nothing is known */
}

pf_status pf_recover_missed(const pf_recovery *r, const pf_problem *problem,
                            const pf_fit_group *group, size_t first, bool *out, pf_error *error)
{
  *out = false;
  double *truth = pf_memory_need(group->layout->n, sizeof *truth, error);
  pf_status status = truth == NULL ? PF_STOP : PF_OK;
  if (status == PF_OK && group->layout->n > 0 && find_truth(r, group->layout, first, truth)) {
    status = compare(problem, group, truth, out, error);
  }
  pf_memory_free(truth);
  return status;
}
