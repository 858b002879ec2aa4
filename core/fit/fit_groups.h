/* The groups of a fit: who has a theta of their own (an animal, or all together), what data it is
 * fitted to, where it starts and where it ended. */
#ifndef PLASTFIT_CORE_FIT_FIT_GROUPS_H
#define PLASTFIT_CORE_FIT_FIT_GROUPS_H

#include "core/layout/layout.h"
#include "core/optimise/optimiser.h"
#include "core/problem/problem.h"

/**
 * What a fit amounts to: pf_fit_verdict(). Intervals, tests and claims rest on PF_FIT_CONVERGED
 * alone; all but that and PF_FIT_PASSES_DONE end a command with exit code 1.
 */
enum pf_fit_verdict {
  PF_FIT_CONVERGED = 0,
  PF_FIT_PASSES_DONE,     /**< adam: all its passes were made; it claims nothing */
  PF_FIT_NOT_CONVERGED,   /**< it stopped before the optimum */
  PF_FIT_SEPARATION,      /**< the likelihood goes on rising while parameters grow without end */
  PF_FIT_WORSE_THAN_NULL, /**< without plasticity the same data have a better objective */
  PF_FIT_FAILED           /**< there is no fit: the error says why */
};
/** "converged", "passes done", "not converged", "separation", "worse than no plasticity", "failed":
 * for tables and people. */
const char *pf_fit_verdict_words(uint32_t verdict);

/** One row of fit.csv. */
typedef struct pf_fit_row {
  int64_t epoch;        /**< passes (adam) or iterations done; 0: where the fit starts */
  double objective;     /**< with penalties; adam: mean over the steps of that pass, each before its
                           step; at 0, as it is */
  double data_term;     /**< without penalties */
  double gradient_norm; /**< largest component of the projected gradient; NaN: not known (adam) */
} pf_fit_row;

/** One start of a group's fit, and where it ended. */
typedef struct pf_start_result {
  pf_status status; /**< PF_OK, or why it failed */
  pf_error error;
  pf_optimum optimum;
  double data_term; /**< at the end, as in its last row; NaN where it failed */
  double *from;     /**< [layout->n] */
  double *values;   /**< [layout->n] where it ended */
  bool given;       /**< `from` was given, not drawn */
  bool reached;     /**< ended at the best objective of all starts (core/fit/multistart.h) */
} pf_start_result;

/** Of a fit of the likelihood with unknown inputs and starting weights integrated out
 * (core/marginal). */
typedef struct pf_marginal_fit {
  double log_likelihood, error; /**< nats, and its Monte Carlo error */
  double *information; /**< [layout->n][layout->n] of it, observed, in nats (Louis' identity) */
  double *drawn_at;   /**< [layout->n] the values at which the group's draws are from the posterior,
                         replicate by replicate; near the estimate */
  bool is_definite;   /**< is that positive definite, so that it says something of errors? */
  double least_share; /**< smallest effective sample size of a filter, share of the particles */
  double cost;        /**< nats that the Monte Carlo error of the estimate costs, about */
  double left;        /**< nats that another step is predicted to gain */
  int64_t iterations; /**< of Monte Carlo EM */
  bool settled;       /**< both are as small as was asked for */
} pf_marginal_fit;

/** A penalty that was chosen, and with it terms: core/fit/penalty_choice.h. */
typedef struct pf_chosen_penalty {
  bool chosen;
  double l1;
  size_t n_terms, n_left;      /**< terms looked at, and those that are left */
  bool by_animals;             /**< held out: animals, else later blocks */
  size_t n_folds, n_units;     /**< n_units: animals or blocks that were scored */
  double score, score_without; /**< minus the log likelihood (or half the squares) of what was held
                                  out, of all units: by the chosen terms, and by none */
} pf_chosen_penalty;

