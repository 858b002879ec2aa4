/*
 * plugins/rules/expr/tape.h - formulas evaluated and differentiated over tiles of a block.
 *
 * A tile is some rows by some columns, small enough that what its nodes hold stays in the L1 cache.
 * Nodes per row are numbers in double; of nodes per synapse each operation is one loop over the
 * tile's columns, row by row. Backwards (reverse mode) each operation turns the cotangent of its
 * value into those of its operands: for a factor or summand per row that is a sum over the columns.
 * Forwards (tangents) the same partial derivatives are used.
 */
#ifndef PLASTFIT_RULES_EXPR_TAPE_H
#define PLASTFIT_RULES_EXPR_TAPE_H

#include "formula.h"

#include <plastfit/author/pf_math.h>

enum {
  TAPE_ROWS = 32,
  TAPE_CELLS = 12288,
  TAPE_SLOTS = 128,
  TAPE_MAX = 1024,
  TAPE_LEAST = 64,
  TAPE_ALIGN = 8
};

/** What it takes to evaluate one formula. */
typedef struct tape_program {
  int n_rows, rows[EXPR_NODES];     /**< nodes per row, operands before what uses them */
  int n_cells, cells[EXPR_NODES];   /**< nodes per synapse, no leaves */
  unsigned char needed[EXPR_NODES]; /**< must be computed for the adjoint */
  int uses[EXPR_NODES];             /**< as an operand in this formula */
  int reads_w;
} tape_program;

typedef struct tape {
  const expr_formulas *f;
  const tape_program *program;
  int root;
} tape;

/** Values of a node per synapse in the tile: row r at p + r * ld. */
typedef struct tape_plane {
  pf_real *p;
  int64_t ld;
} tape_plane;

/** One tile at work. `arena` is what nodes per synapse hold: values, then cotangents or tangents.
 */
typedef struct tape_tile {
  const pf_block *in;
  int64_t row, n_rows, column, n;
  int64_t max_rows, max_columns;
  int64_t ld, cells; /**< of a plane in the arena; planes are `cells` apart */
  int used;          /**< planes taken */
  double value[EXPR_NODES][TAPE_ROWS], dot[EXPR_NODES][TAPE_ROWS];
  tape_plane plane[EXPR_NODES], other[EXPR_NODES];
  pf_real arena[TAPE_CELLS];
} tape_tile;

/* ---- making programs ---- */

static inline int tape_n_operands(const expr_node *node, int *operands)
{
  int n = 0;
  if (node->a >= 0) {
    operands[n++] = node->a;
  }
  if (node->b >= 0) {
    operands[n++] = node->b;
  }
  if (node->c >= 0) {
    operands[n++] = node->c;
  }
  return n;
}

/** Does the adjoint of this operation use the value of that operand, or (own) its own? */
static inline int tape_adjoint_reads(int op, int which, int own)
{
  switch (op) {
  case EXPR_FILL:
  case EXPR_ADD_ROW:
  case EXPR_ADD:
  case EXPR_SUBTRACT:
    return 0;
  case EXPR_MUL_ROW:
  case EXPR_MUL_ADD:
    return !own && which == 0;
  default:
    return 1;
  }
}

/** Nodes are made after their operands, so their numbers are an order already. */
static inline void tape_make(const expr_formulas *f, int root, tape_program *out)
{
  unsigned char reached[EXPR_NODES] = {0};
  memset(out, 0, sizeof *out);
  reached[f->roots[root]] = 1;
  for (int i = f->n_nodes - 1; i >= 0; i--) {
    int operands[3];
    const int n = reached[i] ? tape_n_operands(&f->nodes[i], operands) : 0;
    for (int k = 0; k < n; k++) {
      reached[operands[k]] = 1;
      out->uses[operands[k]]++;
    }
  }
  for (int i = 0; i < f->n_nodes; i++) {
    const expr_node *node = &f->nodes[i];
    if (reached[i] && !node->is_cell) {
      out->rows[out->n_rows++] = i;
    } else if (reached[i] && node->op >= EXPR_FILL) {
      out->cells[out->n_cells++] = i;
      out->needed[i] = out->needed[i] || tape_adjoint_reads(node->op, 0, 1);
      const int operands[3] = {node->a, node->b, node->c};
      for (int k = 0; k < 3; k++) {
        if (operands[k] >= 0 && tape_adjoint_reads(node->op, k, 0)) {
          out->needed[operands[k]] = 1;
        }
      }
    }
    out->reads_w |= reached[i] && node->op == EXPR_W;
  }
  for (int k = out->n_cells - 1; k >= 0; k--) { /* what is computed needs its operands */
    int operands[3];
    const int n = tape_n_operands(&f->nodes[out->cells[k]], operands);
    for (int o = 0; out->needed[out->cells[k]] && o < n; o++) {
      out->needed[operands[o]] = 1;
    }
  }
}

/* ---- one synapse ---- */

PF_INLINE pf_real tape_integer_power(pf_real a, int n)
{
  pf_real result = 1;
  for (int k = n < 0 ? -n : n; k > 0; k--) {
    result *= a;
  }
  return n < 0 ? 1 / result : result;
}

