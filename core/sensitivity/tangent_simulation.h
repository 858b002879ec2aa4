/* A draw simulated with its tangents: by the sweep, or step by step. */
#ifndef PLASTFIT_CORE_SENSITIVITY_TANGENT_SIMULATION_H
#define PLASTFIT_CORE_SENSITIVITY_TANGENT_SIMULATION_H

#include "core/sensitivity/tangent_sweep.h"

/** Planes of all that losses see, and the trajectory in workspaces[0]. losses: see
 * pf_tangents_sweep; NULL: planes alone. */
pf_status pf_tangents_simulate(pf_tangents *self, pf_tangent_losses *losses, pf_error *error);

#endif
