/*
 * Tangents of a rule that has no jvp. dw_ij depends on x_j, y_i, w_ij and theta alone, so that
 * slopes with respect to x, y and w come for all synapses at once, from two calls of `forward`
 * each; theta takes two calls per direction.
 */
#include "core/sensitivity/sensitivity_private.h"

#include <float.h>
#include <math.h>
#include <string.h>

#ifdef PF_SINGLE
#define EPSILON FLT_EPSILON
#else
#define EPSILON DBL_EPSILON
#endif

/** A step that balances rounding against the third derivative. */
static pf_real step_of(double value)
{
  const double size = fabs(value) > 1.0 ? fabs(value) : 1.0;
  return (pf_real)(cbrt((double)EPSILON) * size);
}

/** Memory of one call. */
typedef struct work {
  const pf_component *rule;
  int64_t n_rows, n_pre;
  pf_real *plus, *minus; /* [n_rows][n_pre]: dw; then `plus` the slope */
  pf_real *w;            /* [n_rows][n_pre] */
  pf_real *up, *down;    /* [the longer of n_rows, n_pre] */
  double *theta;         /* [2][n_parameters] */
} work;

static pf_status lay_out(const pf_rule_difference *self, const pf_block *in, work *at,
                         pf_error *error)
{
  const size_t cells = (size_t)(in->n_rows * in->n_pre), longest = (size_t)(in->n_rows + in->n_pre);
  const size_t reals = 3 * cells + 2 * longest, n_theta = 2 * self->declared->parameters.count;
  double *memory =
      pf_pool_need(self->pool, n_theta * sizeof(double) + reals * sizeof(pf_real), 1, error);
  if (memory == NULL) {
    return PF_STOP;
  }
  at->rule = self->rule;
  at->n_rows = in->n_rows;
  at->n_pre = in->n_pre;
  at->theta = memory;
  at->plus = (pf_real *)(void *)(memory + n_theta);
  at->minus = at->plus + cells;
  at->w = at->minus + cells;
  at->up = at->w + cells;
  at->down = at->up + longest;
  return PF_OK;
}

static pf_status forward(const work *at, const pf_block *in, pf_real *dw, pf_error *error)
{
  return at->rule->plugin->rule->forward(at->rule->self, in, dw, at->n_pre, error);
}

/** What d theta_k does: dw_k overwritten. */
static pf_status along_theta(const pf_rule_difference *self, const work *at, const pf_block *in,
                             const double *theta_dot, pf_real *out, int64_t ld, pf_error *error)
{
  const size_t n = self->declared->parameters.count;
  double largest = 0.0, size = 1.0;
  for (size_t i = 0; i < n && theta_dot != NULL; i++) {
    largest = fabs(theta_dot[i]) > largest ? fabs(theta_dot[i]) : largest;
    size = theta_dot[i] != 0.0 && fabs(in->theta[i]) > size ? fabs(in->theta[i]) : size;
  }
  for (int64_t i = 0; i < at->n_rows && largest == 0.0; i++) {
    memset(out + i * ld, 0, (size_t)at->n_pre * sizeof *out);
  }
  if (largest == 0.0) {
    return PF_OK;
  }
  const double step = cbrt((double)EPSILON) * size / largest;
  double *up = at->theta, *down = at->theta + n;
  for (size_t i = 0; i < n; i++) {
    up[i] = in->theta[i] + step * theta_dot[i];
    down[i] = in->theta[i] - step * theta_dot[i];
  }
  pf_block block = *in;
  block.theta = up;
  pf_status status = forward(at, &block, at->plus, error);
  block.theta = down;
  status = status == PF_OK ? forward(at, &block, at->minus, error) : status;
  for (int64_t i = 0; i < at->n_rows && status == PF_OK; i++) {
    for (int64_t j = 0; j < at->n_pre; j++) {
      const int64_t cell = i * at->n_pre + j;
      out[i * ld + j] =
          (pf_real)(((double)at->plus[cell] - (double)at->minus[cell]) / (2.0 * step));
    }
  }
  return status;
}

