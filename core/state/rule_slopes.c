#include "core/state/rule_slopes.h"

#include <string.h>

/** Slopes of one number by all that a row of a block depends on: where the adjoint adds them. */
typedef struct row_slopes {
  const pf_plastic *plastic;
  int64_t n_columns; /* the widest */
  size_t n_theta, n_cells;
  double *theta;  /* [n_theta] */
  pf_real *cells; /* all that follows, [n_cells] */
  pf_real *pre, *post, *w, one;
  pf_traces traces;
  pf_traces cotangent; /* of the traces after a step, zeros */
} row_slopes;

/** Some columns of row i of a block. */
typedef struct row_part {
  int64_t row, column, n_columns;
} row_part;

static int64_t signals_seen(const pf_seen *seen)
{
  return seen->n > 0 ? (int64_t)seen->n : 1;
}

/** Where everything is, in `cells`; returns how many these are. The last call says where gradients
 * go. */
static size_t lay_cells(row_slopes *at, pf_traces *traces, pf_real *cells)
{
  const int64_t *n = at->plastic->n_traces, columns = at->n_columns;
  const int64_t sizes[] = {signals_seen(&at->plastic->pre) * columns,
                           signals_seen(&at->plastic->post),
                           columns,
                           n[PF_PER_NETWORK],
                           n[PF_PER_PRE] * columns,
                           n[PF_PER_POST],
                           n[PF_PER_SYNAPSE] * columns};
  pf_real **const places[] = {&at->pre,     &at->post,     &at->w,          &traces->network,
                              &traces->pre, &traces->post, &traces->synapse};
  size_t used = 0;
  *traces = (pf_traces){.size = sizeof *traces,
                        .ld_pre = columns,
                        .ld_post = 1,
                        .ldw = columns,
                        .synapse_stride = columns};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    *places[i] = cells == NULL || sizes[i] == 0 ? NULL : cells + used;
    used += (size_t)sizes[i];
  }
  return used;
}

static pf_status make_slopes(const pf_plastic *plastic, int64_t n_columns, pf_pool *pool,
                             row_slopes *at, pf_error *error)
{
  *at = (row_slopes){.plastic = plastic,
                     .n_columns = n_columns,
                     .n_theta = plastic->declared.parameters.count,
                     .one = (pf_real)1};
  at->n_cells = lay_cells(at, &at->traces, NULL);
  const size_t bytes = at->n_theta * sizeof *at->theta + 2 * at->n_cells * sizeof *at->cells;
  at->theta = pf_pool_need(pool, bytes, 1, error);
  if (at->theta == NULL) {
    return PF_STOP;
  }
  at->cells = (pf_real *)(at->theta + at->n_theta);
  memset(at->cells + at->n_cells, 0, at->n_cells * sizeof *at->cells);
  (void)lay_cells(at, &at->cotangent, at->cells + at->n_cells);
  (void)lay_cells(at, &at->traces, at->cells);
  return PF_OK;
}

static pf_rule_gradient clear_slopes(row_slopes *at)
{
  memset(at->theta, 0, at->n_theta * sizeof *at->theta);
  memset(at->cells, 0, at->n_cells * sizeof *at->cells);
  return (pf_rule_gradient){.size = sizeof(pf_rule_gradient),
                            .theta = at->theta,
                            .pre = at->pre,
                            .post = at->post,
                            .w = at->w,
                            .ld_pre = at->n_columns,
                            .ld_post = 1,
                            .ldw = at->n_columns,
                            .traces = at->plastic->declared.traces.count == 0 ? NULL : &at->traces};
}

/** A plane further on by `offset`, or none. */
static pf_real *plane_from(pf_real *plane, int64_t offset)
{
  return plane == NULL ? NULL : plane + offset;
}

/** Traces as a part of a block has them. */
static pf_traces traces_from(const pf_traces *whole, const row_part *part)
{
  pf_traces own = *whole;
  own.pre = plane_from(whole->pre, part->column);
  own.post = plane_from(whole->post, part->row);
  own.synapse = plane_from(whole->synapse, part->row * whole->ldw + part->column);
  return own;
}

/** The part as a block of its own; traces: memory for what it points to. */
static pf_block block_from(const pf_block *in, const row_part *part, pf_traces *traces)
{
  pf_block own = *in;
  own.n_rows = 1;
  own.n_pre = part->n_columns;
  own.row0 += part->row;
  own.pre += part->column;
  own.post += part->row;
  own.w += part->row * in->ldw + part->column;
  if (in->modulator_pre != NULL) {
    own.modulator_pre += part->column;
  }
  if (in->modulator_post != NULL) {
    own.modulator_post += part->row;
  }
  if (in->traces != NULL) {
    *traces = traces_from(in->traces, part);
    own.traces = traces;
  }
  return own;
}