/** Value of operation OP; b where it has two operands, n the exponent of EXPR_INTEGER. */
PF_INLINE pf_real tape_value(const int OP, pf_real a, pf_real b, int n)
{
  switch (OP) {
  case EXPR_ADD:
    return a + b;
  case EXPR_SUBTRACT:
    return a - b;
  case EXPR_MULTIPLY:
    return a * b;
  case EXPR_DIVIDE:
    return a / b;
  case EXPR_POWER:
    return (pf_real)pow((double)a, (double)b);
  case EXPR_INTEGER:
    return tape_integer_power(a, n);
  case EXPR_MIN:
    return pf_min(a, b);
  case EXPR_MAX:
    return pf_max(a, b);
  case EXPR_EXP:
    return pf_exp(a);
  case EXPR_LOG:
    return pf_log(a);
  case EXPR_TANH:
    return pf_tanh(a);
  case EXPR_SQRT:
    return pf_sqrt(a);
  case EXPR_ABS:
    return pf_abs(a);
  default:
    return pf_step(a);
  }
}

/* sqrt and powers between 0 and 1 have a value at 0, but an infinite derivative. It counts as 0
 * there: an input or a weight that is 0 and stays 0 moves nothing, and infinity times 0 would. */

/** Derivative of a^b by a. */
PF_INLINE double tape_power_by_a(double a, double b)
{
  return a == 0.0 && b < 1.0 ? 0.0 : b * pow(a, b - 1.0);
}

/** Its derivative by a; `v` is its value. At kinks: 0 of abs and step, the side of a of min and
 * max. */
PF_INLINE pf_real tape_by_a(const int OP, pf_real a, pf_real b, pf_real v, int n)
{
  switch (OP) {
  case EXPR_ADD:
  case EXPR_SUBTRACT:
    return 1;
  case EXPR_MULTIPLY:
    return b;
  case EXPR_DIVIDE:
    return 1 / b;
  case EXPR_POWER:
    return (pf_real)tape_power_by_a((double)a, (double)b);
  case EXPR_INTEGER:
    return n == 0 ? 0 : (pf_real)n * tape_integer_power(a, n - 1);
  case EXPR_MIN:
    return (pf_real)(b >= a ? 1 : 0);
  case EXPR_MAX:
    return (pf_real)(b <= a ? 1 : 0);
  case EXPR_EXP:
    return v;
  case EXPR_LOG:
    return 1 / a;
  case EXPR_TANH:
    return 1 - v * v;
  case EXPR_SQRT:
    return v > 0 ? (pf_real)0.5 / v : 0;
  case EXPR_ABS:
    return (pf_real)(a > 0 ? 1 : (a < 0 ? -1 : 0));
  default:
    return 0;
  }
}

PF_INLINE pf_real tape_by_b(const int OP, pf_real a, pf_real b, pf_real v)
{
  switch (OP) {
  case EXPR_ADD:
    return 1;
  case EXPR_SUBTRACT:
    return -1;
  case EXPR_MULTIPLY:
    return a;
  case EXPR_DIVIDE:
    return -v / b;
  case EXPR_POWER:
    return a > 0 ? v * pf_log(a) : (a < 0 ? (pf_real)NAN : 0);
  case EXPR_MIN:
    return (pf_real)(b >= a ? 0 : 1);
  case EXPR_MAX:
    return (pf_real)(b <= a ? 0 : 1);
  default:
    return 0;
  }
}

/* ---- numbers per row ---- */

/** Partial derivatives of an operation on numbers per row, in double. */
static inline void tape_row_partials(const expr_node *node, double a, double b, double v,
                                     double *by_a, double *by_b)
{
  *by_b = 0.0;
  switch (node->op) {
  case EXPR_ADD:
    *by_a = *by_b = 1.0;
    return;
  case EXPR_SUBTRACT:
    *by_a = 1.0;
    *by_b = -1.0;
    return;
  case EXPR_MULTIPLY:
    *by_a = b;
    *by_b = a;
    return;
  case EXPR_DIVIDE:
    *by_a = 1.0 / b;
    *by_b = -v / b;
    return;
  case EXPR_POWER:
    *by_a = tape_power_by_a(a, b);
    *by_b = a > 0 ? v * log(a) : (a < 0 ? (double)NAN : 0.0);
    return;
  case EXPR_INTEGER:
    *by_a = (int)node->value == 0 ? 0.0 : node->value * expr_integer_power(a, (int)node->value - 1);
    return;
  case EXPR_NEGATE:
    *by_a = -1.0;
    return;
  case EXPR_MIN:
    *by_a = b >= a ? 1.0 : 0.0;
    *by_b = 1.0 - *by_a;
    return;
  case EXPR_MAX:
    *by_a = b <= a ? 1.0 : 0.0;
    *by_b = 1.0 - *by_a;
    return;
  case EXPR_EXP:
    *by_a = v;
    return;
  case EXPR_LOG:
    *by_a = 1.0 / a;
    return;
  case EXPR_TANH:
    *by_a = 1.0 - v * v;
    return;
  case EXPR_SQRT:
    *by_a = v > 0.0 ? 0.5 / v : 0.0;
    return;
  case EXPR_ABS:
    *by_a = a > 0 ? 1.0 : (a < 0 ? -1.0 : 0.0);
    return;
  default:
    *by_a = 0.0;
    return;
  }
}

