/*
 * plugins/rules/common/rule_tangent.h - tangents of a rule along many directions at once:
 *
 *     dw'_k = dg/dtheta . theta'_k + (dg/dx) x'_k + (dg/dy) y'_k + (dg/dw) w'_k
 *
 * The slopes are the same for all directions, so a rule works them out once for a stretch of
 * synapses: part of a row of a wide block or, packed, whole rows of a narrow one. What is here is
 * the rest: cutting a block into stretches, and one direction on a stretch.
 */
#ifndef PLASTFIT_RULES_RULE_TANGENT_H
#define PLASTFIT_RULES_RULE_TANGENT_H

#include "rule_common.h"

enum {
  RULE_STRETCH = 128,      /* synapses of a stretch, at most */
  RULE_STRETCH_NARROW = 12 /* columns from which on a row is a stretch of its own */
};

/** Synapses [column, column + n_columns) of rows [row, row + n_rows), n in all, counted row by row.
 */
typedef struct rule_stretch {
  int64_t n, row, n_rows, column, n_columns;
  int reads_x, reads_y, reads_w; /**< the rule reads it, and it has tangents */
  int gathers_w, scatters;       /**< tangents of w, and of dw, have gaps */
  pf_real by_x[RULE_STRETCH], by_y[RULE_STRETCH],
      by_w[RULE_STRETCH]; /**< slopes of dw, of what is read */
  pf_real dot_x[RULE_STRETCH], dot_y[RULE_STRETCH], dot_w[RULE_STRETCH], out[RULE_STRETCH];
} rule_stretch;

/** The next stretch of a block; begin with n 0. `longest`: at most RULE_STRETCH. 0: there is none.
 */
PF_INLINE int rule_stretch_next(const pf_block *in, const pf_rule_tangent *tangent, int64_t longest,
                                rule_stretch *at)
{
  const int64_t rows_at_once =
      in->n_pre < RULE_STRETCH_NARROW && in->n_pre > 0 ? longest / in->n_pre : 1;
  if (at->n == 0) {
    at->row = at->column = 0;
  } else if (at->column + at->n_columns < in->n_pre) {
    at->column += at->n_columns;
  } else {
    at->row += at->n_rows;
    at->column = 0;
  }
  if (at->row >= in->n_rows || in->n_pre == 0) {
    return 0;
  }
  at->n_rows = in->n_rows - at->row < rows_at_once ? in->n_rows - at->row : rows_at_once;
  at->n_columns = in->n_pre - at->column < longest ? in->n_pre - at->column : longest;
  at->n = at->n_rows * at->n_columns;
  at->gathers_w = at->n_rows > 1 && tangent->ldw != at->n_columns;
  at->scatters = at->n_rows > 1 && tangent->lddw != at->n_columns;
  return 1;
}

/**
 * Direction k on a stretch, with factor * slope [n] for what theta does (more may be added to what
 * is returned). X, Y, W: at->reads_x and so on, constants, so that one direction after the other is
 * a short loop. Returns where it stands, to be handed to rule_tangent_store. Contiguous tangents
 * are taken as they lie, others gathered.
 */
PF_INLINE pf_real *rule_tangent_of(const int X, const int Y, const int W,
                                   const pf_rule_tangent *tangent, int64_t k, pf_real factor,
                                   const pf_real *slope, rule_stretch *at)
{
  const int64_t n = at->n;
  const pf_real *dot_x = at->dot_x, *dot_y = at->dot_y, *dot_w = at->dot_w;
  pf_real *out = at->scatters
                     ? at->out
                     : tangent->dw + k * tangent->dw_stride + at->row * tangent->lddw + at->column;
  /* each its own loop: a choice within one becomes a masked load, which costs hundreds of cycles
   * where it is at NULL */
  if (Y) {
    const pf_real *y = tangent->post + k * tangent->post_stride + at->row;
    for (int64_t i = 0; i < at->n_rows; i++) {
      const pf_real dot = y[i];
      for (int64_t j = 0; j < at->n_columns; j++) {
        at->dot_y[i * at->n_columns + j] = dot;
      }
    }
  }
  if (X) {
    const pf_real *x = tangent->pre + k * tangent->pre_stride + at->column;
    dot_x = at->n_rows == 1 ? x : at->dot_x;
    for (int64_t i = 0; i < at->n_rows && at->n_rows > 1; i++) {
      for (int64_t j = 0; j < at->n_columns; j++) {
        at->dot_x[i * at->n_columns + j] = x[j];
      }
    }
  }
  if (W) {
    const pf_real *w = tangent->w + k * tangent->w_stride + at->row * tangent->ldw + at->column;
    dot_w = at->gathers_w ? at->dot_w : w;
    for (int64_t i = 0; i < at->n_rows && at->gathers_w; i++) {
      for (int64_t j = 0; j < at->n_columns; j++) {
        at->dot_w[i * at->n_columns + j] = w[i * tangent->ldw + j];
      }
    }
  }
#pragma omp simd
  for (int64_t e = 0; e < n; e++) {
    pf_real sum = factor * slope[e];
    if (W) {
      sum += at->by_w[e] * dot_w[e];
    }
    if (Y) {
      sum += at->by_y[e] * dot_y[e];
    }
    if (X) {
      sum += at->by_x[e] * dot_x[e];
    }
    out[e] = sum;
  }
  return out;
}

