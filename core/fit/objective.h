/* The objective of one optimiser step: the engine's data term plus the penalties. */
#ifndef PLASTFIT_CORE_FIT_OBJECTIVE_H
#define PLASTFIT_CORE_FIT_OBJECTIVE_H

#include "core/engine/batch.h"
#include "core/layout/layout.h"
#include "core/problem/problem.h"

/**
 * Penalties over the values of a layout: l1 sum |theta| + l2 sum theta^2 over the rules' (parameter
 * index < n_rule); a parameter with penalties of its own (pf_model_parameter.own_penalty) has these
 * in their place, and others than the rules' have none unless they are given: there it is the
 * distance from the parameter's initial value that counts. instances: [n_instances] numbers;
 * gradient: [n_instances], added to (NULL: not wanted), the subgradient of |theta| at 0 being 0, as
 * in the reference.
 */
double pf_penalty(const pf_layout *layout, size_t n_rule, double l1, double l2,
                  const double *instances, double *gradient);

/** A batch, and where in the space of values it is evaluated. */
typedef struct pf_objective_in {
  const pf_problem *problem;
  const pf_layout *layout;
  const pf_batch *batch; /**< its draws MUST be of recordings in the layout */
  const double *values;  /**< [layout->n] */
  pf_workspace *const *workspaces;
  size_t n_workspaces; /**< the same bits for any number */
} pf_objective_in;

/** The data term, and what it adds to d / d instances [n_instances] (NULL: not wanted). */
pf_status pf_data_term(const pf_objective_in *in, double *data_term, double *instances,
                       pf_error *error);

/** The objective: the data term and the penalties. */
typedef struct pf_objective_out {
  double data_term, objective;
  double *gradient; /**< [layout->n] of the objective, overwritten; NULL: not wanted */
} pf_objective_out;

/** PF_POINT_FAILED, with a line, when any of them is not finite. */
pf_status pf_objective(const pf_objective_in *in, pf_objective_out *out, pf_error *error);

#endif
