/* Hard bounds on weights, applied by the host after a rule's update, and the adjoint of that. */
#ifndef PLASTFIT_CORE_MODEL_WEIGHT_BOUNDS_H
#define PLASTFIT_CORE_MODEL_WEIGHT_BOUNDS_H

#include "core/model/model.h"

/**
 * Bound a projection's weights: W_{t+1} = clip(W_t + eta mask dw) to [lower, upper] (-INFINITY,
 * INFINITY: none), and to one side of 0 where `sign_per_pre` [n_pre] (MAY be NULL) is +1 or -1:
 * Dale's principle. Starting weights are clipped too. Before any workspace is made. Where a weight
 * was beyond a bound, the derivative through the clip is 0; at the bound and within, 1: at a bound
 * it is the one-sided derivative towards the inside, so that a weight that lies on its bound can
 * leave it. An interval that is empty for a unit: an error.
 */
pf_status pf_model_bound(pf_model *model, int64_t projection, double lower, double upper,
                         const int8_t *sign_per_pre, pf_error *error);

/** Rows of bounded weights, [n_rows][ldw]. */
typedef struct pf_bounded_rows {
  const pf_bound *bound;
  const pf_real *connected; /**< of these rows; what is not connected stays; NULL: all is */
  int64_t n_rows, n_pre, ldw;
} pf_bounded_rows;

/** Clip the weights w. NaN stays NaN. */
void pf_bound_clip(const pf_bounded_rows *rows, pf_real *w);
/** Its adjoint: the cotangent g goes to 0 where `before`, the weights before the clip, lay beyond a
 * bound. */
void pf_bound_clip_vjp(const pf_bounded_rows *rows, const pf_real *before, pf_real *g);

#endif