/** One fit. */
typedef struct pf_fit_group {
  char *name;         /**< the animal's, or "all" */
  size_t *recordings; /**< [n_recordings] of problem->data */
  size_t n_recordings;
  pf_draw **draws; /**< [n_draws]: recordings x draws, draw by draw, in order */
  size_t n_draws;
  pf_layout *layout; /**< of its recordings: what `values` mean (core/layout/layout.h) */
  double *values; /**< [layout->n] start, then the estimate; of a failed fit the last that could be
                     computed */
  double *values_start;
  pf_fit_row *rows;
  size_t n_rows;
  double *row_values;      /**< [n_rows][layout->n] */
  pf_start_result *starts; /**< [n_starts]: 1 unless fit.starts says more */
  size_t n_starts, best;   /**< best: the start that is kept, with its rows */
  pf_optimum optimum;      /**< of that start: why it stopped, converged or not */
  uint32_t
      derivatives;  /**< PF_INFORMATION_* (core/sensitivity/sensitivity.h): how matrices were had
                     */
  pf_status status; /**< PF_OK, or why this fit failed; the others go on */
  pf_error error;
  pf_chosen_penalty penalty; /**< where penalty.l1 is chosen */
  size_t n_improved; /**< times that it was fitted again from a better point: pf_fit_improve */
  bool runs_off;     /**< the likelihood rises along a direction without end: PF_FIT_SEPARATION */
  size_t runs_off_most; /**< the value that moves most along it */
  bool worse_than_null; /**< PF_FIT_WORSE_THAN_NULL */
  bool refitted; /**< read from a run: its copies were fitted to data that the run has not seen */
  pf_marginal_fit *marginal; /**< NULL: what was fitted is the mean over draws from the prior; else
                                `draws` are from the posterior */
  bool interrupted; /**< stopped by pf_stop; theta is that of the last step, and `status` is not
                       PF_OK */
} pf_fit_group;

/** What animals that are drawn from a population have in common in one parameter, in its own units
 * (core/population/laplace.h). NaN: nothing. */
typedef struct pf_common_estimate {
  double value;        /**< the population's mean */
  double error;        /**< its standard error */
  double sd;           /**< between animals */
  double lower, upper; /**< interval of the mean, at intervals.level */
} pf_common_estimate;

typedef struct pf_fit {
  pf_fit_group *groups;
  size_t n_groups, n_failed;
  size_t n_interrupted; /**< of the failed ones, those that somebody stopped */
  double seconds;
  size_t n_unconverged; /**< of the others, those whose optimiser should have stopped by itself and
                           did not */
  int64_t n_gradients;  /**< evaluations of one draw each, of all starts */
  pf_common_estimate *common; /**< [n_parameters] of a population's fit; NULL: it is none */
} pf_fit;

/** enum pf_fit_verdict of a group that was fitted. */
uint32_t pf_fit_verdict(const pf_fit_group *group);
/** Is it one of those on which claims may rest? */
static inline bool pf_fit_claims(const pf_fit_group *group)
{
  return pf_fit_verdict(group) == PF_FIT_CONVERGED;
}
/** The layout of a group: of its recordings of problem->data. */
pf_status pf_group_layout(const pf_problem *problem, size_t group, pf_layout **out,
                          pf_error *error);
/** theta [n_parameters] at the start of a group's fit, of its first recording. */
pf_status pf_fit_start(const pf_problem *problem, size_t group, double *theta, pf_error *error);

/**
 * Makes fit->groups: one per animal of problem->data, in its order (so group and animal have the
 * same index), or one "all". Draws are listed draw by draw: draw 0 of each recording, then draw 1
 * of each. A group whose draws could not be made is marked failed. On PF_STOP: free with
 * pf_fit_free.
 */
pf_status pf_fit_groups_create(const pf_problem *problem, pf_fit *fit, pf_error *error);
/** The group has `n` draws of each recording from now on: the first ones stay as they are. Not
 * PF_OK: group->error says why. */
pf_status pf_group_set_draws(const pf_problem *problem, pf_fit_group *group, int64_t n);
void pf_fit_free(const pf_problem *problem, pf_fit *fit);

/** Puts `n` rows, with their values [n][layout->n], after those that are there. */
pf_status pf_fit_group_append_rows(pf_fit_group *group, const pf_fit_row *rows, size_t n,
                                   const double *values, pf_error *error);

#endif
