/*
 * Jobs: one fit each, and what it predicts. Jobs share nothing but what is const, so that they can
 * be done in any order, on any thread, or be read back from files that an interrupted comparison
 * left.
 */
#ifndef PLASTFIT_CORE_COMPARE_JOB_H
#define PLASTFIT_CORE_COMPARE_JOB_H

#include "core/compare/candidates.h"
#include "core/evaluate/refit.h"
#include "core/problem/validation.h"

#define PF_ALL_ANIMALS SIZE_MAX

typedef struct pf_job {
  size_t candidate;
  uint32_t validation; /**< enum pf_validation_kind; PF_IN_SAMPLE gives PF_IN_SAMPLE_FRESH too */
  bool refit;          /**< in sample, without penalties, for AIC and BIC: gives no rows */
  int64_t fold;
  size_t animal; /**< whose fit it is; PF_ALL_ANIMALS: one theta for all (of leave-one-animal-out:
                    for all but `fold`) */
  uint64_t key[2];
} pf_job;

/** One animal's score in a fold: one row. */
typedef struct pf_job_score {
  size_t animal;
  uint32_t validation, ablation;
  pf_status status;
  char *error; /**< owned; NULL where there is none */
  int64_t n, n_fit;
  double log_likelihood, no_plasticity, mean_rate, r2_weights, r2_activity;
} pf_job_score;

typedef struct pf_job_estimate {
  size_t animal;
  double *theta; /**< [n_theta] */
} pf_job_estimate;

typedef struct pf_job_prediction {
  size_t recording; /**< number in the data as read */
  uint32_t validation;
  int64_t n_steps;
  double *probability; /**< [n_steps] NaN where not scored */
} pf_job_prediction;

typedef struct pf_job_result {
  bool done;
  pf_status status; /**< of the fit */
  char *error;      /**< owned; why it failed */
  size_t n_free;    /**< values that the fit could choose */
  size_t n_theta;
  pf_job_score *scores;
  size_t n_scores;
  pf_job_estimate *estimates;
  size_t n_estimates;
  pf_job_prediction *predictions;
  size_t n_predictions;
} pf_job_result;

typedef struct pf_jobs {
  pf_job *items; /**< [n], by candidate, then validation, fold, animal */
  size_t n;
  pf_folds folds;
} pf_jobs;

/** All jobs of a comparison. A fold that leaves an animal nothing to fit, or to score, is no job.
 */
pf_status pf_jobs_create(const pf_candidates *candidates, const pf_compare_settings *settings,
                         pf_jobs *out, pf_error *error);
void pf_jobs_free(pf_jobs *jobs);

/**
 * Do one. n_threads: inside the fit. PF_OK: *result is done (a fit that failed is a result:
 * result->status); PF_POINT_FAILED: interrupted; PF_STOP: not to be gone on with (no memory).
 */
pf_status pf_job_run(const pf_candidates *candidates, const pf_compare_settings *settings,
                     const pf_jobs *jobs, const pf_job *job, int n_threads, pf_stop stop,
                     void *payload, pf_job_result *result, pf_error *error);
void pf_job_result_clear(pf_job_result *result);

/** A fold whose predictions are to be scored: in core/compare/score_folds.c. */
typedef struct pf_fold_scoring {
  const pf_problem *fitted; /**< the view that was fitted, its flags those of the fold */
  const pf_problem *scored; /**< the view that is scored, likewise */
  const pf_fit *fit;
  const pf_refit *null; /**< without plasticity; layout NULL where only rules have parameters */
  uint32_t validation;
  bool fresh, ablations, predictions;
} pf_fold_scoring;
/** Appends scores, estimates and predictions of every animal of `scored`. Figures that cannot be
 * had are NaN. */
pf_status pf_score_fold(const pf_fold_scoring *what, pf_job_result *result, pf_error *error);

/* ---- files (core/compare/job_file.c) ---- */

/** Write whole or not at all. `path`: without what is added while it is being written. */
pf_status pf_job_write(const pf_job *job, const pf_job_result *result, const char *path,
                       pf_error *error);
/** False where there is no such file, or it is not of this job (another key), or not whole: then
 * the job is to be done.
 */
bool pf_job_read(const pf_job *job, const char *path, pf_job_result *result);

#endif
