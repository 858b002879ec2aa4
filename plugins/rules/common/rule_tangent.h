/*
 * plugins/rules/common/rule_tangent.h - tangents of a rule along many directions at once:
 *
 *     dw'_k = dg/dtheta . theta'_k + (dg/dx) x'_k + (dg/dy) y'_k + (dg/dw) w'_k
 *
 * The slopes are the same for all directions, so a rule works them out once for a stretch of synapses: part of a row of
 * a wide block or, packed, whole rows of a narrow one. What is here is the rest: cutting a block into stretches, and
 * one direction on a stretch.
 */
#ifndef PLASTFIT_RULES_RULE_TANGENT_H
#define PLASTFIT_RULES_RULE_TANGENT_H

#include "rule_common.h"

enum {
  RULE_STRETCH = 128,      /* synapses of a stretch, at most */
  RULE_STRETCH_NARROW = 12 /* columns from which on a row is a stretch of its own */
};

/** Synapses [column, column + n_columns) of rows [row, row + n_rows), n in all, counted row by row. */
typedef struct rule_stretch {
  int64_t n, row, n_rows, column, n_columns;
  int reads_x, reads_y, reads_w;                                      /**< the rule reads it, and it has tangents */
  pf_real by_x[RULE_STRETCH], by_y[RULE_STRETCH], by_w[RULE_STRETCH]; /**< slopes of dw, of what is read */
  pf_real dot_x[RULE_STRETCH], dot_y[RULE_STRETCH], dot_w[RULE_STRETCH], out[RULE_STRETCH];
} rule_stretch;

/** The next stretch of a block; begin with n 0. `longest`: at most RULE_STRETCH. 0: there is none. */
PF_INLINE int rule_stretch_next(const pf_block *in, int64_t longest, rule_stretch *at)
{
  const int64_t rows_at_once = in->n_pre < RULE_STRETCH_NARROW && in->n_pre > 0 ? longest / in->n_pre : 1;
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
  return 1;
}

PF_INLINE void rule_tangent_run(const int X, const int Y, const int W, const rule_stretch *at, pf_real factor,
                                const pf_real *slope, const pf_real *dot_x, const pf_real *dot_y, const pf_real *dot_w,
                                pf_real *out)
{
#pragma omp simd
  for (int64_t e = 0; e < at->n; e++) {
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
}

#define RULE_TANGENT_CASE(X, Y, W)                                          \
  case (X)*4 + (Y)*2 + (W):                                                 \
    rule_tangent_run(X, Y, W, at, factor, slope, dot_x, dot_y, dot_w, out); \
    break;

/**
 * Direction k on a stretch, with factor * slope [n] for what theta does (more may be added to what is returned).
 * Returns where it stands, to be handed to rule_tangent_store. Contiguous tangents are taken as they lie, others
 * gathered.
 */
PF_INLINE pf_real *rule_tangent_one(const pf_rule_tangent *tangent, int64_t k, pf_real factor, const pf_real *slope,
                                    rule_stretch *at)
{
  const int contiguous_w = at->n_rows == 1 || tangent->ldw == at->n_columns;
  const int contiguous_out = at->n_rows == 1 || tangent->lddw == at->n_columns;
  const pf_real *w = at->reads_w ? tangent->w + k * tangent->w_stride + at->row * tangent->ldw + at->column : NULL;
  const pf_real *x = at->reads_x ? tangent->pre + k * tangent->pre_stride + at->column : NULL;
  const pf_real *y = at->reads_y ? tangent->post + k * tangent->post_stride + at->row : NULL;
  /* each its own loop: a choice within one becomes a masked load, which costs hundreds of cycles where it is at NULL */
  for (int64_t i = 0; i < at->n_rows && y != NULL; i++) {
    const pf_real dot = y[i];
    for (int64_t j = 0; j < at->n_columns; j++) {
      at->dot_y[i * at->n_columns + j] = dot;
    }
  }
  for (int64_t i = 0; i < at->n_rows && x != NULL && at->n_rows > 1; i++) {
    for (int64_t j = 0; j < at->n_columns; j++) {
      at->dot_x[i * at->n_columns + j] = x[j];
    }
  }
  for (int64_t i = 0; i < at->n_rows && w != NULL && !contiguous_w; i++) {
    for (int64_t j = 0; j < at->n_columns; j++) {
      at->dot_w[i * at->n_columns + j] = w[i * tangent->ldw + j];
    }
  }
  const pf_real *dot_x = x != NULL && at->n_rows == 1 ? x : at->dot_x, *dot_y = at->dot_y;
  const pf_real *dot_w = w != NULL && contiguous_w ? w : at->dot_w;
  pf_real *out = contiguous_out ? tangent->dw + k * tangent->dw_stride + at->row * tangent->lddw + at->column : at->out;
  switch ((x != NULL) * 4 + (y != NULL) * 2 + (w != NULL)) {
    RULE_TANGENT_CASE(0, 0, 0)
    RULE_TANGENT_CASE(0, 0, 1)
    RULE_TANGENT_CASE(0, 1, 0)
    RULE_TANGENT_CASE(0, 1, 1)
    RULE_TANGENT_CASE(1, 0, 0)
    RULE_TANGENT_CASE(1, 0, 1)
    RULE_TANGENT_CASE(1, 1, 0)
    RULE_TANGENT_CASE(1, 1, 1)
  }
  return out;
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
PF_INLINE void rule_tangent_store(const pf_rule_tangent *tangent, int64_t k, const pf_real *out, const rule_stretch *at)
{
  if (out != at->out) {
    return;
  }
  pf_real *to = tangent->dw + k * tangent->dw_stride + at->row * tangent->lddw + at->column;
  for (int64_t i = 0; i < at->n_rows; i++) {
    for (int64_t j = 0; j < at->n_columns; j++) {
      to[i * tangent->lddw + j] = out[i * at->n_columns + j];
    }
  }
}

/** The parameter that direction k is alone; -1: theta does not move; -2: several, see tangent->theta. */
PF_INLINE int64_t rule_tangent_unit(const pf_rule_tangent *tangent, int64_t k)
{
  if (tangent->theta == NULL) {
    return -1;
  }
  /* a host that is older than the field has a smaller struct */
  return PF_HAS(tangent, pf_rule_tangent, theta_unit) && tangent->theta_unit != NULL ? tangent->theta_unit[k] : -2;
}

#endif