static inline void tape_row_values(const tape *t, tape_tile *tile)
{
  const pf_block *in = tile->in;
  for (int k = 0; k < t->program->n_rows; k++) {
    const int i = t->program->rows[k];
    const expr_node *node = &t->f->nodes[i];
    double *v = tile->value[i];
    for (int64_t r = 0; r < tile->n_rows; r++) {
      switch (node->op) {
      case EXPR_CONSTANT:
        v[r] = node->value;
        break;
      case EXPR_THETA:
        v[r] = in->theta[node->index];
        break;
      case EXPR_CHANNEL:
        v[r] = (double)in->modulator[node->index];
        break;
      case EXPR_Y:
        v[r] = (double)in->post[node->index * in->ld_post + tile->row + r];
        break;
      default:
        v[r] = expr_row_value(node->op, tile->value[node->a][r],
                              node->b >= 0 ? tile->value[node->b][r] : 0.0, node->value);
        break;
      }
    }
  }
}

/* ---- numbers per synapse: values ---- */

PF_INLINE tape_plane tape_new_plane(tape_tile *tile)
{
  return (tape_plane){tile->arena + tile->used++ * tile->cells, tile->ld};
}

/** Planes of the leaves. Inputs are const; a plane of one is never written. */
PF_INLINE tape_plane tape_leaf(const tape_tile *tile, const expr_node *node)
{
  const pf_block *in = tile->in;
  const int64_t at = tile->row * in->ldw + tile->column;
  switch (node->op) {
  case EXPR_X:
    return (tape_plane){(pf_real *)(uintptr_t)(in->pre + node->index * in->ld_pre + tile->column),
                        0};
  case EXPR_W:
    return (tape_plane){(pf_real *)(uintptr_t)(in->w + at), in->ldw};
  default:
    return (tape_plane){in->traces->synapse + node->index * in->traces->synapse_stride +
                            tile->row * in->traces->ldw + tile->column,
                        in->traces->ldw};
  }
}

PF_INLINE tape_plane tape_operand(const tape *t, const tape_tile *tile, int i)
{
  const expr_node *node = &t->f->nodes[i];
  return node->op < EXPR_FILL ? tape_leaf(tile, node) : tile->plane[i];
}

PF_INLINE void tape_run_value(const int OP, const tape_tile *tile, tape_plane out, tape_plane a,
                              tape_plane b, int n)
{
  for (int64_t r = 0; r < tile->n_rows; r++) {
    pf_real *o = out.p + r * out.ld;
    const pf_real *u = a.p + r * a.ld, *v = b.p + r * b.ld;
#pragma omp simd
    for (int64_t j = 0; j < tile->n; j++) {
      o[j] = tape_value(OP, u[j], v[j], n);
    }
  }
}

PF_INLINE void tape_run_power(const tape_tile *tile, tape_plane out, tape_plane a, tape_plane b)
{
  for (int64_t r = 0; r < tile->n_rows; r++) {
    for (int64_t j = 0; j < tile->n; j++) {
      out.p[r * out.ld + j] = tape_value(EXPR_POWER, a.p[r * a.ld + j], b.p[r * b.ld + j], 0);
    }
  }
}

/** s v, and u + s v: operations with a number per row. */
PF_INLINE void tape_run_row(const int OP, const tape_tile *tile, tape_plane out, tape_plane a,
                            tape_plane c, const double *s)
{
  for (int64_t r = 0; r < tile->n_rows; r++) {
    const pf_real k = (pf_real)s[r];
    pf_real *o = out.p + r * out.ld;
    const pf_real *v = a.p + r * a.ld, *u = c.p + r * c.ld;
#pragma omp simd
    for (int64_t j = 0; j < tile->n; j++) {
      o[j] =
          OP == EXPR_FILL
              ? k
              : (OP == EXPR_ADD_ROW ? v[j] + k : (OP == EXPR_MUL_ROW ? k * v[j] : u[j] + k * v[j]));
    }
  }
}

#define TAPE_EACH_OP(X) \
  X(EXPR_MULTIPLY)      \
  X(EXPR_DIVIDE)        \
  X(EXPR_MIN)           \
  X(EXPR_MAX)           \
  X(EXPR_EXP)           \
  X(EXPR_LOG)           \
  X(EXPR_TANH)          \
  X(EXPR_SQRT)          \
  X(EXPR_ABS)           \
  X(EXPR_STEP)

