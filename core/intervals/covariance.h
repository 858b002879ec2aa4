/* Fisher information at the estimate, and the covariances that follow. */
#ifndef PLASTFIT_CORE_INTERVALS_COVARIANCE_H
#define PLASTFIT_CORE_INTERVALS_COVARIANCE_H

#include "core/uncertainty/infer_job.h"

/** Information, spectrum, covariance and what is at a bound, with the evidence's sigma. */
pf_status pf_infer_information(pf_infer_job *job, pf_error *error);
/** A matrix of the group's values: the Gauss-Newton matrix at the estimate of the objective of
 * these batches. */
pf_status pf_infer_curvature(const pf_infer_job *job, const pf_group_batches *batches,
                             double *matrix, uint32_t *how, pf_error *error);
/** The pseudoinverse of a matrix [n][n] over the values that are not at a bound, 0 elsewhere. */
pf_status pf_infer_invert(const pf_infer_job *job, const double *matrix, double *inverse,
                          pf_error *error);
/** covariance = inverse v inverse, all [n][n] and symmetric, scratch too. */
void pf_infer_sandwich_product(const double *inverse, const double *v, size_t n, double *scratch,
                               double *covariance);

#endif
