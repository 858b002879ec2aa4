/*
 * A start from a subsample of the draws. Where one objective averages many draws of the inputs, the
 * first ones alone have an optimum near that of all, and finding it costs a fraction: so a fit with
 * second derivatives goes there first, roughly, and then takes all draws from there on.
 */
#ifndef PLASTFIT_CORE_FIT_SUBSAMPLED_START_H
#define PLASTFIT_CORE_FIT_SUBSAMPLED_START_H

#include "core/fit/group_objective.h"

typedef struct pf_subsample_in {
  const pf_fit_group *group;
  const pf_group_objective_in *all; /**< the objective of all draws, */
  const pf_function *function;      /**< and its ops */
  const pf_optimiser *optimiser;
  const pf_optimiser_settings *settings; /**< secant: 0 before, the subsample's afterwards */
  const pf_watch *watch;
} pf_subsample_in;

typedef struct pf_subsampled_start {
  bool moved; /**< `values` are the subsample's optimum, and lower in the objective of all */
  pf_optimum optimum; /**< of the subsample */
  double start; /**< objective of all at the start; NaN where it has none, or was not evaluated */
  int64_t n_evaluations; /**< of one draw each */
} pf_subsampled_start;

/**
 * Move `values` [layout->n] to the optimum of the group's first draws, where that is lower in the
 * objective of all. Nothing is done where draws are few or settings limit the evaluations. What
 * fails here is no error: then the start stays as it is. PF_STOP: no memory.
 */
pf_status pf_subsampled_start_find(const pf_subsample_in *in, double *values,
                                   pf_subsampled_start *out, pf_error *error);

#endif
