/*
 * The sweep: plastic populations taken through all of time a block of rows at a time.
 *
 * Rows of a feedforward plastic projection do not see one another, given their input. So a
 * population with plastic weights is evaluated for all steps, block by block, before the next
 * population is looked at; backward likewise, from the last population to the first. What a block
 * keeps in time fits in cache (core/engine/checkpoint_plan.h).
 */
#ifndef PLASTFIT_CORE_ENGINE_SWEEP_H
#define PLASTFIT_CORE_ENGINE_SWEEP_H

#include "core/model/model.h"
#include "core/state/losses.h"
#include "core/state/workspace.h"

/** Can this model be swept? If not, it goes step by step (core/engine/coupled.h). */
bool pf_sweep_can(const pf_model *model);

/** pf_gradient by sweeps; blocks are shared among the workspaces' threads. */
pf_status pf_sweep_gradient(const pf_simulation *simulation, const double *scale,
                            pf_loss_value *values, double *gradient, pf_error *error);

/** pf_forward by sweeps: activities stand, no state of the weights is kept beyond a block's. */
pf_status pf_sweep_forward(const pf_simulation *simulation, uint32_t flags, uint32_t count_flag,
                           pf_loss_value *values, pf_error *error);

#endif
