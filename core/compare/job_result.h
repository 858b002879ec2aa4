/* What a job gives: an animal's scores, estimates and predictions in one fold. */
#ifndef PLASTFIT_CORE_COMPARE_JOB_RESULT_H
#define PLASTFIT_CORE_COMPARE_JOB_RESULT_H

#include <plastfit/abi/base.h>
#include <stdbool.h>

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

void pf_job_result_clear(pf_job_result *result);

#endif
