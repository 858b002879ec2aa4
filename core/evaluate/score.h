/*
 * Scoring one animal: what a fit's evaluation and every fold of a comparison have in common. See
 * core/evaluate/evaluation.h for what each figure means.
 */
#ifndef PLASTFIT_CORE_EVALUATE_SCORE_H
#define PLASTFIT_CORE_EVALUATE_SCORE_H

#include "core/evaluate/ablation.h"
#include "core/evaluate/averages.h"
#include "core/evaluate/evaluation_plan.h"
#include "core/state/workspace.h"

/** Memory of one thread. */
typedef struct pf_scorer {
  pf_workspace *model, *teacher; /**< teacher NULL: the truth is unknown */
  pf_loss_value *values;         /**< [n_losses] */
  uint32_t *flags;               /**< [longest] */
  pf_filter *filter; /**< NULL: scores are means over draws; else core/evaluate/predictive.h */
} pf_scorer;

/** For recordings of at most `longest` steps. On failure too, pf_scorer_clear frees it. */
pf_status pf_scorer_create(const pf_problem *problem, int64_t longest, pf_scorer *out,
                           pf_error *error);
void pf_scorer_clear(pf_scorer *scorer);

/** What is scored, with which theta, and what is wanted of it. */
typedef struct pf_scoring {
  const pf_problem *problem;
  const pf_evaluation_plan *plan;
  const double *thetas;      /**< [plan->data->n][n_parameters] one for every recording */
  const double *null_thetas; /**< likewise, for the null without plasticity */
  const pf_problem *fitted;  /**< NULL, or whose data were fitted: then the null `mean rate` is of
                                the animal's recordings there too; of all, where it has none */
  bool ablations;            /**< T, W and N too? */
  double **probability;      /**< NULL, or [plan->data->n][n_steps], zeroed: gets the predicted
                                probability, mean over draws, NaN where not scored */
} pf_scoring;

/** What one animal got. */
typedef struct pf_animal_score {
  pf_scores scores;
  double deviance[PF_N_ABLATIONS];  /**< mean over draws; NaN: not asked for, or failed */
  pf_error errors[PF_N_ABLATIONS];  /**< why one of T, W and N failed; "" where it did not */
  double no_plasticity, mean_rate;  /**< deviances of the nulls, mean over draws */
  double baselines[PF_N_BASELINES]; /**< deviances; NaN where there are none */
  double saturated;    /**< deviance of the saturated model, from which percentages count */
  int64_t n_fit;       /**< cells that were fitted, of what gives `mean_rate` */
  pf_status r2_status; /**< PF_OK, or why there is no R2: `r2_error` */
  pf_error r2_error;
} pf_animal_score;

/**
 * Score animal `animal` of plan->data: thetas of its recordings alone are looked at. On failure
 * out->scores is pf_scores_none().
 */
pf_status pf_score_animal(const pf_scoring *scoring, size_t animal, pf_scorer *scorer,
                          pf_animal_score *out, pf_error *error);
#endif
