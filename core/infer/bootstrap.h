/*
 * Bootstrap intervals of a unit's values: fit again and again what might have been recorded
 * instead.
 *
 *   animals     a fit of several animals, drawn with replacement (each enters as often as it was
 * drawn). No model of the noise; needs enough animals to stand for others parametric  the same
 * animals and steps, what was recorded drawn anew from the fitted rule (core/closed_loop/redraw.h),
 * inputs and rewards as they were. Trusts the model, and works for one animal
 *
 * (Efron & Tibshirani 1993, An Introduction to the Bootstrap.) Every refit starts from the
 * estimate, by Levenberg-Marquardt, so that all of them are of the optimum that is reported.
 */
#ifndef PLASTFIT_CORE_INFER_BOOTSTRAP_H
#define PLASTFIT_CORE_INFER_BOOTSTRAP_H

#include "core/infer/infer.h"

/** Estimates of the refits of one unit. */
typedef struct pf_bootstrap_fits {
  size_t n_fits, n_values;
  double *values; /**< [n_fits][n_values]; NaN, all of a row: that one failed or did not converge */
  double *
      se; /**< [n_fits][n_values] Fisher's of each refit; NaN where it has none; NULL: not wanted */
  size_t n_worked;
} pf_bootstrap_fits;

/** The refits: same bits for any number of workspaces. kind: enum pf_bootstrap_sampling, not auto.
 */
pf_status pf_bootstrap_fits_create(const pf_infer_job *job, uint32_t kind, size_t n_fits,
                                   bool wants_se, pf_bootstrap_fits *out, pf_error *error);
void pf_bootstrap_fits_clear(pf_bootstrap_fits *fits);

#endif
