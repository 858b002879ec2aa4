/*
 * plugins/rules/taylor/tangent.h - tangents of the Taylor rule, many directions at once:
 *
 *     dw'_k = monomial_k + (dg/dw) w'_k + (dg/dy) y'_k + (dg/dx) x'_k
 *
 * Monomials and slopes are the same for all directions, so they are worked out once, for a stretch of synapses, which
 * is a row of a wide block or, packed, several rows of a narrow one. monomial_k is one product of powers where the
 * direction is one coefficient, the polynomial with coefficients theta'_k otherwise.
 */
#ifndef PLASTFIT_RULES_TAYLOR_TANGENT_H
#define PLASTFIT_RULES_TAYLOR_TANGENT_H

#include "kernel.h"

enum { TAYLOR_STRETCH = 128 }; /* synapses of a stretch */

/** A stretch of synapses and what is known of them: [n] each. */
typedef struct taylor_stretch {
  int64_t n, row, n_rows, column, n_columns; /* whole rows of a narrow block, or columns of one row */
  pf_real x[TAYLOR_STRETCH], y[TAYLOR_STRETCH], w[TAYLOR_STRETCH];
  pf_real product[TAYLOR_TABLE][TAYLOR_STRETCH];                            /* x^a y^b w^c by slot */
  pf_real by_x[TAYLOR_STRETCH], by_y[TAYLOR_STRETCH], by_w[TAYLOR_STRETCH]; /* slopes of dw */
  pf_real dot_x[TAYLOR_STRETCH], dot_y[TAYLOR_STRETCH], dot_w[TAYLOR_STRETCH], out[TAYLOR_STRETCH];
} taylor_stretch;

/** Slots as in TAYLOR_ROWS: (power of y, power of x, power of w). */
PF_INLINE int taylor_slot(const taylor *self, int a, int b, int c)
{
  return (b * (self->highest[TAYLOR_X] + 1) + a) * (self->highest[TAYLOR_W] + 1) + c;
}

PF_INLINE void taylor_times(int64_t n, const pf_real *a, const pf_real *b, pf_real *out)
{
#pragma omp simd
  for (int64_t e = 0; e < n; e++) {
    out[e] = a[e] * b[e];
  }
}

PF_INLINE void taylor_add(int64_t n, pf_real factor, const pf_real *a, pf_real *out)
{
#pragma omp simd
  for (int64_t e = 0; e < n; e++) {
    out[e] += factor * a[e];
  }
}

/** Gather x, y, w; all products of their powers; slopes from the table of theta. */
PF_INLINE void taylor_stretch_fill(const taylor *self, const pf_block *in, const double *table, const int needs[3],
                                   taylor_stretch *at)
{
  const int n_x = self->highest[TAYLOR_X] + 1, n_y = self->highest[TAYLOR_Y] + 1, n_w = self->highest[TAYLOR_W] + 1;
  const int64_t n = at->n;
  int64_t e = 0;
  for (int64_t i = at->row; i < at->row + at->n_rows; i++) {
    const pf_real y = n_y > 1 ? in->post[i] : 0;
    for (int64_t j = at->column; j < at->column + at->n_columns; j++, e++) {
      at->x[e] = in->pre[j];
      at->y[e] = y;
      at->w[e] = in->w[i * in->ldw + j];
    }
  }
  for (e = 0; e < n; e++) {
    at->product[0][e] = 1;
    at->by_x[e] = at->by_y[e] = at->by_w[e] = 0;
  }
  for (int b = 0; b < n_y; b++) {
    for (int a = 0; a < n_x; a++) {
      for (int c = 0; c < n_w; c++) {
        const int slot = taylor_slot(self, a, b, c);
        if (c > 0) {
          taylor_times(n, at->product[slot - 1], at->w, at->product[slot]);
        } else if (a > 0) {
          taylor_times(n, at->product[slot - n_w], at->x, at->product[slot]);
        } else if (b > 0) {
          taylor_times(n, at->product[slot - n_w * n_x], at->y, at->product[slot]);
        }
        const pf_real t = (pf_real)table[slot];
        if (t == 0) {
          continue; /* a coefficient that is 0 has no slope; most are, where a rule is sparse */
        }
        if (a > 0 && needs[TAYLOR_X]) {
          taylor_add(n, (pf_real)a * t, at->product[slot - n_w], at->by_x);
        }
        if (b > 0 && needs[TAYLOR_Y]) {
          taylor_add(n, (pf_real)b * t, at->product[slot - n_w * n_x], at->by_y);
        }
        if (c > 0 && needs[TAYLOR_W]) {
          taylor_add(n, (pf_real)c * t, at->product[slot - 1], at->by_w);
        }
      }
    }
  }
}

/** out = factor product + by_w w' + by_y y' + by_x x', of n synapses; X, Y, W: is there such a tangent? Y of a row is
 * one number. */
