/*
 * Jobs: one fit each, and what it predicts. A job may start from the optima of others, of
 * candidates that contain its own or that it contains (core/candidates/nesting.h), which are done
 * before it; jobs share nothing else, so that those of a level can be done in any order, on any
 * thread, or be read back from files that an interrupted comparison left.
 */
#ifndef PLASTFIT_CORE_CANDIDATES_JOB_H
#define PLASTFIT_CORE_CANDIDATES_JOB_H

#include "core/base/ticker.h"
#include "core/candidates/candidates.h"
#include "core/candidates/job_result.h"

#define PF_ALL_ANIMALS SIZE_MAX

typedef struct pf_job {
  size_t candidate;
  uint32_t validation; /**< one that has fits of its own */
  bool refit;          /**< in sample, without penalties, for AIC and BIC: gives no rows */
  int64_t fold;
  size_t animal; /**< whose fit it is; PF_ALL_ANIMALS: one theta for all (of a validation that
                    leaves an animal out: for all but `fold`) */
  uint64_t key[2];
  size_t level; /**< above those of all jobs whose candidates its own contains */
} pf_job;

/** All jobs of a comparison, and what they are of. */
typedef struct pf_jobs {
  const pf_candidates *candidates;
  const pf_compare_settings *settings;
  pf_folds folds[PF_MAX_VALIDATIONS];
  pf_job *items; /**< [n], by candidate, then validation, fold, animal */
  size_t n;
} pf_jobs;

/** A fold that leaves an animal nothing to fit, or to score, is no job. Candidates and settings
 * MUST outlive the jobs. */
pf_status pf_jobs_create(const pf_candidates *candidates, const pf_compare_settings *settings,
                         pf_jobs *out, pf_error *error);
void pf_jobs_free(pf_jobs *jobs);

/** Is `smaller` the job of the same fold, and animal, of a candidate that the other's contains? */
bool pf_job_contains(const pf_jobs *jobs, const pf_job *bigger, const pf_job *smaller);

/** How a job is done. */
typedef struct pf_job_run_options {
  int n_threads; /**< inside the fit */
  pf_stop stop;
  void *payload;
  const pf_job_result *results; /**< [jobs->n] where it starts, too. MAY be NULL */
  bool again;                   /**< starts from the optima of lower levels, else of higher ones */
} pf_job_run_options;

/**
 * Do one. PF_OK: *result is done (a fit that failed is a result: result->status); PF_POINT_FAILED:
 * interrupted; PF_STOP: the whole comparison must end (no memory).
 */
pf_status pf_job_run(const pf_jobs *jobs, const pf_job *job, const pf_job_run_options *options,
                     pf_job_result *result, pf_error *error);

#endif
