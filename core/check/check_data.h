/* Counts of what is in the data, and the section "Data". */
#ifndef PLASTFIT_CORE_CHECK_CHECK_DATA_H
#define PLASTFIT_CORE_CHECK_CHECK_DATA_H

#include "core/problem/problem.h"

#include <stdio.h>

/** Of all data, or of one animal's part of them. */
typedef struct pf_data_counts {
  int64_t n_experiments, n_trials, n_steps, n_plastic, n_fit, n_score;
  int64_t n_choices, n_accepted;  /**< of the target "choice", where it was recorded */
  int64_t n_rewards;              /**< steps at which a reward could come */
  double reward, lowest, highest; /**< its sum and range there */
  int64_t n_observed;             /**< cells of the targets that losses look at, at fitted steps */
  int64_t shortest, longest;      /**< steps of an experiment */
} pf_data_counts;
/** Of animal `animal`, or of all (SIZE_MAX). */
pf_data_counts pf_data_count(const pf_problem *problem, size_t animal);
/** Does a loss of the model look at this target? */
bool pf_data_is_looked_at(const pf_model *model, const char *target);
/** `verbose`: every animal. */
void pf_check_print_data(const pf_problem *problem, bool verbose, FILE *stream);

#endif
