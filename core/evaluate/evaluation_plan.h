/*
 * What an evaluation runs on. Asked by the evaluation itself and by the report, which writes the
 * trajectories of the first of these draws.
 */
#ifndef PLASTFIT_CORE_EVALUATE_EVALUATION_PLAN_H
#define PLASTFIT_CORE_EVALUATE_EVALUATION_PLAN_H

#include "core/fit/fit.h"

typedef struct pf_evaluation_plan {
  const pf_dataset *data; /**< problem->fresh or problem->data */
  int64_t n_draws;        /**< of each recording */
  bool fresh;             /**< draws that the fit has not seen */
  bool fresh_animals;     /**< animals that the fit has not seen */
  const char *on;         /**< "fresh animals", "fresh draws", "fitted draws" */
} pf_evaluation_plan;

/** Fresh animals where there are any, else fresh draws where evaluate.draws > 0, else the fitted
 * draws. */
pf_evaluation_plan pf_evaluation_plan_of(const pf_problem *problem);
/** The unit whose theta animal `animal` of plan->data is scored with (an index), or -1 if no unit
 * has that index. */
int64_t pf_evaluation_group(const pf_problem *problem, const pf_fit *fit, size_t animal);
/** Draw `draw` of recording i of plan->data. */
pf_status pf_evaluation_draw(const pf_problem *problem, const pf_evaluation_plan *plan, size_t i,
                             int64_t draw, pf_draw **out, pf_error *error);
/** Steps of the longest recording of plan->data: what a workspace must hold. */
int64_t pf_evaluation_longest(const pf_evaluation_plan *plan);

#endif
