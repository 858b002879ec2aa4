/* Memory of the second derivatives of a fit, and of the matrices that an optimiser makes of them.
 */
#ifndef PLASTFIT_CORE_FIT_FIT_MEMORY_H
#define PLASTFIT_CORE_FIT_FIT_MEMORY_H

#include "core/layout/layout.h"
#include "core/problem/problem.h"

/** Bytes, of a group with this layout and so many draws, on n_threads. */
double pf_curvature_bytes(const pf_problem *problem, const pf_layout *layout, size_t n_draws,
                          size_t n_threads);
/**
 * Are they within `memory`? Beyond, a fit without L1 takes products with the matrix (a gradient's
 * memory) in place of the matrix. Fits of which intervals are wanted (intervals.max_values) always
 * have it.
 */
bool pf_curvature_is_allowed(const pf_problem *problem, const pf_layout *layout, size_t n_draws,
                             size_t n_threads);

#endif
