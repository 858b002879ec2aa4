/* What a job gives: an animal's scores, estimates and predictions in one fold. */
#ifndef PLASTFIT_CORE_CANDIDATES_JOB_RESULT_H
#define PLASTFIT_CORE_CANDIDATES_JOB_RESULT_H

#include "core/ranking/ranking.h"

/** What a recording of the fit was simulated with at the optimum: where a bigger candidate starts
 * (core/candidates/nesting.h). */
typedef struct pf_job_theta {
  size_t recording; /**< number */
  double *theta;    /**< [n_theta] */
} pf_job_theta;

/** Of scores, estimates and predictions, `candidate` and `fold` are the job's: not set here. */
typedef struct pf_job_result {
  bool done;
  pf_status status; /**< of the fit */
  char *error;      /**< owned; why it failed */
  size_t n_free;    /**< values that the fit could choose */
  size_t n_theta;
  uint32_t verdict; /**< enum pf_fit_verdict: what the fit amounts to */
  double objective; /**< of the fit at its optimum; NaN: failed */
  double noise;     /**< nats: Monte Carlo error of the fit's marginal log likelihood; else 0 */
  pf_job_theta *thetas;
  size_t n_thetas; /**< recordings of the fit */
  pf_compare_row *scores;
  size_t n_scores;
  pf_compare_estimate *estimates;
  size_t n_estimates;
  pf_compare_prediction *predictions;
  size_t n_predictions;
} pf_job_result;

void pf_job_result_clear(pf_job_result *result);

#endif