/** Planes of slopes and of tangents of the same. */
typedef struct plane_pair {
  const pf_real *slope, *dot;
  int64_t n_planes, n, slope_stride, dot_stride;
} plane_pair;

static double add_planes(const plane_pair *of)
{
  double sum = 0.0;
  for (int64_t s = 0; s < of->n_planes && of->dot != NULL && of->slope != NULL; s++) {
    for (int64_t c = 0; c < of->n; c++) {
      const double dot = (double)of->dot[s * of->dot_stride + c];
      sum += dot == 0.0 ? 0.0 : (double)of->slope[s * of->slope_stride + c] * dot;
    }
  }
  return sum;
}

static const pf_real *along_k(const pf_real *dots, int64_t k, int64_t stride, int64_t offset)
{
  return dots == NULL ? NULL : dots + k * stride + offset;
}

/** Slopes of a part times direction k of its traces. */
static double add_traces(const row_slopes *at, const row_part *part, const pf_rule_tangent *tangent,
                         int64_t k)
{
  const pf_traces *dots = tangent->traces;
  const int64_t *n = at->plastic->n_traces, stride = tangent->traces_stride;
  if (dots == NULL) {
    return 0.0;
  }
  const int64_t columns = part->n_columns, width = at->n_columns;
  const plane_pair planes[] = {
      {at->traces.network, along_k(dots->network, k, stride, 0), 1, n[PF_PER_NETWORK], 0, 0},
      {at->traces.pre, along_k(dots->pre, k, stride, part->column), n[PF_PER_PRE], columns, width,
       dots->ld_pre},
      {at->traces.post, along_k(dots->post, k, stride, part->row), n[PF_PER_POST], 1, 1,
       dots->ld_post},
      {at->traces.synapse, along_k(dots->synapse, k, stride, part->row * dots->ldw + part->column),
       n[PF_PER_SYNAPSE], columns, width, dots->synapse_stride}};
  double sum = 0.0;
  for (size_t i = 0; i < sizeof planes / sizeof planes[0]; i++) {
    sum += add_planes(&planes[i]);
  }
  return sum;
}

static double add_theta(const row_slopes *at, const pf_rule_tangent *tangent, int64_t k)
{
  double sum = 0.0;
  if (tangent->theta_unit != NULL) {
    return tangent->theta_unit[k] < 0 ? 0.0 : at->theta[tangent->theta_unit[k]];
  }
  for (size_t i = 0; i < at->n_theta && tangent->theta != NULL; i++) {
    const double dot = tangent->theta[k * (int64_t)at->n_theta + (int64_t)i];
    sum += dot == 0.0 ? 0.0 : at->theta[i] * dot;
  }
  return sum;
}

/** Slopes of a part times direction k. */
static double along_direction(const row_slopes *at, const pf_block *in, const row_part *part,
                              const pf_rule_tangent *tangent, int64_t k)
{
  const int64_t columns = part->n_columns, width = at->n_columns;
  const plane_pair planes[] = {
      {at->pre, along_k(tangent->pre, k, tangent->pre_stride, part->column),
       signals_seen(&at->plastic->pre), columns, width, in->ld_pre},
      {at->post, along_k(tangent->post, k, tangent->post_stride, part->row),
       signals_seen(&at->plastic->post), 1, 1, in->ld_post},
      {at->w, along_k(tangent->w, k, tangent->w_stride, part->row * tangent->ldw + part->column), 1,
       columns, 0, 0}};
  double sum = add_traces(at, part, tangent, k) + add_theta(at, tangent, k);
  for (size_t i = 0; i < sizeof planes / sizeof planes[0]; i++) {
    sum += add_planes(&planes[i]);
  }
  return sum;
}

/* ---- dw ---- */

static pf_status dw_from_slopes(const pf_plastic *plastic, const pf_block *in,
                                const pf_rule_tangent *tangent, row_slopes *at, pf_error *error)
{
  for (int64_t i = 0; i < in->n_rows; i++) {
    for (int64_t j = 0; j < in->n_pre; j++) {
      const row_part part = {i, j, 1};
      pf_traces traces;
      const pf_block own = block_from(in, &part, &traces);
      const pf_rule_gradient into = clear_slopes(at);
      const pf_status status =
          plastic->rule->plugin->rule->vjp(plastic->rule->self, &own, &at->one, 1, &into, error);
      if (status != PF_OK) {
        return status;
      }
      for (int64_t k = 0; k < tangent->n_tangents; k++) {
        tangent->dw[k * tangent->dw_stride + i * tangent->lddw + j] =
            (pf_real)along_direction(at, in, &part, tangent, k);
      }
    }
  }
  return PF_OK;
}

