/* A fit of one group from one point, and the rows of fit.csv that it makes. */
#ifndef PLASTFIT_CORE_FIT_FIT_JOB_H
#define PLASTFIT_CORE_FIT_FIT_JOB_H

#include "core/base/array.h"
#include "core/base/ticker.h"
#include "core/fit/group_objective.h"

typedef struct pf_fit_job {
  const pf_optimiser *optimiser;
  const pf_fit_group *group;
  pf_group_objective_in in; /**< of the group's draws */
  pf_group_objective *function;
  pf_stop stop; /**< MAY be NULL; its payload is the ticker's */
  pf_ticker *ticker;
  bool subsamples; /**< look for a better start with a subsample of the draws:
                       core/fit/subsampled_start.h */
  /* out */
  pf_array rows;        /**< of pf_fit_row */
  pf_array row_values;  /**< of double, [n rows][layout->n] */
  int64_t n_steps;      /**< taken before the optimiser's own: 1 from a subsample's optimum */
  int64_t n_draws_seen; /**< evaluations of one draw each, of the subsample too */
  bool lost;            /**< no memory for a row */
} pf_fit_job;

/** Set up to `subsamples`; the function is made. */
pf_status pf_fit_job_begin(pf_fit_job *job, pf_error *error);
/** Minimise from `from` [layout->n]; `values` [layout->n]: where it ended. */
pf_status pf_fit_job_minimise(pf_fit_job *job, const double *from, double *values,
                              pf_optimum *optimum, pf_error *error);
void pf_fit_job_clear(pf_fit_job *job);

/** The last row; NULL: there is none. */
static inline const pf_fit_row *pf_fit_job_last(const pf_fit_job *job)
{
  const pf_fit_row *rows = job->rows.items;
  return job->rows.n == 0 ? NULL : &rows[job->rows.n - 1];
}

#endif
