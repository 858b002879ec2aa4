/* The objective of one optimiser step: the engine's data term plus the penalties. */
#ifndef PLASTFIT_CORE_FIT_OBJECTIVE_H
#define PLASTFIT_CORE_FIT_OBJECTIVE_H

#include "core/fit/fit.h"

/**
 * l1 sum |theta| + l2 sum theta^2 over the rules' free parameters (index < n_rule; neither fixed nor tied); its
 * gradient is added to `gradient` (NULL: not wanted), the subgradient of |theta| at 0 being 0, as in the reference.
 */
double pf_penalty(const pf_model_parameter *parameters, size_t n_rule, double l1, double l2, const double *theta,
                  double *gradient);

/**
 * Data term and penalised objective of a batch, and the gradient of the latter (overwritten; NULL: not wanted).
 * PF_POINT_FAILED, with a line, when any of them is not finite.
 */
pf_status pf_objective(const pf_problem *problem, const pf_batch *batch, const double *theta,
                       pf_workspace *const *workspaces, size_t n_workspaces, double *data_term, double *objective,
                       double *gradient, pf_error *error);

#endif
