/* Evaluation of a fit: core/evaluate/evaluation.h says what each figure means. */
#ifndef PLASTFIT_CORE_EVALUATE_EVALUATE_H
#define PLASTFIT_CORE_EVALUATE_EVALUATE_H

#include "core/evaluate/evaluation.h"

/**
 * Score every animal. Once the observer asks to stop, the others are marked as not scored.
 */
pf_status pf_evaluate(const pf_problem *problem, const pf_fit *fit, const pf_observer *observer,
                      pf_evaluation **out, pf_error *error);
void pf_evaluation_free(pf_evaluation *evaluation);

#endif
