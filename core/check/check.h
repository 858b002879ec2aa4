/* What `plastfit check` shows: everything that a config says, without a fit. */
#ifndef PLASTFIT_CORE_CHECK_CHECK_H
#define PLASTFIT_CORE_CHECK_CHECK_H

#include "core/model/model.h"
#include "core/problem/problem.h"

/** Data, plugins, network, parameters, plan. Times one gradient of the first draw, as far as that
 * can be computed. */
pf_status pf_check_print(const pf_problem *problem, FILE *stream, pf_error *error);

/**
 * What a fit of these data will not find out, one line each after `prefix`: animals that always
 * choose the same, a reward that never varies, fewer observations than parameters, parameters that
 * start on a bound, ... Returns how many.
 */
size_t pf_check_warn(const pf_problem *problem, const char *prefix, FILE *stream);
/** Of these, the one that a fit tells too: some of its figures will be null. */
size_t pf_check_warn_choices(const pf_problem *problem, const char *prefix, FILE *stream);

/* ---- shared by the files that print it ---- */

/** A count of what is in the data, or in one animal's part of them. */
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
/**
 * Coefficients that do the same at every synapse of these data but for the input noise that
 * plastfit draws itself: one line. Two of the first experiments are looked at, at the start of the
 * fit. Returns 1, or 0: none.
 */
size_t pf_check_warn_noise(const pf_problem *problem, const char *prefix, FILE *stream);
/** What a row of the data is taken for, and why: one line. */
void pf_check_print_task(const pf_problem *problem, FILE *stream);
/** It looks like something else: one line. Returns 1, or 0: it does not. */
size_t pf_check_warn_task(const pf_problem *problem, const char *prefix, FILE *stream);
/** Units never recorded, constant ones, values that cannot come out of the network. */
size_t pf_check_warn_units(const pf_problem *problem, const char *prefix, FILE *stream);
/** Starting weights of a file that have no synapse. */
size_t pf_check_warn_synapses(const pf_problem *problem, const char *prefix, FILE *stream);
/** The section "Data". */
void pf_check_print_data(const pf_problem *problem, FILE *stream);

#endif
