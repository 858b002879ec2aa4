/*
 * How far do the data determine the weights? Where a loss sees the activity of the units whose
 * weights change, they are nearly recorded. Where only what comes of them is seen (choices), they
 * are latent: other thetas that the data allow lead to other weights. So the trajectory of the
 * weights at the estimate is compared with those of equally good fits:
 *
 *   - thetas drawn from the sampling distribution, normal with Fisher's covariance around the
 * estimate
 *   - other starts of the fit that reached the same optimum
 *
 * by R2 of weights (core/evaluate/r2.h), the estimate's weights in the place of the truth. Near 1:
 * the choices determine the weights; far below: a rule that predicts choices well says little about
 * them.
 */
#ifndef PLASTFIT_CORE_INFER_LATENT_H
#define PLASTFIT_CORE_INFER_LATENT_H

#include "core/uncertainty/infer_job.h"

/** Sets job->out->latent; after the covariance. */
pf_status pf_infer_latent(pf_infer_job *job, pf_error *error);

#endif
