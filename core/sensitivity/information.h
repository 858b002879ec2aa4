/* Scores and information of one draw: the sums over losses of core/sensitivity/sensitivity.h. */
#ifndef PLASTFIT_CORE_SENSITIVITY_INFORMATION_H
#define PLASTFIT_CORE_SENSITIVITY_INFORMATION_H

#include "core/sensitivity/sensitivity.h"
#include "core/state/losses.h"

/** What is wanted; NULL: not wanted. All but values and how are sums over losses weighted by scale,
 * and +=. */
typedef struct pf_information_out {
  pf_loss_value *values; /**< [n_losses], overwritten */
  double *gradient;      /**< [n]: sum_k scale_k d LL_k / d direction */
  double *information;   /**< [n][n], both triangles: sum_k scale_k J' C_k J */
  double *step_scores;   /**< [n_steps][n]: the gradient's part of every step, for clustered errors;
                            n_steps of the draw */
  uint32_t how;          /**< PF_INFORMATION_*, or-ed in */
} pf_information_out;

/**
 * Simulate a draw and its tangents; sums over the steps with PF_STEP_FIT. PF_POINT_FAILED where a
 * weight, a tangent or a log likelihood is not finite (`out` then holds nothing of use); PF_STOP
 * where memory would exceed the model's state_budget, in words that say what would fit.
 */
pf_status pf_information(const pf_information_in *in, const pf_directions *directions,
                         pf_information_out *out, pf_error *error);

#endif