pf_status pf_rule_jvp(const pf_plastic *plastic, const pf_block *in, const pf_rule_tangent *tangent,
                      pf_pool *pool, pf_error *error)
{
  const pf_rule_ops *ops = plastic->rule->plugin->rule;
  if (PF_HAS(ops, pf_rule_ops, jvp) && ops->jvp != NULL) {
    return ops->jvp(plastic->rule->self, in, tangent, error);
  }
  row_slopes at;
  const pf_status status = make_slopes(plastic, 1, pool, &at, error);
  return status == PF_OK ? dw_from_slopes(plastic, in, tangent, &at, error) : status;
}

/* ---- traces ---- */

/** Traces of one kind after the step, on some rows and columns each at a time. */
typedef struct trace_kind {
  const pf_plastic *plastic;
  const pf_block *in;
  const pf_rule_tangent *tangent;
  row_slopes *slopes;
} trace_kind;

/** One trace after the step: its slopes by what a part has, times all directions, into `next`. */
static pf_status differentiate_trace(const trace_kind *of, const row_part *part,
                                     const pf_traces *cotangent, pf_real *next, pf_error *error)
{
  const pf_component *rule = of->plastic->rule;
  pf_traces traces;
  const pf_block own = block_from(of->in, part, &traces);
  const pf_rule_gradient into = clear_slopes(of->slopes);
  const pf_status status =
      rule->plugin->rule->update_traces_vjp(rule->self, &own, cotangent, &into, error);
  if (status != PF_OK) {
    return status;
  }
  for (int64_t k = 0; k < of->tangent->n_tangents; k++) {
    next[k * of->tangent->traces_stride] =
        (pf_real)along_direction(of->slopes, of->in, part, of->tangent, k);
  }
  return PF_OK;
}

/** All traces of one kind. A trace of the network or of a postsynaptic unit may depend on all
 * columns, one of a presynaptic unit or of a synapse on its own alone. */
static pf_status differentiate_kind(const trace_kind *of, uint32_t per, const pf_traces *next,
                                    pf_error *error)
{
  const bool all_columns = per == PF_PER_NETWORK || per == PF_PER_POST;
  const int64_t n_rows = per == PF_PER_POST || per == PF_PER_SYNAPSE ? of->in->n_rows : 1;
  const int64_t n_columns = all_columns ? 1 : of->in->n_pre;
  pf_real *const planes[] = {next->network, next->pre, next->post, next->synapse};
  const int64_t strides[] = {1, next->ld_pre, next->ld_post, next->synapse_stride};
  const pf_traces *cotangent = &of->slopes->cotangent;
  pf_real *const ones[] = {cotangent->network, cotangent->pre, cotangent->post, cotangent->synapse};
  const int64_t ones_apart[] = {1, cotangent->ld_pre, 1, cotangent->synapse_stride};
  for (int64_t o = 0; planes[per] != NULL && o < of->plastic->n_traces[per]; o++) {
    ones[per][o * ones_apart[per]] = (pf_real)1;
    for (int64_t i = 0; i < n_rows; i++) {
      for (int64_t j = 0; j < n_columns; j++) {
        const row_part part = {i, j, all_columns ? of->in->n_pre : 1};
        const int64_t cell = per == PF_PER_SYNAPSE ? i * next->ldw + j : i + j;
        const pf_status status =
            differentiate_trace(of, &part, cotangent, planes[per] + o * strides[per] + cell, error);
        if (status != PF_OK) {
          return status;
        }
      }
    }
    ones[per][o * ones_apart[per]] = (pf_real)0;
  }
  return PF_OK;
}

pf_status pf_rule_traces_jvp(const pf_plastic *plastic, const pf_block *in,
                             const pf_rule_tangent *tangent, const pf_traces *next, pf_pool *pool,
                             pf_error *error)
{
  const pf_rule_ops *ops = plastic->rule->plugin->rule;
  if (PF_HAS(ops, pf_rule_ops, update_traces_jvp) && ops->update_traces_jvp != NULL) {
    return ops->update_traces_jvp(plastic->rule->self, in, tangent, next, error);
  }
  row_slopes at;
  pf_status status = make_slopes(plastic, in->n_pre, pool, &at, error);
  if (status != PF_OK) {
    return status;
  }
  const trace_kind of = {plastic, in, tangent, &at};
  for (uint32_t per = PF_PER_NETWORK; per <= PF_PER_SYNAPSE; per++) {
    status = differentiate_kind(&of, per, next, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}
