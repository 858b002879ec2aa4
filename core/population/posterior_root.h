/* Where an animal's values may lie, given its data and the population: roots of covariances. */
#ifndef PLASTFIT_CORE_POPULATION_POSTERIOR_ROOT_H
#define PLASTFIT_CORE_POPULATION_POSTERIOR_ROOT_H

#include "core/population/mixed_model.h"

/**
 * The root of Sigma, [n][n], lower triangular. An sd that is small beside the sampling errors of an
 * animal counts as a tenth of them, and so do those of shared and separate values: directions that
 * are no wider would be lost in rounding, and matter nothing. false: Sigma is not positive.
 */
bool pf_sigma_root(const pf_mixed_data *data, const pf_mixed_model *model, double *root);
/**
 * The root of an animal's posterior covariance L (1 + L' A L)^-1 L', [n][n], lower triangular: A
 * its information, L the root of Sigma. `scratch` [2][n][n]. false: it is not positive.
 */
bool pf_posterior_root(const double *information, size_t n, const double *sigma, double *scratch,
                       double *root);

#endif
