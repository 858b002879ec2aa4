/*
 * Scores of a model whose inputs or starting weights are integrated out: one step ahead. What was
 * observed at a step is scored by its predictive probability given all that was observed before it,
 * held-out steps too, as they are met; the particle filter gives it.
 */
#ifndef PLASTFIT_CORE_EVALUATE_PREDICTIVE_H
#define PLASTFIT_CORE_EVALUATE_PREDICTIVE_H

#include "core/problem/problem.h"

/** One recording, and what is wanted of it. */
typedef struct pf_predictive_in {
  const pf_problem *problem;
  const pf_dataset *data;
  size_t recording;    /**< of `data` */
  bool fresh;          /**< random numbers that no fit uses */
  const pf_draw *draw; /**< of the recording: its flags say what is scored */
  const double *theta;
  bool still; /**< weights stay as they start */
  pf_filter *filter;
  double *variance; /**< += Monte Carlo variance of half the deviance, from the spread between
                       filters; NULL: not wanted */
} pf_predictive_in;

/** Are recordings of this problem scored so? Squared errors are not. */
bool pf_predictive_is_wanted(const pf_problem *problem);
/**
 * *deviance += -2 log of the predictive probability of the scored steps, the mean likelihood of
 * marginal.replicates filters. probability [n_steps]: NULL, or the predicted probability of a
 * choice is added, the mean over filters, NaN where not scored.
 */
pf_status pf_predictive_score(const pf_predictive_in *in, double *deviance, double *probability,
                              pf_error *error);

#endif
