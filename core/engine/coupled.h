/*
 * The coupled path: step by step through time, for networks whose rows see one another (recurrence,
 * state that is shared, parameters of the network). Private to core/engine.
 *
 * Activities and states of units are kept for all steps; what projections carry (weights, traces:
 * core/engine/synaptic_state.h) at every run while that is little, else at checkpoints, between
 * which it is recomputed from the activities that stand.
 */
#ifndef PLASTFIT_CORE_ENGINE_COUPLED_H
#define PLASTFIT_CORE_ENGINE_COUPLED_H

#include "core/engine/draw.h"
#include "core/engine/losses.h"
#include "core/engine/workspace.h"
#include "core/model/model.h"

/** pf_forward by this path. With PF_SIMULATE_ACTIVITY_ONLY no state of the weights stands
 * afterwards.
 */
pf_status pf_coupled_forward(const pf_model *model, const pf_draw *draw, const double *theta,
                             uint32_t run_flags, uint32_t count_flag, pf_workspace *workspace,
                             pf_loss_value *values, pf_error *error);
/** pf_gradient by this path, on one thread. */
pf_status pf_coupled_gradient(const pf_model *model, const pf_draw *draw, const double *theta,
                              const double *scale, pf_workspace *workspace, pf_loss_value *values,
                              double *gradient, pf_error *error);
/** States of some rows' weights after a run of either path, recomputed from the activities: see
 * pf_simulation_rows. */
pf_status pf_coupled_rows(const pf_standing_run *run, size_t plastic, int64_t row0, int64_t n_rows,
                          pf_real *states, pf_error *error);
/** Cells of what all plastic projections carry at one time, as they lie in memory, and of scratch.
 */
void pf_coupled_cells(const pf_workspace *workspace, size_t *buffer, size_t *scratch);
/** Must a run be a step: does a rule keep traces? */
bool pf_model_has_traces(const pf_model *model);

#endif