/** Slopes of dw with respect to x (or y) into at->plus. */
static pf_status slope_of_units(const work *at, const pf_block *in, bool is_pre, pf_error *error)
{
  const pf_real *values = is_pre ? in->pre : in->post;
  const int64_t n = is_pre ? at->n_pre : at->n_rows;
  for (int64_t i = 0; i < n; i++) {
    const pf_real step = step_of((double)values[i]);
    at->up[i] = values[i] + step;
    at->down[i] = values[i] - step;
  }
  pf_block block = *in;
  *(is_pre ? &block.pre : &block.post) = at->up;
  pf_status status = forward(at, &block, at->plus, error);
  *(is_pre ? &block.pre : &block.post) = at->down;
  status = status == PF_OK ? forward(at, &block, at->minus, error) : status;
  for (int64_t i = 0; i < at->n_rows && status == PF_OK; i++) {
    for (int64_t j = 0; j < at->n_pre; j++) {
      const int64_t unit = is_pre ? j : i, cell = i * at->n_pre + j;
      at->plus[cell] = (at->plus[cell] - at->minus[cell]) / (at->up[unit] - at->down[unit]);
    }
  }
  return status;
}

static pf_status slope_of_weights(const work *at, const pf_block *in, pf_error *error)
{
  pf_block block = *in;
  block.w = at->w;
  block.ldw = at->n_pre;
  pf_status status = PF_OK;
  for (int sign = 1; sign >= -1 && status == PF_OK; sign -= 2) {
    for (int64_t i = 0; i < at->n_rows; i++) {
      for (int64_t j = 0; j < at->n_pre; j++) {
        const pf_real w = in->w[i * in->ldw + j];
        at->w[i * at->n_pre + j] = w + (pf_real)sign * step_of((double)w);
      }
    }
    status = forward(at, &block, sign > 0 ? at->plus : at->minus, error);
  }
  for (int64_t i = 0; i < at->n_rows && status == PF_OK; i++) {
    for (int64_t j = 0; j < at->n_pre; j++) {
      const pf_real w = in->w[i * in->ldw + j], step = step_of((double)w);
      const int64_t cell = i * at->n_pre + j;
      at->plus[cell] = (at->plus[cell] - at->minus[cell]) / ((w + step) - (w - step));
    }
  }
  return status;
}

pf_status pf_rule_jvp_by_differences(const pf_rule_difference *self, const pf_block *in,
                                     const pf_rule_tangent *tangent, pf_error *error)
{
  const uint32_t reads = self->declared->reads == 0 ? UINT32_MAX : self->declared->reads;
  work at;
  pf_status status = lay_out(self, in, &at, error);
  for (int64_t k = 0; k < tangent->n_tangents && status == PF_OK; k++) {
    const double *theta_dot = tangent->theta == NULL
                                  ? NULL
                                  : tangent->theta + k * (int64_t)self->declared->parameters.count;
    status = along_theta(self, &at, in, theta_dot, tangent->dw + k * tangent->dw_stride,
                         tangent->lddw, error);
  }
  for (int part = 0; part < 3 && status == PF_OK; part++) {
    static const uint32_t flags[] = {PF_READS_WEIGHT, PF_READS_POST, PF_READS_PRE};
    const pf_real *dots = part == 0 ? tangent->w : part == 1 ? tangent->post : tangent->pre;
    const int64_t stride = part == 0   ? tangent->w_stride
                           : part == 1 ? tangent->post_stride
                                       : tangent->pre_stride;
    if (dots == NULL || (reads & flags[part]) == 0) {
      continue;
    }
    status =
        part == 0 ? slope_of_weights(&at, in, error) : slope_of_units(&at, in, part == 2, error);
    for (int64_t k = 0; k < tangent->n_tangents && status == PF_OK; k++) {
      const pf_real *dot = dots + k * stride;
      for (int64_t i = 0; i < in->n_rows; i++) {
        pf_real *out = tangent->dw + k * tangent->dw_stride + i * tangent->lddw;
        for (int64_t j = 0; j < in->n_pre; j++) {
          out[j] += at.plus[i * in->n_pre + j] *
                    (part == 0 ? dot[i * tangent->ldw + j] : dot[part == 1 ? i : j]);
        }
      }
    }
  }
  return status;
}
