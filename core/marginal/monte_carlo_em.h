/*
 * Monte Carlo EM of one group (Wei & Tanner 1990): draws from the posterior of what is unknown take
 * the place of those from the prior, and the objective of these draws is maximised; again and
 * again.
 *
 * Near the maximum, and without penalties or values at bounds, a step of EM is replaced by a Newton
 * step of the marginal likelihood itself, whose score and information the same draws give
 * (core/marginal/louis.h). Iterates then are the maximum plus Monte Carlo noise: their mean is the
 * estimate, and they go on until the noise of the mean costs no more than marginal.tolerance nats.
 */
#ifndef PLASTFIT_CORE_MARGINAL_MONTE_CARLO_EM_H
#define PLASTFIT_CORE_MARGINAL_MONTE_CARLO_EM_H

#include "core/base/array.h"
#include "core/base/ticker.h"
#include "core/marginal/louis.h"
#include "core/marginal/posterior.h"

typedef struct pf_em_in {
  const pf_problem *problem;
  pf_fit_group *group; /**< fitted with draws from the prior: where it starts */
  const pf_filters *filters;
  pf_workspace *const *workspaces;
  size_t n_workspaces;
  pf_stop stop; /**< MAY be NULL */
  void *payload;
} pf_em_in;

/**
 * The group becomes the fit of the marginal likelihood: values, optimum, draws, rows and
 * group->marginal. PF_POINT_FAILED with a line where it cannot be had.
 */
pf_status pf_em_run(const pf_em_in *in, pf_error *error);

#endif
