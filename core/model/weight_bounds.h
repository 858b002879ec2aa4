/* Hard bounds on weights, applied by the host after a rule's update, and the adjoint of that.
 * Private to core/engine.
 */
#ifndef PLASTFIT_CORE_MODEL_WEIGHT_BOUNDS_H
#define PLASTFIT_CORE_MODEL_WEIGHT_BOUNDS_H

#include "core/engine/engine.h"

/** Clip n_rows rows of n_pre weights; what is not connected (MAY be NULL: all is) stays. NaN stays
 * NaN. */
void pf_bound_clip(const pf_bound *bound, int64_t n_rows, int64_t n_pre, const pf_real *connected,
                   int64_t ldw, pf_real *w);
/** Its adjoint: the cotangent g goes to 0 where `before`, the weights before the clip, lay beyond a
 * bound. */
void pf_bound_clip_vjp(const pf_bound *bound, int64_t n_rows, int64_t n_pre,
                       const pf_real *connected, int64_t ldw, const pf_real *before, pf_real *g);

#endif
