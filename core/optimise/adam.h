/*
 * Adam (Kingma & Ba 2015), term for term as optax.adam, with which the reference fits.
 *
 *     m     = (1 - beta1) g   + beta1 m
 *     v     = (1 - beta2) g^2 + beta2 v
 *     theta = theta - rate * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
 *
 * epsilon stands outside the root and is added after the bias correction. After the step, values
 * are clipped to their bounds, where a bound is finite.
 */
#ifndef PLASTFIT_CORE_OPTIMISE_ADAM_H
#define PLASTFIT_CORE_OPTIMISE_ADAM_H

#include "core/optimise/optimiser.h"

typedef struct pf_adam pf_adam; /**< the moments of one fit */

/** settings: learning_rate, beta1, beta2, epsilon. The bounds [n] stay the caller's and MUST
 * outlive the object. */
pf_status pf_adam_create(const pf_optimiser_settings *settings, const double *lower,
                         const double *upper, size_t n, pf_adam **out, pf_error *error);
/** One step: theta [n] is changed in place, gradient [n] read. */
void pf_adam_step(pf_adam *adam, double *theta, const double *gradient);
void pf_adam_free(pf_adam *adam);

#endif
