/*
 * Forward sensitivities: what a small change of theta does to the whole trajectory, and the
 * matrices made of it.
 *
 * With o the observables that loss k sees and J = d o / d theta (through every change of the
 * weights), C_k the expected curvature of its log likelihood (Fisher; of squared errors, the
 * curvature itself: Gauss-Newton):
 *
 *   score        sum_k scale_k J' d LL_k / d o                  the gradient, without a pass
 * backward information  sum_k scale_k J' C_k J                         Fisher information,
 * Gauss-Newton matrix product      sum_k scale_k J' C_k (J v)                     the same times a
 * vector, at the cost of a few gradients
 *
 * (Forward sensitivities of a recurrence: Williams & Zipser 1989, Neural Computation 1:270; Fisher
 * scoring: McCullagh & Nelder 1989, Generalized Linear Models, 2.5.)
 *
 * Along every direction of theta a tangent of every weight is carried from step to step:
 *
 *   W'_k <- W'_k + eta mask (dg/dtheta_k + dg/dx x'_k + dg/dy y'_k + dg/dw W'_k)
 *
 * for a block of rows at a time where rows do not see one another. J is kept for what the losses
 * see, no further. The cost is about n directions times a simulation; with hundreds of directions
 * use pf_information_product.
 */
#ifndef PLASTFIT_CORE_SENSITIVITY_SENSITIVITY_H
#define PLASTFIT_CORE_SENSITIVITY_SENSITIVITY_H

#include "core/engine/batch.h"
#include "core/engine/draw.h"
#include "core/engine/losses.h"
#include "core/engine/workspace.h"
#include "core/model/model.h"

/** What was not had from exact derivatives; reports say so. */
enum {
  PF_TANGENT_RULE_DIFFERENCES = 1, /**< a rule without jvp: central differences of its dw */
  PF_TANGENT_NETWORK_DIFFERENCES =
      2, /**< central differences of a network's response to its parameters */
  PF_TANGENT_TRAJECTORY_DIFFERENCES = 4, /**< central differences of whole trajectories */
  PF_INFORMATION_OUTER_PRODUCTS =
      8 /**< a likelihood that does not give its curvature: products of its scores */
};

/** Directions of theta along which tangents are taken: those of single parameters, or any. */
typedef struct pf_directions {
  size_t n;
  const size_t *which; /**< [n] indices into theta; NULL: see `along` */
  const double
      *along; /**< [n][n_parameters], where which is NULL: parameters that are tied move together */
} pf_directions;

/** What is wanted; NULL: not wanted. All but values and how are sums over losses weighted by scale,
 * and +=. */
typedef struct pf_information_out {
  pf_loss_value *values; /**< [n_losses], overwritten */
  double *gradient;      /**< [n]: sum_k scale_k d LL_k / d direction */
  double *information;   /**< [n][n], both triangles: sum_k scale_k J' C_k J */
  double *step_scores;   /**< [n_steps][n]: the gradient's part of every step, for clustered errors;
                            n_steps of the draw */
  uint32_t how;          /**< PF_TANGENT_*, or-ed in */
} pf_information_out;

/**
 * Simulate a draw and its tangents; sums over the steps with PF_STEP_FIT. scale: [n_losses], signed
 * as the caller wants (1: log likelihood, so that the inverse of `information` is a covariance).
 * Activities and the losses' values stand in workspaces[0] afterwards, states of the weights do
 * not. Blocks of rows are shared among the workspaces' threads; bits do not depend on how many
 * there are.
 *
 * PF_POINT_FAILED where a weight, a tangent or a log likelihood is not finite (`out` then holds
 * nothing of use); PF_STOP where memory would exceed the model's state_budget, in words that say
 * what would fit.
 */
pf_status pf_information(const pf_model *model, const pf_draw *draw, const double *theta,
                         const pf_directions *directions, const double *scale,
                         pf_workspace *const *workspaces, size_t n_workspaces,
                         pf_information_out *out, pf_error *error);

/**
 * product[n_parameters] += sum_k scale_k J' C_k J direction, direction: [n_parameters]. One tangent
 * forward and one adjoint, whatever the number of parameters. *how: or-ed in.
 */
pf_status pf_information_product(const pf_model *model, const pf_draw *draw, const double *theta,
                                 const double *direction, const double *scale,
                                 pf_workspace *const *workspaces, size_t n_workspaces,
                                 double *product, uint32_t *how, pf_error *error);

/**
 * Tangents of an observable along each direction, for errors of predictions:
 * tangents[n][n_steps][columns], columns as pf_workspace_observable says (dense). All steps, scored
 * or not.
 */
pf_status pf_observable_tangents(const pf_model *model, const pf_draw *draw, const double *theta,
                                 const pf_directions *directions, int64_t observable,
                                 pf_workspace *const *workspaces, size_t n_workspaces,
                                 pf_real *tangents, uint32_t *how, pf_error *error);

/* ---- batches: objective = constant - sum over draws and losses of batch->scale * log likelihood
 * ---- */

/** Where in parameter space: one theta for all draws, or one for each; and which draws are added up
 * together. */
typedef struct pf_batch_point {
  const double *thetas;    /**< theta of draw d: [n_parameters] from thetas + d * stride on */
  size_t stride;           /**< 0: the same for all */
  size_t direction_stride; /**< of a product: its direction for draw d likewise */
  const size_t
      *group; /**< [n draws] which sums a draw enters, say its recording's; NULL: one group */
  size_t n_groups;
} pf_batch_point;

/** What is wanted of a batch, overwritten; NULL: not wanted. */
typedef struct pf_batch_information_out {
  double *value;       /**< the objective, as pf_batch_objective's */
  double *gradient;    /**< [n_groups][n], of the objective: the gradient is the sum over groups */
  double *information; /**< [n_groups][n][n], positive semi-definite: the objective's Gauss-Newton
                          matrix, likewise */
  uint32_t how;        /**< PF_TANGENT_*, PF_INFORMATION_*, or-ed in */
} pf_batch_information_out;

/**
 * As pf_batch_objective, with information. Draws are shared among threads, sums are taken in an
 * order that sizes alone fix, so bits do not depend on n_workspaces.
 */
pf_status pf_batch_information(const pf_model *model, const pf_batch *batch,
                               const pf_batch_point *at, const pf_directions *directions,
                               pf_workspace *const *workspaces, size_t n_workspaces,
                               pf_batch_information_out *out, pf_error *error);

/**
 * product[n_groups][n_parameters] (overwritten): the batch's Gauss-Newton matrix in theta times a
 * direction [n_parameters] of each draw, see pf_batch_point.
 */
pf_status pf_batch_information_product(const pf_model *model, const pf_batch *batch,
                                       const pf_batch_point *at, const double *direction,
                                       pf_workspace *const *workspaces, size_t n_workspaces,
                                       double *product, uint32_t *how, pf_error *error);

/* ---- memory ---- */

/**
 * Bytes that tangents of n directions take beyond a workspace: in workspaces[0], and in each of the
 * threads'. Draws of n_steps steps. What a caller checks against `memory` before a fit, and says in
 * words.
 */
size_t pf_information_bytes(const pf_model *model, int64_t n_steps, size_t n_directions);

#endif
