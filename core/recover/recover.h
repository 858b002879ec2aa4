/*
 * Is what was put in found again? The teacher of a config makes one set of data after the other,
 * each is fitted as the config says, and estimates and intervals are compared with the truth: bias,
 * and the coverage of the intervals, which is what their level promises (how often they hold the
 * true value).
 */
#ifndef PLASTFIT_CORE_RECOVER_RECOVER_H
#define PLASTFIT_CORE_RECOVER_RECOVER_H

#include "core/infer/infer.h"

/** A value of a unit: one coefficient, or one copy of it. The same in every data set. */
typedef struct pf_recover_cell {
  size_t group, value; /**< which value of which unit's layout */
  size_t parameter;    /**< of the model */
  const char *animal;  /**< whose copy; "" where it is shared */
  int64_t experiment;  /**< likewise, or -1 */
} pf_recover_cell;

/** What one data set gave. */
typedef struct pf_recover_set {
  uint64_t seed;
  pf_status status; /**< not PF_OK: it could not be simulated, or no unit be fitted; `why` */
  char *why;    /**< of the set or its first unit that has none, why something is missing; NULL */
  bool *fitted; /**< [n_units] */
  bool *converged;    /**< [n_units] */
  bool *missed;       /**< [n_units] the truth fits these data better than the estimate does */
  double *estimates;  /**< [n_cells] NaN where not fitted */
  double *intervals;  /**< [PF_N_INTERVAL_METHODS][n_cells][3] standard error, lower, upper; NaN
                         where there is none */
  uint32_t *verdicts; /**< [n_cells] enum pf_verdict */
} pf_recover_set;

/** A line of the table: a parameter, over data sets, units and copies whose fit converged. */
typedef struct pf_recover_line {
  size_t parameter;
  double truth; /**< NaN: not known */
  size_t n;     /**< estimates */
  double mean, bias, bias_se, sd;
  struct {
    size_t n, n_covering;         /**< intervals there are, and those that hold the truth */
    double mean_se;               /**< over those that have one */
    double coverage, coverage_se; /**< share, and its binomial standard error at the level */
  } methods[PF_N_INTERVAL_METHODS];
} pf_recover_line;

typedef struct pf_recovery {
  const pf_problem *problem;
  size_t n_groups, n_cells;
  char **unit_names; /**< [n_units] */
  pf_recover_cell *cells;
  pf_layout **layouts; /**< [n_units] of the config's own data */
  pf_recover_set *sets;
  size_t n_sets;
  char **keys;   /**< [n_parameters] pf_keys_create */
  double *truth; /**< [n_parameters] */
  bool asked[PF_N_INTERVAL_METHODS];
  pf_recover_line *lines;
  size_t n_lines;
  size_t n_fits, n_failed, n_unconverged, n_missed; /**< fits of all units of all data sets */
  double seconds;
} pf_recovery;

/**
 * Simulate, fit, infer: problem->settings->recover.data_sets times, with the seeds seed, seed + 1,
 * ... (so the first is the config's own data). Threads take data sets; same bits for any number of
 * them. PF_POINT_FAILED: interrupted. PF_STOP: no task to simulate, no memory, or every data set
 * failed.
 */
pf_status pf_recover_run(const pf_problem *problem, pf_progress progress, pf_stop stop,
                         void *payload, pf_recovery **out, pf_error *error);
void pf_recovery_free(pf_recovery *recovery);

/** The folder `out`: recover.csv, summary.json, config.cfg. Whole or not at all. */
pf_status pf_recover_write(const pf_recovery *recovery, const char *out, bool force,
                           pf_error *error);
/** The table, to a person. */
void pf_recover_print(const pf_recovery *recovery, FILE *stream);

/* ---- private to core/recover ---- */

/**
 * Does the truth fit a data set better than the estimate of `unit`, whose values are
 * r->cells[first] and on? false where the truth is not known.
 */
pf_status pf_recover_missed(const pf_recovery *recovery, const pf_problem *problem,
                            const pf_fit_group *group, size_t first, bool *out, pf_error *error);
/** Fills lines and counts from the sets. */
pf_status pf_recover_tabulate(pf_recovery *recovery, pf_error *error);

#endif
