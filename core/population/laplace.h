/*
 * What animals share: the values of the animals of a fit are drawn from a population,
 *
 *     theta_a ~ N(X_a beta, Sigma),      data of animal a ~ its likelihood at theta_a
 *
 * on the scale of core/population/scale.h. The marginal likelihood, theta_a integrated out, is had
 * by Laplace's approximation about each animal's mode, with Fisher information in the place of the
 * second derivatives. One round is a mixed model of the expansions (core/population/mixed_model.h),
 * exact for its quadratic forms, and new expansions at the modes that follow; what it ends at is
 * what EM with Laplace approximations ends at too (Lindstrom & Bates 1990, Biometrics 46:673), in a
 * tenth of its rounds, since EM is slow where an sd is small. From there rounds go on with
 * likelihoods that are averaged over each animal's posterior (pf_expansion_average), unless the
 * design says that modes are enough.
 */
#ifndef PLASTFIT_CORE_POPULATION_LAPLACE_H
#define PLASTFIT_CORE_POPULATION_LAPLACE_H

#include "core/population/population_fit.h"

/**
 * From the values of fit's groups, one for each animal, which become the animals' modes. The
 * groups' optimum, data term and rows say what it came to. PF_POINT_FAILED, with a line: an animal
 * has no likelihood, or values that others do not have; nothing is kept. The same bits for any
 * number of threads.
 */
pf_status pf_population_run(const pf_problem *problem, const pf_population_design *design,
                            const pf_observer *observer, pf_fit *fit, pf_population_fit **out,
                            pf_error *error);

#endif
