/* Scoring one animal: see core/evaluate/evaluate.h for what each figure means. */
#ifndef PLASTFIT_CORE_EVALUATE_SCORE_H
#define PLASTFIT_CORE_EVALUATE_SCORE_H

#include "core/evaluate/evaluation_plan.h"
#include "core/engine/workspace.h"

/** Memory of one thread. `teacher` is NULL where the truth is unknown. */
typedef struct pf_scorer {
  pf_workspace *model, *teacher;
} pf_scorer;

/** All figures NaN, counts 0. */
pf_scores pf_scores_none(void);
/**
 * Score animal `animal` of plan->data with thetas [plan->data->n][n_parameters], one for every
 * recording (those of other animals are not looked at); null_thetas: the same for the null without
 * plasticity. On failure *scores is pf_scores_none().
 */
pf_status pf_score_animal(const pf_problem *problem, const pf_evaluation_plan *plan, size_t animal,
                          const double *thetas, const double *null_thetas, pf_scorer *scorer,
                          pf_scores *scores, pf_error *error);
/** Mean and median over animals of each figure, NaN left out (NaN where none is left); counts are
 * sums in both. */
pf_status pf_scores_summarise(const pf_animal_result *animals, size_t n, pf_scores *mean,
                              pf_scores *median, pf_error *error);

/** Mean and median of the values that are not NaN; NaN if there is none. The median sorts `values`.
 */
double pf_mean(const double *values, size_t n);
double pf_median(double *values, size_t n);

#endif
