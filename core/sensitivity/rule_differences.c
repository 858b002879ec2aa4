#include "core/sensitivity/rule_differences.h"

#include <math.h>
#include <string.h>

/** A step that balances rounding against the third derivative. */
static pf_real step_of(double value)
{
  return (pf_real)(cbrt(pf_epsilon()) * fmax(fabs(value), 1.0));
}

/** Memory of one call. */
typedef struct work {
  const pf_component *rule;
  int64_t n_rows, n_pre;
  size_t n_theta;
  double *theta;         /* [n_theta] moved */
  pf_real *plus, *minus; /* [n_rows][n_pre]: dw; then `plus` the slope */
  pf_real *w;            /* [n_rows][n_pre] */
  pf_real *up, *down;    /* [the longer of n_rows, n_pre] */
} work;

static void place_work(work *at, pf_arena *arena)
{
  const size_t cells = (size_t)(at->n_rows * at->n_pre), longest = (size_t)(at->n_rows + at->n_pre);
  at->theta = pf_arena_take(arena, at->n_theta, sizeof *at->theta);
  at->plus = pf_arena_take(arena, cells, sizeof *at->plus);
  at->minus = pf_arena_take(arena, cells, sizeof *at->minus);
  at->w = pf_arena_take(arena, cells, sizeof *at->w);
  at->up = pf_arena_take(arena, longest, sizeof *at->up);
  at->down = pf_arena_take(arena, longest, sizeof *at->down);
}

/** dw of two blocks that differ by a step up and down, into plus and minus. */
static pf_status evaluate_both(const work *at, const pf_block *up, const pf_block *down,
                               pf_error *error)
{
  const pf_rule_ops *ops = at->rule->plugin->rule;
  const pf_status status = ops->forward(at->rule->self, up, at->plus, at->n_pre, error);
  return status == PF_OK ? ops->forward(at->rule->self, down, at->minus, at->n_pre, error) : status;
}

static void move_theta(const work *at, const pf_block *in, const double *theta_dot, double step)
{
  for (size_t i = 0; i < at->n_theta; i++) {
    at->theta[i] = in->theta[i] + step * theta_dot[i];
  }
}

/** What d theta_k does: dw_k [n_rows][ld] overwritten. theta_dot NULL: nothing. */
static pf_status differ_theta(const work *at, const pf_block *in, const double *theta_dot,
                              pf_real *out, int64_t ld, pf_error *error)
{
  const pf_rule_ops *ops = at->rule->plugin->rule;
  double largest = 0.0, size = 1.0;
  for (size_t i = 0; i < at->n_theta && theta_dot != NULL; i++) {
    largest = fmax(largest, fabs(theta_dot[i]));
    size = theta_dot[i] != 0.0 ? fmax(size, fabs(in->theta[i])) : size;
  }
  if (largest == 0.0) {
    for (int64_t i = 0; i < at->n_rows; i++) {
      memset(out + i * ld, 0, (size_t)at->n_pre * sizeof *out);
    }
    return PF_OK;
  }
  const double step = cbrt(pf_epsilon()) * size / largest;
  pf_block block = *in;
  block.theta = at->theta;
  move_theta(at, in, theta_dot, step);
  pf_status status = ops->forward(at->rule->self, &block, at->plus, at->n_pre, error);
  if (status != PF_OK) {
    return status;
  }
  move_theta(at, in, theta_dot, -step);
  status = ops->forward(at->rule->self, &block, at->minus, at->n_pre, error);
  if (status != PF_OK) {
    return status;
  }
  for (int64_t i = 0; i < at->n_rows; i++) {
    for (int64_t j = 0; j < at->n_pre; j++) {
      const int64_t cell = i * at->n_pre + j;
      out[i * ld + j] =
          (pf_real)(((double)at->plus[cell] - (double)at->minus[cell]) / (2.0 * step));
    }
  }
  return PF_OK;
}

/** Slopes of dw with respect to x (or y) into at->plus. */
static pf_status differ_units(const work *at, const pf_block *in, bool is_pre, pf_error *error)
{
  const pf_real *values = is_pre ? in->pre : in->post;
  const int64_t n = is_pre ? at->n_pre : at->n_rows;
  for (int64_t i = 0; i < n; i++) {
    const pf_real step = step_of((double)values[i]);
    at->up[i] = values[i] + step;
    at->down[i] = values[i] - step;
  }
  pf_block up = *in, down = *in;
  *(is_pre ? &up.pre : &up.post) = at->up;
  *(is_pre ? &down.pre : &down.post) = at->down;
  const pf_status status = evaluate_both(at, &up, &down, error);
  if (status != PF_OK) {
    return status;
  }
  for (int64_t i = 0; i < at->n_rows; i++) {
    for (int64_t j = 0; j < at->n_pre; j++) {
      const int64_t unit = is_pre ? j : i, cell = i * at->n_pre + j;
      at->plus[cell] = (at->plus[cell] - at->minus[cell]) / (at->up[unit] - at->down[unit]);
    }
  }
  return PF_OK;
}

