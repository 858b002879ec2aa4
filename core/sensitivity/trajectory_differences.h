/* Tangents of whole trajectories by differences: for models that the sweep does not cover. Two
 * simulations a direction. */
#ifndef PLASTFIT_CORE_SENSITIVITY_TRAJECTORY_DIFFERENCES_H
#define PLASTFIT_CORE_SENSITIVITY_TRAJECTORY_DIFFERENCES_H

#include "core/sensitivity/tangents.h"

/** Planes of the wanted signals; the trajectory at theta is in workspaces[0] afterwards. */
pf_status pf_tangents_by_differences(pf_tangents *self, const bool *wanted, pf_error *error);

#endif
