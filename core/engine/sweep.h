/*
 * The sweep: plastic populations taken through all of time a block of rows at a time. Private to
 * core/engine.
 *
 * Rows of a feedforward plastic projection do not see one another, given their input. So a
 * population with plastic weights is evaluated for all steps, block by block, before the next
 * population is looked at; backward likewise, from the last population to the first. What a block
 * keeps in time fits in cache (core/engine/checkpoint_plan.h).
 */
#ifndef PLASTFIT_CORE_ENGINE_SWEEP_H
#define PLASTFIT_CORE_ENGINE_SWEEP_H

#include "core/engine/draw.h"
#include "core/engine/losses.h"
#include "core/engine/workspace.h"
#include "core/model/model.h"

/** Can this model be swept? If not, the engine goes step by step over a tape. */
bool pf_sweep_can(const pf_model *model);

/** pf_gradient by sweeps; blocks are shared among the workspaces' threads, the trajectory is in
 * workspaces[0]. */
pf_status pf_sweep_gradient(const pf_model *model, const pf_draw *draw, const double *theta,
                            const double *scale, pf_workspace *const *workspaces,
                            size_t n_workspaces, pf_loss_value *values, double *gradient,
                            pf_error *error);

/**
 * Forward alone, by sweeps: activities stand in workspaces[0], no state of the weights is kept
 * beyond a block's. Then the losses on the steps with count_flag; values MAY be NULL.
 */
pf_status pf_sweep_forward(const pf_model *model, const pf_draw *draw, const double *theta,
                           uint32_t run_flags, uint32_t count_flag, pf_workspace *const *workspaces,
                           size_t n_workspaces, pf_loss_value *values, pf_error *error);

#endif
