/* What a fitted rule, its ablations and the null models predict of the scored steps of one fold. */
#ifndef PLASTFIT_CORE_CANDIDATES_SCORE_FOLDS_H
#define PLASTFIT_CORE_CANDIDATES_SCORE_FOLDS_H

#include "core/candidates/job_result.h"
#include "core/evaluate/refit.h"
#include "core/population/fit_population.h"

/** A fold whose predictions are to be scored. */
typedef struct pf_fold_scoring {
  const pf_problem *fitted; /**< the view that was fitted, its flags those of the fold */
  const pf_problem *scored; /**< the view that is scored, likewise */
  const pf_fit *fit;
  const pf_animal_population *population; /**< from which the fit's animals are drawn, or NULL */
  const pf_refit *nulls; /**< [fit->n_groups] without plasticity; layout NULL where only rules have
                            parameters */
  uint32_t validation;
  bool fresh, ablations, predictions;
} pf_fold_scoring;
/** Appends scores, estimates and predictions of every animal of `scored`. Figures that cannot be
 * had are NaN. */
pf_status pf_score_fold(const pf_fold_scoring *what, pf_job_result *result, pf_error *error);

#endif
