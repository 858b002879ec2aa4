/*
 * What the steps of inference work with: one group, by one thread (or several, within a
 * simulation).
 */
#ifndef PLASTFIT_CORE_UNCERTAINTY_INFER_JOB_H
#define PLASTFIT_CORE_UNCERTAINTY_INFER_JOB_H

#include "core/base/ticker.h"
#include "core/uncertainty/evidence.h"
#include "core/uncertainty/inference.h"

typedef struct pf_infer_job {
  const pf_problem *problem;
  const pf_fit_group *group;
  pf_evidence evidence; /**< sigma as in the result */
  pf_workspace *const *workspaces;
  size_t n_workspaces;
  const pf_observer *observer; /**< MAY be NULL: nobody asks to stop */
  pf_ticker *ticker;           /**< MAY be NULL; every value profiled is reported to it */
  atomic_llong *n_ticked;      /**< with `ticker`: how many were */
  pf_inference_group *out;
} pf_infer_job;

/** Does whoever waits want to wait no longer? Then the objective's evaluations are PF_STOP. */
bool pf_infer_is_stopped(const pf_infer_job *job);
/** Minus the log likelihood of these batches as a function of the group's values, unpenalised. */
pf_status pf_infer_objective(const pf_infer_job *job, const pf_group_batches *batches,
                             pf_group_objective **out, pf_error *error);
/** Is every loss a log likelihood (choices, counts), so that a perfect prediction has L = 0? */
bool pf_infer_has_only_likelihoods(const pf_infer_job *job);
/** Half an interval at inference level in standard errors: normal, or Student's t where sigma comes
 * from the same few cells (squared errors alone). After the spectrum. */
double pf_infer_quantile(const pf_infer_job *job);
/** Is every value shared by all animals of the fit? */
bool pf_infer_all_shared(const pf_infer_job *job);
/** Room for intervals of n values, all NaN. */
pf_status pf_intervals_create(size_t n, pf_intervals *out, pf_error *error);
/** Estimates -+ quantile * standard errors, no further than bounds, of values that are identified
 * and not at a bound. */
void pf_intervals_set_symmetric(const pf_inference_group *out, const double *covariance,
                                double quantile, pf_intervals *to);
/** A sentence for people, kept with the group; printf-like. */
pf_status pf_infer_warn(pf_inference_group *group, pf_error *error, const char *format, ...)
    PF_PRINTF(3, 4);
/** What says why there are none takes the place of what is there; printf-like. */
pf_status pf_infer_why(char **why, pf_error *error, const char *format, ...) PF_PRINTF(3, 4);

#endif