/** Slopes of dw with respect to w into at->plus. */
static pf_status differ_weights(const work *at, const pf_block *in, pf_error *error)
{
  const pf_rule_ops *ops = at->rule->plugin->rule;
  pf_block block = *in;
  block.w = at->w;
  block.ldw = at->n_pre;
  for (int sign = 1; sign >= -1; sign -= 2) {
    for (int64_t i = 0; i < at->n_rows; i++) {
      for (int64_t j = 0; j < at->n_pre; j++) {
        const pf_real w = in->w[i * in->ldw + j];
        at->w[i * at->n_pre + j] = w + (pf_real)sign * step_of((double)w);
      }
    }
    const pf_status status =
        ops->forward(at->rule->self, &block, sign > 0 ? at->plus : at->minus, at->n_pre, error);
    if (status != PF_OK) {
      return status;
    }
  }
  for (int64_t i = 0; i < at->n_rows; i++) {
    for (int64_t j = 0; j < at->n_pre; j++) {
      const pf_real w = in->w[i * in->ldw + j], step = step_of((double)w);
      const int64_t cell = i * at->n_pre + j;
      at->plus[cell] = (at->plus[cell] - at->minus[cell]) / ((w + step) - (w - step));
    }
  }
  return PF_OK;
}

/** Tangents of x, y or w, as pf_rule_tangent has them; of direction k, row i, column j at
 * dots[k * stride + i * row + j * column]. */
typedef struct input_tangent {
  const pf_real *dots; /* NULL: they do not move */
  int64_t stride, row, column;
} input_tangent;

/** dw_k += slope * dot, slopes in at->plus. */
static void add_products(const work *at, const input_tangent *of, const pf_rule_tangent *tangent)
{
  for (int64_t k = 0; k < tangent->n_tangents; k++) {
    const pf_real *dot = of->dots + k * of->stride;
    for (int64_t i = 0; i < at->n_rows; i++) {
      pf_real *out = tangent->dw + k * tangent->dw_stride + i * tangent->lddw;
      for (int64_t j = 0; j < at->n_pre; j++) {
        out[j] += at->plus[i * at->n_pre + j] * dot[i * of->row + j * of->column];
      }
    }
  }
}

pf_status pf_rule_jvp_by_differences(const pf_plastic *plastic, const pf_block *in,
                                     const pf_rule_tangent *tangent, pf_pool *pool, pf_error *error)
{
  const uint32_t declared = plastic->declared.reads, reads = declared == 0 ? UINT32_MAX : declared;
  work at = {.rule = plastic->rule,
             .n_rows = in->n_rows,
             .n_pre = in->n_pre,
             .n_theta = plastic->declared.parameters.count};
  pf_arena arena = {NULL, 0};
  place_work(&at, &arena);
  arena = (pf_arena){pf_pool_need(pool, arena.used, 1, error), 0};
  if (arena.base == NULL) {
    return PF_STOP;
  }
  place_work(&at, &arena);
  for (int64_t k = 0; k < tangent->n_tangents; k++) {
    const double *theta_dot =
        tangent->theta == NULL ? NULL : tangent->theta + k * (int64_t)at.n_theta;
    const pf_status status = differ_theta(&at, in, theta_dot, tangent->dw + k * tangent->dw_stride,
                                          tangent->lddw, error);
    if (status != PF_OK) {
      return status;
    }
  }
  enum { W, POST, PRE, N_INPUTS };
  const uint32_t flags[N_INPUTS] = {PF_READS_WEIGHT, PF_READS_POST, PF_READS_PRE};
  const input_tangent inputs[N_INPUTS] = {{tangent->w, tangent->w_stride, tangent->ldw, 1},
                                          {tangent->post, tangent->post_stride, 1, 0},
                                          {tangent->pre, tangent->pre_stride, 0, 1}};
  for (int input = 0; input < N_INPUTS; input++) {
    if (inputs[input].dots == NULL || (reads & flags[input]) == 0) {
      continue;
    }
    const pf_status status =
        input == W ? differ_weights(&at, in, error) : differ_units(&at, in, input == PRE, error);
    if (status != PF_OK) {
      return status;
    }
    add_products(&at, &inputs[input], tangent);
  }
  return PF_OK;
}
