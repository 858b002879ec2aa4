/*
 * The animals' parts of a population where inputs or starting weights are unknown and integrated
 * out (likelihood = "marginal"). Score and information of an animal come from posterior draws of a
 * particle filter (core/marginal/louis.h), and with them the parabola that the mixed model takes.
 * Rounds of filters and mixed models then stay at the optimum but for Monte Carlo noise, and the
 * mean over them is taken until that noise of the population's means costs at most
 * marginal.tolerance nats.
 */
#ifndef PLASTFIT_CORE_POPULATION_MARGINAL_ROUNDS_H
#define PLASTFIT_CORE_POPULATION_MARGINAL_ROUNDS_H

#include "core/population/population_fit.h"
#include "core/state/workspace.h"

typedef struct pf_marginal_rounds {
  const pf_problem *problem;
  const pf_population_design *design;
  const pf_observer *observer;
  pf_fit *fit; /**< groups start at their values; their draws become posterior draws */
  pf_workspace *const *workspaces; /**< [n_threads] */
  int n_threads;
} pf_marginal_rounds;

/** Is anything of any animal integrated out? */
bool pf_population_has_unknowns(const pf_problem *problem, const pf_fit *fit);
/**
 * Data, model, likelihoods, convergence and rounds of `out`, and values and `marginal` of the
 * groups. PF_POINT_FAILED with a line where an animal's particles are all lost.
 */
pf_status pf_population_integrate(const pf_marginal_rounds *in, pf_population_fit *out,
                                  pf_error *error);

#endif
