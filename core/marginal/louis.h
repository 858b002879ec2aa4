/*
 * The score and the information of the marginal likelihood, from draws of what is unknown from its
 * posterior. With l(v, u) the log likelihood where the unknown is u:
 *
 *     score         E[dl/dv]                                  (Fisher's identity)
 *     information   E[-d2l/dv dv'] - Cov[dl/dv]               (Louis 1982)
 *
 * both over the posterior of u. The first term is what would be known if u were seen, and is Fisher
 * information as everywhere else; the second is what is lost because it is not.
 */
#ifndef PLASTFIT_CORE_MARGINAL_LOUIS_H
#define PLASTFIT_CORE_MARGINAL_LOUIS_H

#include "core/fit/group_objective.h"

/** Sums over draws, of one filter or of several. Zeroed by whoever makes them. */
typedef struct pf_louis_sums {
  size_t n, n_recordings;
  size_t n_draws;    /**< of each recording, so far */
  size_t n_added;    /**< times that draws were added */
  double *score;     /**< [n] sum over recordings of the mean over draws, summed over n_added */
  double *complete;  /**< [n][n] likewise */
  double *scores;    /**< [n_recordings][n] sums over the draws */
  double *products;  /**< [n_recordings][n][n] likewise */
  double *instances; /**< [n_instances] scratch */
  double *values;    /**< [n] scratch */
} pf_louis_sums;

pf_status pf_louis_create(const pf_layout *layout, pf_louis_sums *out, pf_error *error);
void pf_louis_clear(pf_louis_sums *sums);
void pf_louis_reset(pf_louis_sums *sums);

/** The group's draws and their log likelihoods in nats. */
typedef struct pf_louis_in {
  const pf_problem *problem;
  const pf_fit_group *group;
  const double *factor; /**< [n_losses] nats per unit of log likelihood */
  const double *values; /**< [layout->n] */
  pf_workspace *const *workspaces;
  size_t n_workspaces;
} pf_louis_in;

/** Adds the group's draws as they stand. *log_likelihood: the mean over draws of what they have. */
pf_status pf_louis_add(const pf_louis_in *in, pf_louis_sums *sums, double *log_likelihood,
                       pf_error *error);
/** score [n], complete [n][n] and lost [n][n] of what was added. */
void pf_louis_get(const pf_louis_sums *sums, double *score, double *complete, double *lost);

#endif
