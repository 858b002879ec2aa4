#include "core/recover/missed.h"

#include "core/base/memory.h"
#include "core/fit/group_objective.h"

#include <math.h>

const double pf_recover_least_2dl = 0.01;

/** Is the truth of all values known, and within the bounds of the fit? */
static bool has_truth(const pf_layout *layout, const double *truths)
{
  for (size_t k = 0; k < layout->n; k++) {
    if (!(truths[k] >= layout->lower[k] && truths[k] <= layout->upper[k])) {
      return false;
    }
  }
  return true;
}

static pf_status penalised_value(const pf_function *f, const double *values, double *out,
                                 pf_error *error)
{
  pf_optimum count = {0};
  const pf_status status = pf_function_value(f, values, out, &count, error);
  *out += pf_l1_of(f, values);
  return status;
}

pf_status pf_recover_excess(const pf_problem *problem, const pf_fit_group *group,
                            const double *other, double *out, pf_error *error)
{
  const int64_t longest = pf_dataset_longest(&problem->data)->n_steps;
  pf_workspace *workspace = NULL;
  pf_group_batches batches = {0};
  pf_group_objective *objective = NULL;
  double at_other = 0.0, at_estimate = 0.0;
  *out = NAN;
  pf_status status = pf_workspace_create(problem->model, longest, &workspace, error);
  if (status != PF_OK) {
    goto done;
  }
  status = pf_group_batches_create(problem, group, true, &batches, error);
  if (status != PF_OK) {
    goto done;
  }
  const pf_group_objective_in in = {.problem = problem,
                                    .layout = group->layout,
                                    .batches = &batches,
                                    .penalised = true,
                                    .workspaces = &workspace,
                                    .n_workspaces = 1};
  status = pf_group_objective_create(&in, &objective, error);
  if (status != PF_OK) {
    goto done;
  }
  const pf_function *f = pf_group_objective_get(objective);
  status = penalised_value(f, other, &at_other, error);
  if (status != PF_OK) {
    goto done;
  }
  status = penalised_value(f, group->values, &at_estimate, error);
  if (status == PF_OK) {
    *out = 2.0 * (at_estimate - at_other) * pf_function_nats(f, at_estimate);
  }
done:
  pf_group_objective_free(objective);
  pf_group_batches_clear(&batches);
  pf_workspace_free(workspace);
  return status == PF_POINT_FAILED ? PF_OK : status; /* no value there: nothing is known */
}

pf_status pf_recover_missed(const pf_problem *problem, const pf_fit_group *group,
                            const double *truths, bool *out, pf_error *error)
{
  *out = false;
  if (group->layout->n == 0 || !has_truth(group->layout, truths)) {
    return PF_OK;
  }
  double excess = 0.0;
  const pf_status status = pf_recover_excess(problem, group, truths, &excess, error);
  *out = excess > pf_recover_least_2dl;
  return status;
}
