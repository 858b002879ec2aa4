/*
 * The coupled path: step by step through time, for networks whose rows see one another (recurrence,
 * state that is shared, parameters of the network).
 *
 * Activities and states of units are kept for all steps; synaptic states
 * (core/state/synaptic_state.h) at every segment while that is little, else at checkpoints,
 * between which they are recomputed from the activities that stand.
 */
#ifndef PLASTFIT_CORE_ENGINE_COUPLED_H
#define PLASTFIT_CORE_ENGINE_COUPLED_H

#include "core/state/losses.h"
#include "core/state/workspace.h"

/** pf_forward by this path, on one thread. With PF_SIMULATE_ACTIVITY_ONLY no state of the weights
 * stands afterwards. */
pf_status pf_coupled_forward(const pf_simulation *simulation, uint32_t flags, uint32_t count_flag,
                             pf_loss_value *values, pf_error *error);
/** pf_gradient by this path, on one thread. */
pf_status pf_coupled_gradient(const pf_simulation *simulation, const double *scale,
                              pf_loss_value *values, double *gradient, pf_error *error);
/** States of some rows' weights after a simulation by either path, recomputed from the activities:
 * see pf_simulation_rows. */
pf_status pf_coupled_rows(const pf_simulation *simulation, size_t plastic, int64_t row0,
                          int64_t n_rows, pf_real *states, pf_error *error);
/** Cells of the synaptic states of all plastic projections, as they lie in memory, and of scratch.
 */
void pf_coupled_cells(const pf_workspace *workspace, size_t *buffer, size_t *scratch);

#endif
