/*
 * Forward sensitivities: what a small change of theta does to the whole trajectory, and the
 * matrices made of it.
 *
 * With o the observables that loss k sees and J = d o / d theta (through every change of the
 * weights), C_k the expected curvature of its log likelihood (Fisher; of squared errors, the
 * curvature itself: Gauss-Newton):
 *
 *   score        sum_k scale_k J' d LL_k / d o       the gradient, without a pass backward
 *   information  sum_k scale_k J' C_k J              Fisher information, Gauss-Newton matrix
 *   product      sum_k scale_k J' C_k (J v)          the same times a vector, at the cost of a few
 *                                                    gradients:
 * core/sensitivity/information_product.h
 *
 * (Forward sensitivities of a recurrence: Williams & Zipser 1989, Neural Computation 1:270; Fisher
 * scoring: McCullagh & Nelder 1989, Generalized Linear Models, 2.5.)
 *
 * Along every direction of theta a tangent of every weight is carried from step to step:
 *
 *   W'_k <- W'_k + eta mask (dg/dtheta_k + dg/dx x'_k + dg/dy y'_k + dg/dw W'_k)
 *
 * for a block of rows at a time where rows do not see one another, else for all rows step by step,
 * with tangents of states and traces. J is kept for what the losses
 * see, no further. The cost is about n directions times a simulation; with hundreds of directions
 * use pf_information_product.
 */
#ifndef PLASTFIT_CORE_SENSITIVITY_SENSITIVITY_H
#define PLASTFIT_CORE_SENSITIVITY_SENSITIVITY_H

#include "core/state/draw.h"
#include "core/state/workspace.h"

/** How the information was had; reported to the user. Tangents are always exact. */
enum {
  PF_INFORMATION_OUTER_PRODUCTS = 1 /**< a likelihood that does not give its curvature: products of
                                       its scores */
};

/** A draw at a theta, and the memory of the threads that work on it. */
typedef struct pf_information_in {
  const pf_model *model;
  const pf_draw *draw;
  const double *theta;
  const double *scale; /**< [n_losses], signed as the caller wants (1: log likelihood, so that the
                          inverse of `information` is a covariance) */
  pf_workspace *const *workspaces; /**< [0] has activities and the losses' values afterwards, but
                                      not the states of the weights */
  size_t n_workspaces; /**< threads that share blocks of rows; bits do not depend on it */
} pf_information_in;

/** Directions of theta along which tangents are taken: those of single parameters, or any. */
typedef struct pf_directions {
  size_t n;
  const size_t *which; /**< [n] indices into theta; NULL: see `along` */
  const double
      *along; /**< [n][n_parameters], where which is NULL: parameters that are tied move together */
} pf_directions;

#endif
