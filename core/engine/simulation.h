/*
 * Simulation of a network with plastic weights through an experiment, and the adjoint of the whole
 * trajectory.
 */
#ifndef PLASTFIT_CORE_ENGINE_SIMULATION_H
#define PLASTFIT_CORE_ENGINE_SIMULATION_H

#include "core/engine/draw.h"
#include "core/engine/losses.h"
#include "core/engine/workspace.h"
#include "core/model/model.h"

/**
 * Simulate. Trajectories stay in the workspace until its next use. `count_flag`: PF_STEP_FIT or
 * PF_STEP_SCORE, the steps that count. values: [n_losses], MAY be NULL (losses are then not
 * evaluated). PF_POINT_FAILED when something stopped being finite; the line names experiment, step
 * and what.
 */
pf_status pf_forward(const pf_model *model, const pf_draw *draw, const double *theta,
                     uint32_t run_flags, uint32_t count_flag, pf_workspace *workspace,
                     pf_loss_value *values, pf_error *error);
/**
 * Simulate, then the adjoint: gradient[n_parameters] += sum_k scale[k] d log_likelihood_k / d theta
 * (scale: [n_losses], signed as the caller wants). Counts PF_STEP_FIT steps. Blocks of rows are
 * shared among the n_workspaces threads (the trajectory is in workspaces[0]); bits do not depend on
 * how many there are.
 */
pf_status pf_gradient(const pf_model *model, const pf_draw *draw, const double *theta,
                      const double *scale, pf_workspace *const *workspaces, size_t n_workspaces,
                      pf_loss_value *values, double *gradient, pf_error *error);

/**
 * Weights of rows [row0, row0 + n_rows) after each change of the run, [n_changes + 1][n_rows][ld],
 * into `states`. Kept or not: what was forgotten is recomputed from the activities.
 */
pf_status pf_simulation_rows(const pf_standing_run *run, size_t plastic, int64_t row0,
                             int64_t n_rows, pf_real *states, pf_error *error);

#endif