PF_INLINE void tape_value_of(const tape *t, tape_tile *tile, int i, tape_plane out)
{
  const expr_node *node = &t->f->nodes[i];
  const tape_plane none = {NULL, 0};
  const tape_plane a = node->a >= 0 ? tape_operand(t, tile, node->a) : none;
  const int has_row = node->op <= EXPR_MUL_ADD;
  const tape_plane b = !has_row && node->b >= 0 ? tape_operand(t, tile, node->b) : a;
  switch (node->op) {
  case EXPR_FILL:
    tape_run_row(EXPR_FILL, tile, out, out, out, tile->value[node->b]);
    break;
  case EXPR_ADD_ROW:
    tape_run_row(EXPR_ADD_ROW, tile, out, a, a, tile->value[node->b]);
    break;
  case EXPR_MUL_ROW:
    tape_run_row(EXPR_MUL_ROW, tile, out, a, a, tile->value[node->b]);
    break;
  case EXPR_MUL_ADD:
    tape_run_row(EXPR_MUL_ADD, tile, out, a, tape_operand(t, tile, node->c), tile->value[node->b]);
    break;
  case EXPR_INTEGER:
    if (node->value >= 2.0 && node->value <= 2.0) {
      tape_run_value(EXPR_MULTIPLY, tile, out, a, a, 0);
    } else {
      tape_run_value(EXPR_INTEGER, tile, out, a, a, (int)node->value);
    }
    break;
  case EXPR_POWER:
    tape_run_power(tile, out, a, b);
    break;
#define TAPE_CASE(OP)                       \
  case OP:                                  \
    tape_run_value(OP, tile, out, a, b, 0); \
    break;
    TAPE_CASE(EXPR_ADD)
    TAPE_CASE(EXPR_SUBTRACT)
    TAPE_EACH_OP(TAPE_CASE)
#undef TAPE_CASE
  default:
    break;
  }
}

/** Every value of the formula; that of the root into `out`. With for_adjoint only those that the
 * adjoint reads. */
PF_INLINE void tape_values(int for_adjoint, const tape *t, tape_tile *tile, tape_plane out)
{
  const int root = t->f->roots[t->root];
  tape_row_values(t, tile);
  for (int k = 0; k < t->program->n_cells; k++) {
    const int i = t->program->cells[k];
    if (for_adjoint && !t->program->needed[i]) {
      tile->plane[i] = (tape_plane){NULL, 0};
      continue;
    }
    tile->plane[i] = i == root && !for_adjoint ? out : tape_new_plane(tile);
    tape_value_of(t, tile, i, tile->plane[i]);
  }
}

/* ---- results that are not numbers ---- */

static inline int tape_is_partial(int op)
{
  return op == EXPR_LOG || op == EXPR_SQRT || op == EXPR_DIVIDE || op == EXPR_POWER ||
         op == EXPR_INTEGER;
}

static inline pf_status tape_say(const tape *t, const expr_node *node, double a, double b, double v,
                                 pf_error *error)
{
  const char *what = t->root == 0 ? "dw" : t->f->traces.items[t->root - 1];
  switch (node->op) {
  case EXPR_LOG:
    return pf_fail(error, PF_POINT_FAILED, "%s, column %d: log(%g) is %g", what, node->column, a,
                   v);
  case EXPR_SQRT:
    return pf_fail(error, PF_POINT_FAILED, "%s, column %d: sqrt(%g) is %g", what, node->column, a,
                   v);
  case EXPR_DIVIDE:
    return pf_fail(error, PF_POINT_FAILED, "%s, column %d: %g / %g is %g", what, node->column, a, b,
                   v);
  default:
    return pf_fail(error, PF_POINT_FAILED, "%s, column %d: %g ^ %g is %g", what, node->column, a,
                   node->op == EXPR_INTEGER ? node->value : b, v);
  }
}

/** log(-1), 0/0 and the like: an operation that is not finite though its operands are. */
static inline pf_status tape_check(const tape *t, const tape_tile *tile, pf_error *error)
{
  for (int k = 0; k < t->program->n_rows; k++) {
    const int i = t->program->rows[k];
    const expr_node *node = &t->f->nodes[i];
    for (int64_t r = 0; tape_is_partial(node->op) && r < tile->n_rows; r++) {
      const double a = tile->value[node->a][r], b = node->b >= 0 ? tile->value[node->b][r] : 0.0;
      if (!isfinite(tile->value[i][r]) && isfinite(a) && isfinite(b)) {
        return tape_say(t, node, a, b, tile->value[i][r], error);
      }
    }
  }
  for (int k = 0; k < t->program->n_cells; k++) {
    const int i = t->program->cells[k];
    const expr_node *node = &t->f->nodes[i];
    if (!tape_is_partial(node->op)) {
      continue;
    }
    const tape_plane a = tape_operand(t, tile, node->a);
    const tape_plane b = node->b >= 0 ? tape_operand(t, tile, node->b) : a;
    for (int64_t r = 0; r < tile->n_rows; r++) {
      const pf_real *v = tile->plane[i].p + r * tile->plane[i].ld;
      pf_real zero = 0; /* inf - inf and NaN - NaN are NaN */
#pragma omp simd reduction(+ : zero)
      for (int64_t j = 0; j < tile->n; j++) {
        zero += v[j] - v[j];
      }
      for (int64_t j = 0; !(zero <= 0) && j < tile->n; j++) {
        const double left = (double)a.p[r * a.ld + j], right = (double)b.p[r * b.ld + j];
        if (!isfinite((double)v[j]) && isfinite(left) && isfinite(right)) {
          return tape_say(t, node, left, right, (double)v[j], error);
        }
      }
    }
  }
  return PF_OK;
}

