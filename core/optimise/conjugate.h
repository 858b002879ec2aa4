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
/** Improve the estimate of the diagonal by one more probe, at v. */
pf_status pf_conjugate_probe(pf_conjugate *conjugate, const pf_function *function, const double *v,
                             pf_optimum *count, pf_error *error);
/** The estimate of the diagonal [n], > 0, at an f. */
void pf_conjugate_scale(const pf_conjugate *conjugate, const pf_function *function, double f,
                        double *scale);
/** (H + lambda D) p = -gradient at v. */
typedef struct pf_damped_step {
  const pf_function *function;
  const double *v, *gradient; /**< [n] */
  double lambda;
  const double *scale; /**< [n] D */
} pf_damped_step;

/**
 * x [n] = v + p, clipped to the bounds; values at a bound whose side beyond it goes down stay.
 * Never PF_POINT_FAILED: what there is when the residual is small enough, or the iterations are
 * used up, goes down.
 */
pf_status pf_conjugate_solve(pf_conjugate *conjugate, const pf_damped_step *at, double *x,
                             pf_optimum *count, pf_error *error);

#endif
