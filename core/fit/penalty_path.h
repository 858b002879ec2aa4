/*
 * A penalty path: fits of one group under L1 penalties from the one at which all terms are 0
 * downwards, each from where the last ended, and after each the terms that are not 0 fitted again
 * without the penalty, from there.
 *
 * Where terms are many, a fit from near 0 ends anywhere: most of its directions lead to weights
 * that grow without end. Down a path only few terms are not 0 at a time, and each comes in near
 * the right place. From the config's own start the same few terms do not arrive either.
 *
 * At each penalty only terms that may be other than 0 are fitted (the sequential strong rule:
 * Tibshirani et al. 2012, JRSS B 74); the gradient of the others says afterwards whether they
 * should have been.
 */
#ifndef PLASTFIT_CORE_FIT_PENALTY_PATH_H
#define PLASTFIT_CORE_FIT_PENALTY_PATH_H

#include "core/fit/group_objective.h"

/** What is fitted along a path; all of it the caller's. */
typedef struct pf_path_data {
  const pf_problem *problem;
  const pf_fit_group *group; /**< its layout, and where it starts */
  const pf_group_batches *batches;
  pf_workspace *const *workspaces;
  size_t n_workspaces;
  const pf_watch *watch;
} pf_path_data;

typedef struct pf_path_point {
  double l1;
  size_t n_terms;         /**< that are not 0 */
  bool arrived, refitted; /**< the fit under the penalty, the fit without it converged */
  double objective;       /**< of the refit, without L1 */
  double *penalised;      /**< [layout->n] */
  double *refit;          /**< [layout->n] */
} pf_path_point;

typedef struct pf_penalty_path {
  pf_path_point *points; /**< [n] from the largest penalty down */
  size_t n;
  double *memory;
} pf_penalty_path;

/** Penalties from the one at which all terms of the group are 0 downwards: l1 [n], n > 1. All 0:
 * no term changes the objective. */
pf_status pf_penalty_grid(const pf_path_data *data, double *l1, size_t n, pf_error *error);
/**
 * Down the penalties l1 [n]. It ends early where a fit does not arrive: then out->n < n. `refits`:
 * with fits without the penalty.
 */
pf_status pf_penalty_path_create(const pf_path_data *data, const double *l1, size_t n, bool refits,
                                 pf_penalty_path *out, pf_error *error);
void pf_penalty_path_clear(pf_penalty_path *path);
/** The layout of a group in which the terms that are 0 in `values` stay so. */
pf_status pf_path_layout(const pf_problem *problem, const pf_layout *layout, const double *values,
                         pf_layout **out, pf_error *error);

#endif
