/*
 * What an evaluation comes to: each metric defined once.
 *
 * - Deviance D = -2 sum of log likelihoods over scored steps, unpenalised. For a loss that is no
 *   likelihood (squared error), D is the sum of squared errors.
 * - Deviance explained, %: 100 (D_null - D_model) / D_null; nulls `no plasticity` (the plastic flag
 *   off at every step) and `mean rate` (constant choice probability of the fitted steps; for
 *   activities, each unit's mean). Of choices between options also against models without synapses,
 *   fitted to the same trials (core/baselines/baselines.h).
 * - R2 of weights (only where the truth is known): teacher and model start from the same weights
 *   and get the same inputs, choices and rewards; weights after every plastic step; per synapse 1 -
 *   SSE/SST, uniform mean; synapses that never vary are left out and counted.
 * - R2 of activity: the same of the plastic layer's activity, per unit over observed steps.
 *
 * Percentages are NaN where a likelihood is better than that of the saturated model: it is then a
 * density, of which no prediction is perfect.
 *
 * Over animals: the mean. Where an animal has fewer than 20 scored cells its own figure says next
 * to nothing and can be anything, so all animals are pooled: explained of the sums of their
 * deviances, R2 weighted by scored cells.
 *
 * On several draws: mean of the per-draw figures (fresh), or ratio of the mean deviances (fitted).
 */
#ifndef PLASTFIT_CORE_EVALUATE_EVALUATION_H
#define PLASTFIT_CORE_EVALUATE_EVALUATION_H

#include "core/baselines/baselines.h"
#include "core/fit/fit.h"

/** NaN where a figure means nothing (null in summary.json). */
typedef struct pf_scores {
  double no_plasticity, mean_rate;  /**< deviance explained, % */
  double baselines[PF_N_BASELINES]; /**< likewise; NaN where there are none */
  double r2_weights, r2_activity;
  double residual_correlation; /**< of recorded less expected activity, from step to step; NaN where
                                  nothing was recorded */
  double log_likelihood;       /**< mean over draws of the sum over scored steps */
  double monte_carlo_error;    /**< of that, where inputs are integrated out; else NaN */
  /** Deviance that there is to explain, mean over draws: of the null, from the saturated model's.
   */
  double at_stake_no_plasticity, at_stake_mean_rate, at_stake_baselines[PF_N_BASELINES];
  int64_t n_scored; /**< cells per draw */
  int64_t n_still;  /**< synapses that never vary, left out of R2 of weights */
} pf_scores;

/**
 * Is the correlation of residuals worth a warning: above 0.2, so that intervals which take noise as
 * independent are too short by a fifth or more (se times sqrt((1 + r) / (1 - r)) for noise of an
 * autoregression), and 5 standard errors above 0, so that chance does not warn?
 */
bool pf_residuals_are_correlated(double correlation, int64_t n_cells);

typedef struct pf_animal_result {
  const char *name;
  size_t unit;      /**< index of the fit whose theta it was scored with */
  pf_status status; /**< of fit and evaluation */
  pf_error error;
  bool interrupted; /**< not scored, because somebody stopped it */
  pf_scores scores;
} pf_animal_result;

/**
 * Standard error of the animals' mean deviance explained (null: no plasticity), in %, by Monte
 * Carlo alone; NaN where no inputs are integrated out.
 */
double pf_monte_carlo_percent(const pf_animal_result *animals, size_t n);

typedef struct pf_evaluation {
  const char *evaluated_on; /**< "fresh draws" | "fresh animals" | "fitted draws" */
  pf_animal_result *animals;
  size_t n_animals;
  double
      *thetas; /**< [recordings of what was evaluated][n_parameters] what each was simulated with */
  double
      *null_thetas; /**< likewise, for the null without plasticity: what is not a rule's refitted */
  bool refitted; /**< parameters of animals or experiments that the fit has not seen were fitted to
                    them */
  bool null_refitted;
  size_t n_interrupted;   /**< animals that were not scored because somebody stopped it */
  pf_scores mean, median; /**< over animals, NaN left out; NaN where none has it */
  bool pooled;            /**< `mean` is of all animals together: some have few cells */
} pf_evaluation;

#endif
