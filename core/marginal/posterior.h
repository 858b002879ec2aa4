/* Particle filters of all recordings of a group: their likelihoods, and posterior draws. */
#ifndef PLASTFIT_CORE_MARGINAL_POSTERIOR_H
#define PLASTFIT_CORE_MARGINAL_POSTERIOR_H

#include "core/fit/fit_groups.h"

/** Filters of some threads, one each. */
typedef struct pf_filters {
  pf_filter **items;
  size_t n;
} pf_filters;

pf_status pf_filters_create(const pf_problem *problem, size_t n, pf_filters *out, pf_error *error);
void pf_filters_free(pf_filters *filters);

/** What is filtered, at which values. */
typedef struct pf_posterior_in {
  const pf_problem *problem;
  const pf_fit_group *group;
  const double *values;       /**< [layout->n] */
  const double *variance;     /**< [n_losses] of squared errors */
  uint32_t replicate;         /**< which random numbers: the same ones at all values */
  bool still;                 /**< without plasticity */
  size_t first_draw, n_draws; /**< of each recording, those that are replaced */
  bool redraws;               /**< the group's draws become draws from the posterior */
  const pf_filters *filters;
} pf_posterior_in;

typedef struct pf_posterior_out {
  double *log_likelihood; /**< [n_recordings] */
  double least_share;     /**< smallest effective sample size, as a share of the particles */
} pf_posterior_out;

/** Recordings are shared among the filters' threads: the same bits for any number. PF_POINT_FAILED
 * with a line where one of them lost all its particles. */
pf_status pf_posterior_run(const pf_posterior_in *in, pf_posterior_out *out, pf_error *error);

/** Is anything of the group's recordings unknown? */
bool pf_group_has_unknowns(const pf_problem *problem, const pf_fit_group *group);

#endif