/* ---- adjoint ---- */

/** Where cotangents go. A NULL p is not wanted. */
typedef struct tape_cotangent {
  tape_plane to;
  int adds; /**< += rather than = */
} tape_cotangent;

/** ga (+)= c da, gb (+)= c db for an operation with one or two operands per synapse. */
PF_INLINE void tape_run_adjoint(const int OP, const int B, const tape_tile *tile, tape_plane c,
                                tape_plane v, tape_plane a, tape_plane b, tape_cotangent to, int n)
{
  for (int64_t r = 0; r < tile->n_rows && to.to.p != NULL; r++) {
    const pf_real *cotangent = c.p + r * c.ld, *value = v.p + r * v.ld, *left = a.p + r * a.ld,
                  *right = b.p + r * b.ld;
    pf_real *g = to.to.p + r * to.to.ld;
    if (to.adds) {
#pragma omp simd
      for (int64_t j = 0; j < tile->n; j++) {
        g[j] += cotangent[j] * (B ? tape_by_b(OP, left[j], right[j], value[j])
                                  : tape_by_a(OP, left[j], right[j], value[j], n));
      }
    } else {
#pragma omp simd
      for (int64_t j = 0; j < tile->n; j++) {
        g[j] = cotangent[j] * (B ? tape_by_b(OP, left[j], right[j], value[j])
                                 : tape_by_a(OP, left[j], right[j], value[j], n));
      }
    }
  }
}

PF_INLINE void tape_run_adjoint_power(const tape_tile *tile, tape_plane c, tape_plane v,
                                      tape_plane a, tape_plane b, tape_cotangent to, const int B)
{
  for (int64_t r = 0; r < tile->n_rows && to.to.p != NULL; r++) {
    for (int64_t j = 0; j < tile->n; j++) {
      const pf_real left = a.p[r * a.ld + j], right = b.p[r * b.ld + j];
      const pf_real by = B ? tape_by_b(EXPR_POWER, left, right, v.p[r * v.ld + j])
                           : tape_by_a(EXPR_POWER, left, right, v.p[r * v.ld + j], 0);
      pf_real *g = to.to.p + r * to.to.ld + j;
      *g = (to.adds ? *g : 0) + c.p[r * c.ld + j] * by;
    }
  }
}

/** g (+)= sign c: of a summand. */
PF_INLINE void tape_pass(const tape_tile *tile, tape_plane c, tape_cotangent to, pf_real sign)
{
  for (int64_t r = 0; r < tile->n_rows && to.to.p != NULL; r++) {
    const pf_real *cotangent = c.p + r * c.ld;
    pf_real *g = to.to.p + r * to.to.ld;
#pragma omp simd
    for (int64_t j = 0; j < tile->n; j++) {
      g[j] = to.adds ? g[j] + sign * cotangent[j] : sign * cotangent[j];
    }
  }
}

/** Of s v: the sum of c v into s, and g (+)= s c. */
PF_INLINE void tape_run_adjoint_row(const tape_tile *tile, tape_plane c, tape_plane v,
                                    tape_cotangent to, const double *s, double *s_bar)
{
  for (int64_t r = 0; r < tile->n_rows; r++) {
    const pf_real *cotangent = c.p + r * c.ld, *value = v.p + r * v.ld;
    const pf_real k = (pf_real)s[r];
    pf_real sum = 0;
    if (to.to.p == NULL) {
#pragma omp simd reduction(+ : sum)
      for (int64_t j = 0; j < tile->n; j++) {
        sum += cotangent[j] * value[j];
      }
    } else if (to.adds) {
      pf_real *g = to.to.p + r * to.to.ld;
#pragma omp simd reduction(+ : sum)
      for (int64_t j = 0; j < tile->n; j++) {
        sum += cotangent[j] * value[j];
        g[j] += k * cotangent[j];
      }
    } else {
      pf_real *g = to.to.p + r * to.to.ld;
#pragma omp simd reduction(+ : sum)
      for (int64_t j = 0; j < tile->n; j++) {
        sum += cotangent[j] * value[j];
        g[j] = k * cotangent[j];
      }
    }
    s_bar[r] += (double)sum;
  }
}

PF_INLINE void tape_run_adjoint_sum(const tape_tile *tile, tape_plane c, double *s_bar)
{
  for (int64_t r = 0; r < tile->n_rows; r++) {
    const pf_real *cotangent = c.p + r * c.ld;
    pf_real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t j = 0; j < tile->n; j++) {
      sum += cotangent[j];
    }
    s_bar[r] += (double)sum;
  }
}

