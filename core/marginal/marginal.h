/* Fits of the likelihood that the config names: the mean over draws, or the marginal one. */
#ifndef PLASTFIT_CORE_MARGINAL_MARGINAL_H
#define PLASTFIT_CORE_MARGINAL_MARGINAL_H

#include "core/fit/fit.h"

/**
 * As pf_fit_run_from; with `likelihood` = "marginal" every group is then fitted by Monte Carlo EM
 * from there (core/marginal/monte_carlo_em.h). A group whose inputs and starting weights are all
 * known stays as it is: both likelihoods are the same.
 */
pf_status pf_estimate(const pf_problem *problem, const pf_start_points *points,
                      const pf_observer *observer, pf_fit **out, pf_error *error);

#endif