enum { RULE_TOGETHER = 16 /* directions taken at once by rule_tangents_of_w */ };

/** May rule_tangents_of_w take this stretch? */
PF_INLINE int rule_tangents_are_of_w(const pf_rule_tangent *tangent, const rule_stretch *at)
{
  return at->reads_w && !at->reads_x && !at->reads_y && !at->gathers_w && !at->scatters &&
         (tangent->theta == NULL ||
          (PF_HAS(tangent, pf_rule_tangent, theta_unit) && tangent->theta_unit != NULL));
}

/**
 * Directions [k, k + count), of which only w has tangents, on a stretch without gaps: factor[]
 * times slope[] (each [n]) for what theta does. Slopes of a few synapses stay in registers for all
 * of them, which is most of it in a narrow block.
 */
PF_INLINE void rule_tangents_of_w(const pf_rule_tangent *tangent, int64_t k, int64_t count,
                                  const pf_real *factor, const pf_real *const *slope,
                                  const rule_stretch *at)
{
  enum { LANES = 32 / sizeof(pf_real) };
  const int64_t n = at->n, w_stride = tangent->w_stride, dw_stride = tangent->dw_stride;
  const pf_real *w = tangent->w + k * w_stride + at->row * tangent->ldw + at->column;
  pf_real *dw = tangent->dw + k * dw_stride + at->row * tangent->lddw + at->column;
  int64_t e = 0;
  for (; e + LANES <= n; e += LANES) {
    pf_real by_w[LANES];
    for (int l = 0; l < LANES; l++) {
      by_w[l] = at->by_w[e + l];
    }
    for (int64_t d = 0; d < count; d++) {
      const pf_real *dot = w + d * w_stride + e, *product = slope[d] + e;
      pf_real *out = dw + d * dw_stride + e;
      const pf_real times = factor[d];
#pragma omp simd
      for (int l = 0; l < LANES; l++) {
        out[l] = times * product[l] + by_w[l] * dot[l];
      }
    }
  }
  for (; e < n; e++) {
    for (int64_t d = 0; d < count; d++) {
      dw[d * dw_stride + e] = factor[d] * slope[d][e] + at->by_w[e] * w[d * w_stride + e];
    }
  }
}

/** A statement for X, Y, W, as the stretch reads them. */
#define RULE_TANGENT_CASE(STATEMENT, X, Y, W) \
  case (X)*4 + (Y)*2 + (W):                   \
    STATEMENT(X, Y, W);                       \
    break;

#define RULE_TANGENT_CASES(AT, STATEMENT)                          \
  switch ((AT)->reads_x * 4 + (AT)->reads_y * 2 + (AT)->reads_w) { \
    RULE_TANGENT_CASE(STATEMENT, 0, 0, 0)                          \
    RULE_TANGENT_CASE(STATEMENT, 0, 0, 1)                          \
    RULE_TANGENT_CASE(STATEMENT, 0, 1, 0)                          \
    RULE_TANGENT_CASE(STATEMENT, 0, 1, 1)                          \
    RULE_TANGENT_CASE(STATEMENT, 1, 0, 0)                          \
    RULE_TANGENT_CASE(STATEMENT, 1, 0, 1)                          \
    RULE_TANGENT_CASE(STATEMENT, 1, 1, 0)                          \
    RULE_TANGENT_CASE(STATEMENT, 1, 1, 1)                          \
  }

/** out += factor * slope. */
PF_INLINE void rule_tangent_add(int64_t n, pf_real factor, const pf_real *slope, pf_real *out)
{
#pragma omp simd
  for (int64_t e = 0; e < n; e++) {
    out[e] += factor * slope[e];
  }
}

/** Put direction k of the stretch where it belongs, if it does not stand there already. */
PF_INLINE void rule_tangent_store(const pf_rule_tangent *tangent, int64_t k, const pf_real *out,
                                  const rule_stretch *at)
{
  if (!at->scatters) {
    return;
  }
  pf_real *to = tangent->dw + k * tangent->dw_stride + at->row * tangent->lddw + at->column;
  for (int64_t i = 0; i < at->n_rows; i++) {
    for (int64_t j = 0; j < at->n_columns; j++) {
      to[i * tangent->lddw + j] = out[i * at->n_columns + j];
    }
  }
}

/** The parameter that direction k is alone; -1: theta does not move; -2: several, see
 * tangent->theta. */
PF_INLINE int64_t rule_tangent_unit(const pf_rule_tangent *tangent, int64_t k)
{
  if (tangent->theta == NULL) {
    return -1;
  }
  /* a host that is older than the field has a smaller struct */
  return PF_HAS(tangent, pf_rule_tangent, theta_unit) && tangent->theta_unit != NULL
             ? tangent->theta_unit[k]
             : -2;
}

#endif