/** The plane that takes the cotangent of node i: the host's for a leaf, one of the arena else. */
PF_INLINE tape_cotangent tape_target(const tape *t, tape_tile *tile,
                                     const pf_rule_gradient *gradient, int i)
{
  const expr_node *node = &t->f->nodes[i];
  tape_cotangent to = {{NULL, 0}, 1};
  if (node->op == EXPR_X && gradient->pre != NULL) {
    to.to = (tape_plane){gradient->pre + node->index * gradient->ld_pre + tile->column, 0};
  } else if (node->op == EXPR_W && gradient->w != NULL) {
    to.to = (tape_plane){gradient->w + tile->row * gradient->ldw + tile->column, gradient->ldw};
  } else if (node->op == EXPR_TRACE && gradient->traces->synapse != NULL) {
    const pf_traces *g = gradient->traces;
    to.to = (tape_plane){
        g->synapse + node->index * g->synapse_stride + tile->row * g->ldw + tile->column, g->ldw};
  } else if (node->op >= EXPR_FILL) {
    to.adds = tile->other[i].p != NULL;
    if (!to.adds) {
      tile->other[i] = tape_new_plane(tile);
    }
    to.to = tile->other[i];
  }
  return to;
}

/** As above of a summand with the cotangent c: where nothing else uses it, c is its own. NULL:
 * nothing left to do. */
PF_INLINE void tape_give(const tape *t, tape_tile *tile, const pf_rule_gradient *gradient, int i,
                         tape_plane c)
{
  if (t->f->nodes[i].op >= EXPR_FILL && t->program->uses[i] == 1) {
    tile->other[i] = c;
  } else {
    tape_pass(tile, c, tape_target(t, tile, gradient, i), 1);
  }
}

PF_INLINE void tape_adjoint_of(const tape *t, tape_tile *tile, const pf_rule_gradient *gradient,
                               int i)
{
  const expr_node *node = &t->f->nodes[i];
  const tape_plane c = tile->other[i];
  const tape_plane v = tile->plane[i].p != NULL ? tile->plane[i] : c;
  switch (node->op) {
  case EXPR_FILL:
    tape_run_adjoint_sum(tile, c, tile->dot[node->b]);
    return;
  case EXPR_ADD_ROW:
    tape_run_adjoint_sum(tile, c, tile->dot[node->b]);
    tape_give(t, tile, gradient, node->a, c);
    return;
  case EXPR_MUL_ADD:
    tape_give(t, tile, gradient, node->c, c);
    tape_run_adjoint_row(tile, c, tape_operand(t, tile, node->a),
                         tape_target(t, tile, gradient, node->a), tile->value[node->b],
                         tile->dot[node->b]);
    return;
  case EXPR_MUL_ROW:
    tape_run_adjoint_row(tile, c, tape_operand(t, tile, node->a),
                         tape_target(t, tile, gradient, node->a), tile->value[node->b],
                         tile->dot[node->b]);
    return;
  case EXPR_ADD:
    tape_give(t, tile, gradient, node->a, c);
    tape_give(t, tile, gradient, node->b, c);
    return;
  case EXPR_SUBTRACT:
    tape_give(t, tile, gradient, node->a, c);
    tape_pass(tile, c, tape_target(t, tile, gradient, node->b), -1);
    return;
  default:
    break;
  }
  const tape_plane a = tape_operand(t, tile, node->a);
  const tape_plane b = node->b >= 0 ? tape_operand(t, tile, node->b) : a;
  switch (node->op) {
  case EXPR_INTEGER:
    tape_run_adjoint(EXPR_INTEGER, 0, tile, c, v, a, b, tape_target(t, tile, gradient, node->a),
                     (int)node->value);
    break;
  case EXPR_POWER:
    tape_run_adjoint_power(tile, c, v, a, b, tape_target(t, tile, gradient, node->a), 0);
    tape_run_adjoint_power(tile, c, v, a, b, tape_target(t, tile, gradient, node->b), 1);
    break;
#define TAPE_CASE(OP)                                                                        \
  case OP:                                                                                   \
    tape_run_adjoint(OP, 0, tile, c, v, a, b, tape_target(t, tile, gradient, node->a), 0);   \
    if (node->b >= 0) {                                                                      \
      tape_run_adjoint(OP, 1, tile, c, v, a, b, tape_target(t, tile, gradient, node->b), 0); \
    }                                                                                        \
    break;
    TAPE_EACH_OP(TAPE_CASE)
#undef TAPE_CASE
  default:
    break;
  }
}

static inline void tape_row_adjoint(const tape *t, tape_tile *tile,
                                    const pf_rule_gradient *gradient)
{
  for (int k = t->program->n_rows - 1; k >= 0; k--) {
    const int i = t->program->rows[k];
    const expr_node *node = &t->f->nodes[i];
    for (int64_t r = 0; r < tile->n_rows; r++) {
      const double bar = tile->dot[i][r];
      if (node->op == EXPR_THETA) {
        if (gradient->theta != NULL) {
          gradient->theta[node->index] += bar;
        }
      } else if (node->op == EXPR_Y) {
        if (gradient->post != NULL) {
          gradient->post[node->index * gradient->ld_post + tile->row + r] += (pf_real)bar;
        }
      } else if (node->op != EXPR_CONSTANT && node->op != EXPR_CHANNEL) {
        double by_a = 0.0, by_b = 0.0;
        tape_row_partials(node, tile->value[node->a][r],
                          node->b >= 0 ? tile->value[node->b][r] : 0.0, tile->value[i][r], &by_a,
                          &by_b);
        tile->dot[node->a][r] += bar * by_a;
        if (node->b >= 0) {
          tile->dot[node->b][r] += bar * by_b;
        }
      }
    }
  }
}

