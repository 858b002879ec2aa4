#include "core/engine/simulation.h"

#include "core/engine/coupled.h"
#include "core/engine/sweep.h"
#include "core/engine/trajectory.h"

#include <string.h>

pf_status pf_forward(const pf_model *model, const pf_draw *draw, const double *theta,
                     uint32_t run_flags, uint32_t count_flag, pf_workspace *workspace,
                     pf_loss_value *values, pf_error *error)
{
  if ((run_flags & PF_SIMULATE_ACTIVITY_ONLY) != 0 && pf_sweep_can(model)) {
    return pf_sweep_forward(model, draw, theta, run_flags, count_flag, &workspace, 1, values,
                            error);
  }
  return pf_coupled_forward(model, draw, theta, run_flags, count_flag, workspace, values, error);
}

pf_status pf_gradient(const pf_model *model, const pf_draw *draw, const double *theta,
                      const double *scale, pf_workspace *const *workspaces, size_t n_workspaces,
                      pf_loss_value *values, double *gradient, pf_error *error)
{
  return pf_sweep_can(model) ? pf_sweep_gradient(model, draw, theta, scale, workspaces,
                                                 n_workspaces, values, gradient, error)
                             : pf_coupled_gradient(model, draw, theta, scale, workspaces[0], values,
                                                   gradient, error);
}

pf_status pf_simulation_rows(const pf_standing_run *run, size_t plastic, int64_t row0,
                             int64_t n_rows, pf_real *states, pf_error *error)
{
  const pf_workspace *workspace = run->workspace;
  const pf_weights *weights = &workspace->weights[workspace->model->plastic[plastic].projection];
  const size_t cells = (size_t)(n_rows * weights->ldw);
  if (!workspace->keeps_states) {
    return pf_coupled_rows(run, plastic, row0, n_rows, states, error);
  }
  for (int64_t k = 0; k <= workspace->n_changes; k++) {
    memcpy(states + (size_t)k * cells, pf_weights_state(weights, k) + row0 * weights->ldw,
           cells * sizeof *states);
  }
  return PF_OK;
}
