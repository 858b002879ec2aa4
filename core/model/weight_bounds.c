#include "core/model/weight_bounds.h"

#include "core/base/memory.h"

#include <math.h>

pf_status pf_model_bound(pf_model *model, int64_t projection, double lower, double upper,
                         const int8_t *sign_per_pre, pf_error *error)
{
  const pf_projection *info = &model->projections[projection];
  const int64_t n_pre = model->populations[info->pre].n;
  pf_bound *bound = &model->bounds[projection];
  if (!(lower <= upper)) {
    return pf_fail(error, PF_STOP, "bounds of '%s': found [%g, %g], expected the lower one first",
                   info->name, lower, upper);
  }
  if (bound->lower == NULL) {
    bound->lower = pf_memory_need((size_t)n_pre, sizeof *bound->lower, error);
    bound->upper = pf_memory_need((size_t)n_pre, sizeof *bound->upper, error);
  }
  if (bound->lower == NULL || bound->upper == NULL) {
    return PF_STOP;
  }
  for (int64_t j = 0; j < n_pre; j++) {
    const int sign = sign_per_pre == NULL ? 0 : sign_per_pre[j];
    const double low = sign > 0 ? fmax(lower, 0.0) : lower,
                 high = sign < 0 ? fmin(upper, 0.0) : upper;
    if (low > high) {
      return pf_fail(error, PF_STOP,
                     "'%s': weights of presynaptic unit %lld are to be %s and within [%g, %g], "
                     "which leaves none",
                     info->name, (long long)j, sign > 0 ? "excitatory (>= 0)" : "inhibitory (<= 0)",
                     lower, upper);
    }
    bound->lower[j] = (pf_real)low;
    bound->upper[j] = (pf_real)high;
  }
  return PF_OK;
}

void pf_bound_clip(const pf_bounded_rows *rows, pf_real *w)
{
  const pf_real *lower = rows->bound->lower, *upper = rows->bound->upper;
  for (int64_t i = 0; i < rows->n_rows; i++) {
    pf_real *row = w + i * rows->ldw;
    const pf_real *there = rows->connected == NULL ? NULL : rows->connected + i * rows->ldw;
    const int64_t n_pre = rows->n_pre;
#pragma omp simd
    for (int64_t j = 0; j < n_pre; j++) { /* comparisons that let NaN through */
      const pf_real above = row[j] < lower[j] ? lower[j] : row[j];
      const pf_real within = above > upper[j] ? upper[j] : above;
      row[j] = there == NULL || there[j] != 0 ? within : row[j];
    }
  }
}

void pf_bound_clip_vjp(const pf_bounded_rows *rows, const pf_real *before, pf_real *g)
{
  const pf_bound *bound = rows->bound;
  for (int64_t i = 0; i < rows->n_rows; i++) {
    for (int64_t j = 0; j < rows->n_pre; j++) {
      const int64_t at = i * rows->ldw + j;
      const bool beyond = before[at] < bound->lower[j] || before[at] > bound->upper[j];
      if (beyond && (rows->connected == NULL || rows->connected[at] != 0)) {
        g[at] = 0;
      }
    }
  }
}
