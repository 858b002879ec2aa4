#include "core/sensitivity/tangent_simulation.h"

#include "core/engine/simulation.h"
#include "core/sensitivity/coupled_tangents.h"
#include "core/state/starting_state.h"

pf_status pf_tangents_simulate(pf_tangents *self, pf_tangent_losses *losses, pf_error *error)
{
  pf_workspace *workspace = self->workspaces[0];
  const bool sweeps = pf_tangents_can_sweep(self->model);
  const bool *wanted = pf_tangents_want(self, error);
  if (wanted == NULL) {
    return PF_STOP;
  }
  if (!sweeps) {
    pf_tangents_move_all(self);
    return pf_tangents_coupled(self, wanted, error);
  }
  pf_status status = pf_simulation_begin(workspace, self->draw, self->theta, 0, error);
  if (status != PF_OK) {
    return status;
  }
  workspace->keeps_states = false;
  workspace->n_changes = pf_segments_changes(workspace->segments, workspace->n_segments);
  status = pf_tangents_sweep(self, wanted, losses, error);
  if (status == PF_POINT_FAILED && error->text[0] == '\0') {
    /* weights overflowed: a plain run has the words */
    const pf_simulation plain = {self->model, self->draw, self->theta, {&workspace, 1}};
    (void)pf_forward(&plain, PF_SIMULATE_ACTIVITY_ONLY, PF_STEP_FIT, NULL, error);
    return pf_fail(error, PF_POINT_FAILED, "experiment %s: the weights overflowed",
                   self->draw->recording->name);
  }
  return status;
}
