/*
 * Parameter recovery: bias and interval coverage. The teacher of a config makes one set of data
 * after the other, each is fitted as the config says, and estimates and intervals are compared with
 * the truth.
 */
#ifndef PLASTFIT_CORE_RECOVER_RECOVERY_H
#define PLASTFIT_CORE_RECOVER_RECOVERY_H

#include "core/infer/infer.h"

/** A value of a fit group: one coefficient, or one copy of it. The same in every data set. */
typedef struct pf_recover_cell {
  size_t group, value; /**< which value of which group's layout */
  size_t parameter;    /**< of the model */
  const char *animal;  /**< whose copy; "" where it is shared */
  int64_t experiment;  /**< likewise, or -1 */
} pf_recover_cell;

/** How the fit of one group ended. */
typedef struct pf_recover_fit {
  bool fitted, converged;
  bool passes_done; /**< the passes that it was told to make: its optimiser claims no more */
  bool missed;      /**< the truth fits these data better than the estimate does */
  double
      short_by; /**< 2dL by which the best of recover.arriving starts is better; NaN: not looked */
} pf_recover_fit;

/** NaN where there is none. */
typedef struct pf_recover_interval {
  double se, lower, upper;
} pf_recover_interval;

/** What one data set gave. */
typedef struct pf_recover_set {
  uint64_t seed;
  pf_status status;     /**< not PF_OK: it could not be simulated, or no group be fitted; `why` */
  char *why;            /**< the first reason why something is missing; NULL: nothing is */
  pf_recover_fit *fits; /**< [n_groups] */
  double *estimates;    /**< [n_cells] NaN where not fitted */
  double *truths;       /**< [n_cells] NaN where not known */
  uint32_t *verdicts;   /**< [n_cells] enum pf_verdict */
  pf_recover_interval *intervals; /**< [PF_N_INTERVAL_METHODS][n_cells] */
} pf_recover_set;

/** A line of the table: a parameter, over data sets, groups and copies whose fit converged. */
typedef struct pf_recover_line {
  size_t parameter;
  double truth;  /**< NaN: not known, or not the same in all data sets */
  bool is_known; /**< there is a truth in every data set */
  size_t n;      /**< estimates */
  double mean, bias, bias_se, sd;
  struct {
    size_t n, n_covering;         /**< intervals there are, and those that hold the truth */
    double mean_se;               /**< over those that have one */
    double coverage, coverage_se; /**< share, and its binomial standard error at the level */
  } methods[PF_N_INTERVAL_METHODS];
} pf_recover_line;

/** What one cohort gave of one value. NaN where there is none. */
typedef struct pf_recover_common {
  double mean, lower, upper;                 /**< of the animals, and its interval */
  double sd, sd_lower, sd_upper;             /**< between animals */
  double p;                                  /**< of "animals do not differ in it" */
  double change, change_lower, change_upper; /**< by the first covariate, and its interval */
  double permutation_p, effect_p;            /**< of it, by permutation and likelihood ratio */
  double squares;               /**< sum over animals of the squared error of their own estimate */
  double n_animals, n_covering; /**< with a truth, and those whose own interval holds it */
} pf_recover_common;

/** A line of the table: a value, over the cohorts whose fit converged. */
typedef struct pf_recover_common_line {
  size_t parameter;
  double truth, truth_sd;                              /**< NaN: not known */
  size_t n;                                            /**< cohorts */
  double mean, bias_se, held;                          /**< mean of the means; shares are of n */
  double sd, sd_held;                                  /**< median of the sds */
  double rejected;                                     /**< share of cohorts with p < 5 % */
  double truth_change, change, change_se, change_held; /**< by the first covariate */
  double change_rejected[2]; /**< share with p < 5 % by permutation, by likelihood ratio */
  double error, own_held;    /**< root mean square error of the animals' own estimates */
} pf_recover_common_line;

/** What animals share, where fit.per = "population": core/recover/population_recovery.h. */
typedef struct pf_population_recovery {
  size_t n, n_sets;
  pf_recover_common *cells;      /**< [n_sets][n] */
  bool *converged;               /**< [n_sets] */
  pf_recover_common_line *lines; /**< [n] */
} pf_population_recovery;

typedef struct pf_recovery {
  const pf_problem *problem;
  size_t n_groups, n_cells;
  char **group_names;  /**< [n_groups] */
  pf_layout **layouts; /**< [n_groups] of the config's own data */
  pf_recover_cell *cells;
  pf_recover_set *sets;
  size_t n_sets;
  char **keys;   /**< [n_parameters] pf_keys_create */
  double *truth; /**< [n_parameters] */
  bool asked[PF_N_INTERVAL_METHODS];
  pf_recover_line *lines;
  size_t n_lines;
  /** Fits of all groups of all data sets. Unconverged: separation too, and worse than no
   * plasticity. */
  size_t n_fits, n_failed, n_unconverged, n_passes_done, n_missed;
  size_t n_short; /**< of them, those worse than the best of recover.arriving starts */
  pf_population_recovery *population; /**< NULL: animals are drawn from none */
  double seconds;
} pf_recovery;

/** A recovery of the problem, with cells, truth and empty sets. PF_STOP: nothing is fitted, or no
 * memory. */
pf_status pf_recovery_create(const pf_problem *problem, pf_recovery **out, pf_error *error);
void pf_recovery_free(pf_recovery *recovery);
/** The interval of a cell by a method. */
pf_recover_interval *pf_recovery_interval(const pf_recovery *recovery, const pf_recover_set *set,
                                          size_t method, size_t cell);
/** Why something is missing in the first data set that lacks it; NULL: nothing is missing. */
const char *pf_recovery_first_why(const pf_recovery *recovery);

#endif
