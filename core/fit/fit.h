/* Fitting: an optimiser, over units that each have a theta of their own (an animal, or all together). */
#ifndef PLASTFIT_CORE_FIT_FIT_H
#define PLASTFIT_CORE_FIT_FIT_H

#include "core/problem/problem.h"

/** One row of fit.csv. */
typedef struct pf_fit_row {
  int64_t epoch;    /**< passes done; 0: where the fit starts */
  double objective; /**< with penalties: mean over the steps of that pass, each before its step; at 0, over all draws */
  double data_term; /**< without penalties */
} pf_fit_row;

/** One fit. */
typedef struct pf_fit_unit {
  char *name;         /**< the animal's, or "all" */
  size_t *recordings; /**< [n_recordings] of problem->data */
  size_t n_recordings;
  pf_draw **draws; /**< [n_draws]: recordings x draws, draw by draw, in order */
  size_t n_draws;
  double *theta; /**< [model->n_parameters] start, then the estimate; of a failed fit the last that could be computed */
  double *theta_start;
  pf_fit_row *rows;
  size_t n_rows;
  double *row_theta; /**< [n_rows][n_parameters] */
  pf_status status;  /**< PF_OK, or why this fit failed; the others go on */
  pf_error error;
} pf_fit_unit;

typedef struct pf_fit {
  pf_fit_unit *units;
  size_t n_units, n_failed;
  double seconds;
  int64_t n_gradients; /**< of one draw each */
} pf_fit;

/** Called now and then from one thread at a time; done in [0, 1]. */
typedef void (*pf_progress)(void *payload, double done, const char *what);

/** Fit every unit. A unit that fails is marked; PF_STOP only when nothing could be run at all. */
pf_status pf_fit_run(const pf_problem *problem, pf_progress progress, void *payload, pf_fit **out, pf_error *error);
void pf_fit_free(const pf_problem *problem, pf_fit *fit);

#endif
