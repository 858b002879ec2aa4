/*
 * Simulation of a network with plastic weights through an experiment, and the adjoint of the whole
 * trajectory.
 */
#ifndef PLASTFIT_CORE_ENGINE_SIMULATION_H
#define PLASTFIT_CORE_ENGINE_SIMULATION_H

#include "core/state/losses.h"
#include "core/state/workspace.h"

/**
 * Simulate. Trajectories stand in the first workspace until its next use. `flags`: PF_SIMULATE_*.
 * `count_flag`: PF_STEP_FIT or PF_STEP_SCORE, the steps that count. values: [n_losses], MAY be NULL
 * (losses are then not evaluated). PF_POINT_FAILED when something stopped being finite; the line
 * names experiment, step and what.
 */
pf_status pf_forward(const pf_simulation *simulation, uint32_t flags, uint32_t count_flag,
                     pf_loss_value *values, pf_error *error);
/**
 * Simulate, then the adjoint: gradient[n_parameters] += sum_k scale[k] d log_likelihood_k / d theta
 * (scale: [n_losses], signed as the caller wants). Counts PF_STEP_FIT steps. Blocks of rows are
 * shared among the workspaces' threads; bits do not depend on how many there are.
 */
pf_status pf_gradient(const pf_simulation *simulation, const double *scale, pf_loss_value *values,
                      double *gradient, pf_error *error);
/**
 * Weights of rows [row0, row0 + n_rows) after each change of the simulation that stands in the
 * first workspace, [n_changes + 1][n_rows][ld], into `states`. What was not kept is recomputed from
 * the activities.
 */
pf_status pf_simulation_rows(const pf_simulation *simulation, size_t plastic, int64_t row0,
                             int64_t n_rows, pf_real *states, pf_error *error);

#endif
