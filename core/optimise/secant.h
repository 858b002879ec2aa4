/* The part of a Hessian that Gauss-Newton and Fisher matrices leave out, estimated from how
 * gradients change (Dennis, Gay & Welsch 1981, NL2SOL). */
#ifndef PLASTFIT_CORE_OPTIMISE_SECANT_H
#define PLASTFIT_CORE_OPTIMISE_SECANT_H

#include <stdbool.h>
#include <stddef.h>

/** A step that was made, and what it showed. */
typedef struct pf_secant_step {
  size_t n;
  const double *h;      /**< [n][n] both triangles, where the step ended */
  const double *step;   /**< [n] */
  const double *change; /**< [n] of the gradient */
} pf_secant_step;

/**
 * secant [n][n] such that (H + S) step = change, after it was scaled down to what it explains now
 * (so that it vanishes where residuals do). work: [2 n]. false: the function bends down along the
 * step, which says nothing.
 */
bool pf_secant_update(const pf_secant_step *made, double *secant, double *work);

#endif
