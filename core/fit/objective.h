/* The objective of one optimiser step: the engine's data term plus the penalties. */
#ifndef PLASTFIT_CORE_FIT_OBJECTIVE_H
#define PLASTFIT_CORE_FIT_OBJECTIVE_H

#include "core/fit/fit.h"
#include "core/engine/batch.h"

/**
 * Penalties over the values of a layout: l1 sum |theta| + l2 sum theta^2 over the rules' (parameter
 * index < n_rule); a parameter with penalties of its own (pf_model_parameter.own_penalty) has these
 * in their place, and others than the rules' have none unless they are given: there it is the
 * distance from the parameter's initial value that counts. slots: [n_instances] numbers; gradient:
 * [n_instances], added to (NULL: not wanted), the subgradient of |theta| at 0 being 0, as in the
 * reference.
 */
double pf_penalty(const pf_layout *layout, size_t n_rule, double l1, double l2,
                  const double *instances, double *gradient);

/**
 * Data term and penalised objective of a batch at values [layout->n], and the gradient [layout->n]
 * of the latter (overwritten; NULL: not wanted). The draws MUST be of recordings in the layout.
 * PF_POINT_FAILED, with a line, when any of them is not finite. Same bits for any number of
 * workspaces.
 */
pf_status pf_objective(const pf_problem *problem, const pf_layout *layout, const pf_batch *batch,
                       const double *values, pf_workspace *const *workspaces, size_t n_workspaces,
                       double *data_term, double *objective, double *gradient, pf_error *error);

#endif