/** Adds the gradients of sum of seed times the formula. Values must be there (tape_values with
 * for_adjoint). */
PF_INLINE void tape_adjoint(const tape *t, tape_tile *tile, const pf_rule_gradient *gradient,
                            tape_plane seed)
{
  for (int k = 0; k < t->program->n_rows; k++) {
    memset(tile->dot[t->program->rows[k]], 0, (size_t)tile->n_rows * sizeof(double));
  }
  for (int k = 0; k < t->program->n_cells; k++) {
    tile->other[t->program->cells[k]] = (tape_plane){NULL, 0};
  }
  const int root = t->f->roots[t->root];
  tile->other[root] = seed;
  for (int k = t->program->n_cells - 1; k >= 0; k--) {
    tape_adjoint_of(t, tile, gradient, t->program->cells[k]);
  }
  tape_row_adjoint(t, tile, gradient);
}

/* ---- tangents ---- */

/** A direction: tangents of the leaves in this tile; a NULL p is 0. */
typedef struct tape_direction {
  const double *theta;
  const pf_real *post, *pre;
  tape_plane w, traces[EXPR_TRACES];
} tape_direction;

static const pf_real tape_zeros[TAPE_MAX] = {0};

static inline void tape_row_tangents(const tape *t, tape_tile *tile, const tape_direction *to)
{
  for (int k = 0; k < t->program->n_rows; k++) {
    const int i = t->program->rows[k];
    const expr_node *node = &t->f->nodes[i];
    for (int64_t r = 0; r < tile->n_rows; r++) {
      double dot = 0.0;
      if (node->op == EXPR_THETA) {
        dot = to->theta != NULL ? to->theta[node->index] : 0.0;
      } else if (node->op == EXPR_Y) {
        const int64_t plane = node->index * tile->in->ld_post;
        dot = to->post != NULL ? (double)to->post[plane + tile->row + r] : 0.0;
      } else if (node->a >= 0) {
        double by_a = 0.0, by_b = 0.0;
        tape_row_partials(node, tile->value[node->a][r],
                          node->b >= 0 ? tile->value[node->b][r] : 0.0, tile->value[i][r], &by_a,
                          &by_b);
        dot = by_a * tile->dot[node->a][r] + (node->b >= 0 ? by_b * tile->dot[node->b][r] : 0.0);
      }
      tile->dot[i][r] = dot;
    }
  }
}

/** Of a presynaptic signal in this tile. */
PF_INLINE tape_plane tape_tangent_pre(const tape_tile *tile, const tape_direction *to, int signal)
{
  if (to->pre == NULL) {
    return (tape_plane){NULL, 0};
  }
  const pf_real *at = to->pre + signal * tile->in->ld_pre + tile->column;
  return (tape_plane){(pf_real *)(uintptr_t)at, 0};
}

PF_INLINE tape_plane tape_tangent_operand(const tape *t, const tape_tile *tile,
                                          const tape_direction *to, int i)
{
  const expr_node *node = &t->f->nodes[i];
  const tape_plane plane = node->op >= EXPR_FILL ? tile->other[i]
                           : node->op == EXPR_X  ? tape_tangent_pre(tile, to, node->index)
                           : node->op == EXPR_W  ? to->w
                                                 : to->traces[node->index];
  return plane.p != NULL ? plane : (tape_plane){(pf_real *)(uintptr_t)tape_zeros, 0};
}

/** o = da by_a + db by_b. */
PF_INLINE void tape_run_tangent(const int OP, const tape_tile *tile, tape_plane out, tape_plane v,
                                tape_plane a, tape_plane b, tape_plane a_dot, tape_plane b_dot,
                                const int TWO, int n)
{
  for (int64_t r = 0; r < tile->n_rows; r++) {
    pf_real *o = out.p + r * out.ld;
    const pf_real *value = v.p + r * v.ld, *left = a.p + r * a.ld, *right = b.p + r * b.ld;
    const pf_real *da = a_dot.p + r * a_dot.ld, *db = b_dot.p + r * b_dot.ld;
    for (int64_t j = 0; j < tile->n; j++) {
      const pf_real first = tape_by_a(OP, left[j], right[j], value[j], n) * da[j];
      /* where b does not change, log(a) of a power must not matter */
      const pf_real second =
          TWO && (db[j] > 0 || db[j] < 0) ? tape_by_b(OP, left[j], right[j], value[j]) * db[j] : 0;
      o[j] = first + second;
    }
  }
}