PF_INLINE void taylor_tangent_run(const int X, const int Y, const int W, int64_t n, pf_real factor,
                                  const pf_real *product, const taylor_stretch *at, const pf_real *dot_x,
                                  const pf_real *dot_y, const pf_real *dot_w, pf_real *out)
{
#pragma omp simd
  for (int64_t e = 0; e < n; e++) {
    pf_real sum = factor * product[e];
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

#define TAYLOR_TANGENT_CASE(X, Y, W)                                                   \
  case (X)*4 + (Y)*2 + (W):                                                            \
    taylor_tangent_run(X, Y, W, at->n, factor, product, at, dot_x, dot_y, dot_w, out); \
    break;

/** Direction k on a stretch: contiguous tangents are taken as they lie, others are gathered. */
PF_INLINE void taylor_tangent_one(const taylor *self, const pf_rule_tangent *tangent, int64_t k,
                                  const double r_power[TAYLOR_POWERS], const int needs[3], taylor_stretch *at)
{
  const int contiguous_w = at->n_rows == 1 || tangent->ldw == at->n_columns;
  const int contiguous_out = at->n_rows == 1 || tangent->lddw == at->n_columns;
  const pf_real *w = needs[TAYLOR_W] ? tangent->w + k * tangent->w_stride + at->row * tangent->ldw + at->column : NULL;
  const pf_real *x = needs[TAYLOR_X] ? tangent->pre + k * tangent->pre_stride + at->column : NULL;
  const pf_real *y = needs[TAYLOR_Y] ? tangent->post + k * tangent->post_stride + at->row : NULL;
  pf_real *to = tangent->dw + k * tangent->dw_stride + at->row * tangent->lddw + at->column;
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
  pf_real *out = contiguous_out ? to : at->out;
  pf_real factor = 0;
  const pf_real *product = at->product[0];
  const int64_t unit = tangent->theta_unit != NULL ? tangent->theta_unit[k] : -2;
  if (unit >= 0) {
    factor = (pf_real)r_power[self->power[unit][TAYLOR_R]];
    product = at->product[self->slot[TAYLOR_ROWS][unit]];
  }
  switch ((x != NULL) * 4 + (y != NULL) * 2 + (w != NULL)) {
    TAYLOR_TANGENT_CASE(0, 0, 0)
    TAYLOR_TANGENT_CASE(0, 0, 1)
    TAYLOR_TANGENT_CASE(0, 1, 0)
    TAYLOR_TANGENT_CASE(0, 1, 1)
    TAYLOR_TANGENT_CASE(1, 0, 0)
    TAYLOR_TANGENT_CASE(1, 0, 1)
    TAYLOR_TANGENT_CASE(1, 1, 0)
    TAYLOR_TANGENT_CASE(1, 1, 1)
  }
  if (unit == -2 && tangent->theta != NULL) {
    const double *theta_dot = tangent->theta + k * self->n_terms;
    for (int m = 0; m < self->n_terms; m++) {
      if (theta_dot[m] != 0.0) {
        taylor_add(at->n, (pf_real)(theta_dot[m] * r_power[self->power[m][TAYLOR_R]]),
                   at->product[self->slot[TAYLOR_ROWS][m]], out);
      }
    }
  }
  for (int64_t i = 0; i < at->n_rows && !contiguous_out; i++) {
    for (int64_t j = 0; j < at->n_columns; j++) {
      to[i * tangent->lddw + j] = out[i * at->n_columns + j];
    }
  }
}

/** All tangents of a block. */
PF_INLINE void taylor_tangents(const taylor *self, const pf_block *in, const pf_rule_tangent *tangent)
{
  const int size = (self->highest[TAYLOR_X] + 1) * (self->highest[TAYLOR_Y] + 1) * (self->highest[TAYLOR_W] + 1);
  const int needs[3] = {self->highest[TAYLOR_X] > 0 && tangent->pre != NULL,
                        self->highest[TAYLOR_Y] > 0 && tangent->post != NULL,
                        self->highest[TAYLOR_W] > 0 && tangent->w != NULL};
  double r_power[TAYLOR_POWERS], table[TAYLOR_TABLE];
  taylor_stretch at;
  taylor_r_powers(self, in, r_power);
  taylor_table(self, TAYLOR_ROWS, size, in->theta, r_power, table);
  const int64_t rows_at_once = in->n_pre > 0 && in->n_pre < TAYLOR_NARROW ? TAYLOR_STRETCH / in->n_pre : 1;
  for (int64_t i = 0; i < in->n_rows; i += rows_at_once) {
    for (int64_t j = 0; j < in->n_pre; j += TAYLOR_STRETCH) {
      at.row = i;
      at.n_rows = in->n_rows - i < rows_at_once ? in->n_rows - i : rows_at_once;
      at.column = j;
      at.n_columns = in->n_pre - j < TAYLOR_STRETCH ? in->n_pre - j : TAYLOR_STRETCH;
      at.n = at.n_rows * at.n_columns;
      taylor_stretch_fill(self, in, table, needs, &at);
      for (int64_t k = 0; k < tangent->n_tangents; k++) {
        taylor_tangent_one(self, tangent, k, r_power, needs, &at);
      }
    }
  }
}

#endif
