/*
 * The step of Levenberg-Marquardt where there are too many values for a matrix: (H + lambda D) p =
 * -g by conjugate gradients, with products H d alone. D, and the preconditioner, is a running
 * estimate of the diagonal of H, by probing with signs (Bekas, Kokiopoulou & Saad 2007).
 */
#ifndef PLASTFIT_CORE_OPTIMISE_CONJUGATE_H
#define PLASTFIT_CORE_OPTIMISE_CONJUGATE_H

#include "core/optimise/optimiser.h"

typedef struct pf_conjugate pf_conjugate;

pf_status pf_conjugate_create(size_t n, uint64_t seed, pf_conjugate **out, pf_error *error);
void pf_conjugate_free(pf_conjugate *conjugate);
/** Look at H(v) with one more probe. */
pf_status pf_conjugate_probe(pf_conjugate *conjugate, const pf_function *function, const double *v,
                             pf_optimum *count, pf_error *error);
/** The estimate of the diagonal [n], > 0. */
void pf_conjugate_scale(const pf_conjugate *conjugate, double *scale);
/**
 * x [n] = v + p, clipped to the bounds; values that stand at a bound and want to go beyond it stay.
 * Never PF_POINT_FAILED: what stands when the residual is small enough, or the iterations are used
 * up, goes down.
 */
pf_status pf_conjugate_solve(pf_conjugate *conjugate, const pf_function *function, const double *v,
                             const double *gradient, double lambda, const double *scale, double *x,
                             pf_optimum *count, pf_error *error);

#endif
