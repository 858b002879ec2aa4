#include "core/engine/simulation.h"

#include "core/engine/coupled.h"
#include "core/engine/sweep.h"
#include "core/state/trajectory.h"

#include <string.h>

/* Which way through time: the network says, never the rule. */

pf_status pf_forward(const pf_simulation *simulation, uint32_t flags, uint32_t count_flag,
                     pf_loss_value *values, pf_error *error)
{
  if ((flags & PF_SIMULATE_ACTIVITY_ONLY) != 0 && pf_sweep_can(simulation->model)) {
    return pf_sweep_forward(simulation, flags, count_flag, values, error);
  }
  return pf_coupled_forward(simulation, flags, count_flag, values, error);
}

pf_status pf_gradient(const pf_simulation *simulation, const double *scale, pf_loss_value *values,
                      double *gradient, pf_error *error)
{
  if (pf_sweep_can(simulation->model)) {
    return pf_sweep_gradient(simulation, scale, values, gradient, error);
  }
  return pf_coupled_gradient(simulation, scale, values, gradient, error);
}

pf_status pf_simulation_rows(const pf_simulation *simulation, size_t plastic, int64_t row0,
                             int64_t n_rows, pf_real *states, pf_error *error)
{
  const pf_workspace *workspace = simulation->workspaces.items[0];
  if (!workspace->keeps_states) {
    return pf_coupled_rows(simulation, plastic, row0, n_rows, states, error);
  }
  const pf_weights *weights = &workspace->weights[workspace->model->plastic[plastic].projection];
  const size_t cells = (size_t)(n_rows * weights->ldw);
  for (int64_t k = 0; k <= workspace->n_changes; k++) {
    memcpy(states + (size_t)k * cells, pf_weights_state(weights, k) + row0 * weights->ldw,
           cells * sizeof *states);
  }
  return PF_OK;
}