PF_INLINE void tape_tangent_of(const tape *t, tape_tile *tile, const tape_direction *to, int i,
                               tape_plane out)
{
  const expr_node *node = &t->f->nodes[i];
  const tape_plane v = tile->plane[i];
  if (node->op <= EXPR_MUL_ADD) {
    const double *s = tile->value[node->b], *s_dot = tile->dot[node->b];
    const tape_plane zero = {(pf_real *)(uintptr_t)tape_zeros, 0};
    const tape_plane a = node->a >= 0 ? tape_operand(t, tile, node->a) : zero;
    const tape_plane a_dot = node->a >= 0 ? tape_tangent_operand(t, tile, to, node->a) : zero;
    const tape_plane c_dot = node->c >= 0 ? tape_tangent_operand(t, tile, to, node->c) : zero;
    const int is_product = node->op == EXPR_MUL_ROW || node->op == EXPR_MUL_ADD;
    for (int64_t r = 0; r < tile->n_rows; r++) {
      const pf_real k = is_product ? (pf_real)s[r] : 1;
      const pf_real k_dot = is_product ? (pf_real)s_dot[r] : 0,
                    d_dot = is_product ? 0 : (pf_real)s_dot[r];
      pf_real *o = out.p + r * out.ld;
      const pf_real *u = a.p + r * a.ld, *u_dot = a_dot.p + r * a_dot.ld,
                    *rest = c_dot.p + r * c_dot.ld;
#pragma omp simd
      for (int64_t j = 0; j < tile->n; j++) {
        o[j] = rest[j] + d_dot + (k * u_dot[j] + (is_product ? k_dot * u[j] : 0));
      }
    }
    return;
  }
  const tape_plane a = tape_operand(t, tile, node->a);
  const tape_plane b = node->b >= 0 ? tape_operand(t, tile, node->b) : a;
  const tape_plane a_dot = tape_tangent_operand(t, tile, to, node->a);
  const tape_plane b_dot = node->b >= 0 ? tape_tangent_operand(t, tile, to, node->b) : a_dot;
  switch (node->op) {
  case EXPR_INTEGER:
    tape_run_tangent(EXPR_INTEGER, tile, out, v, a, b, a_dot, b_dot, 0, (int)node->value);
    break;
#define TAPE_CASE(OP)                                                        \
  case OP:                                                                   \
    tape_run_tangent(OP, tile, out, v, a, b, a_dot, b_dot, node->b >= 0, 0); \
    break;
    TAPE_CASE(EXPR_ADD)
    TAPE_CASE(EXPR_SUBTRACT)
    TAPE_EACH_OP(TAPE_CASE)
    TAPE_CASE(EXPR_POWER)
#undef TAPE_CASE
  default:
    break;
  }
}

/** Tangent of the formula into `out`. All values must be there (tape_values, not for_adjoint). */
PF_INLINE void tape_tangent(const tape *t, tape_tile *tile, const tape_direction *to,
                            tape_plane out)
{
  tape_row_tangents(t, tile, to);
  for (int k = 0; k < t->program->n_cells; k++) {
    const int i = t->program->cells[k];
    tile->other[i] = i == t->f->roots[t->root] ? out : tape_new_plane(tile);
    tape_tangent_of(t, tile, to, i, tile->other[i]);
  }
}

/* ---- kernels ---- */

/** The three, compiled once per instruction set: each is long, and called from several ops. */
typedef struct tape_kernels {
  void (*values)(int for_adjoint, const tape *t, tape_tile *tile, tape_plane out);
  void (*adjoint)(const tape *t, tape_tile *tile, const pf_rule_gradient *gradient,
                  tape_plane seed);
  void (*tangent)(const tape *t, tape_tile *tile, const tape_direction *to, tape_plane out);
} tape_kernels;

/* ---- tiles ---- */

/** Sizes of the tiles: what their planes hold together fits in the L1 cache. */
PF_INLINE void tape_start(tape_tile *tile, const tape *t, const pf_block *in, int planes_a_node)
{
  const int64_t planes = 2 + (int64_t)planes_a_node * t->program->n_cells;
  int64_t cells = 4096 / planes / TAPE_ALIGN * TAPE_ALIGN;
  cells = cells > TAPE_MAX ? TAPE_MAX : (cells < TAPE_LEAST ? TAPE_LEAST : cells);
  tile->in = in;
  tile->cells = cells;
  tile->row = tile->column = 0;
  tile->max_columns = in->n_pre < cells ? in->n_pre : cells;
  tile->ld = (tile->max_columns + TAPE_ALIGN - 1) / TAPE_ALIGN * TAPE_ALIGN;
  const int64_t rows = tile->ld > 0 ? cells / tile->ld : 1;
  tile->max_rows = rows > TAPE_ROWS ? TAPE_ROWS : (rows < 1 ? 1 : rows);
}

/** Is there a tile here? Sets its size; no plane of the arena is taken. */
PF_INLINE int tape_take(tape_tile *tile)
{
  const int64_t rows = tile->in->n_rows - tile->row, columns = tile->in->n_pre - tile->column;
  tile->n_rows = rows < tile->max_rows ? rows : tile->max_rows;
  tile->n = columns < tile->max_columns ? columns : tile->max_columns;
  tile->used = 0;
  return rows > 0 && columns > 0;
}

PF_INLINE void tape_next(tape_tile *tile)
{
  tile->column += tile->max_columns;
  if (tile->column >= tile->in->n_pre) {
    tile->column = 0;
    tile->row += tile->max_rows;
  }
}

#endif
