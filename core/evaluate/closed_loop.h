/* A fitted rule put back into a task: the host runs network and rule in closed loop, as it ran the
 * teacher's. */
#ifndef PLASTFIT_CORE_EVALUATE_CLOSED_LOOP_H
#define PLASTFIT_CORE_EVALUATE_CLOSED_LOOP_H

#include "core/fit/fit.h"

/**
 * Can the model of `run` act in the task of `task` (the same problem, or one of
 * pf_problem_create_task)? PF_STOP with the reason: its source is no task; a modulator reads a
 * channel that the task does not give.
 */
pf_status pf_closed_loop_check(const pf_problem *run, const pf_problem *task, pf_error *error);
/**
 * Every animal of `run` goes through the task `repeats` times, with the theta that `fit` gives it,
 * and is appended to `out`: "Fly1", then "Fly1-2", ... Inputs, expected reward, sessions and seed
 * are the task's; starting weights are those of network.initial_weights.file where the run names
 * one, else drawn. Animals whose fit failed are left out; one whose weights overflow in the task
 * too, with a warning.
 */
pf_status pf_closed_loop(const pf_problem *run, const pf_fit *fit, const pf_problem *task,
                         int64_t repeats, pf_dataset *out, pf_error *error);
/**
 * What the fitted rule does by itself, where the data were a task's choices: for the report to lay
 * beside the animals. Nothing is added to `out` where there is no such task.
 */
pf_status pf_closed_loop_of_fit(const pf_problem *run, const pf_fit *fit, pf_dataset *out,
                                pf_error *error);

#endif
