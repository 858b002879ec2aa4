/*
 * plugins/rules/taylor/pairs.h - the Taylor rule on blocks of two columns, the field's commonest
 * input (two cues): what packed.h does, with the width a constant and a pack in a register. For
 * steps without a mask whose rows have no gaps; other blocks of two columns are packed.h's.
 *
 * Lane 2 r + j is column j of the pack's row r.
 */
#ifndef PLASTFIT_RULES_TAYLOR_PAIRS_H
#define PLASTFIT_RULES_TAYLOR_PAIRS_H

#include "kernel.h"

enum {
  TAYLOR_PAIR_ROWS = PF_LANES / 2, /* rows of a pack */
};

/** A number of each column, or of two coefficients. */
typedef double taylor_two __attribute__((vector_size(16)));
typedef double taylor_two_at __attribute__((vector_size(16), aligned(sizeof(double)), may_alias));

/** Numbers by column in every row's lanes. */
PF_INLINE void taylor_spread(const taylor_two *by_column, pf_lanes *lanes)
{
  for (int l = 0; l < PF_LANES; l++) {
    (*lanes)[l] = (pf_real)(*by_column)[l & 1];
  }
}

/** 2 R numbers of R rows; lanes beyond are 0. R, a constant, is a power of two. */
PF_INLINE void taylor_load(const int R, const pf_real *from, pf_lanes *lanes)
{
  if (R == TAYLOR_PAIR_ROWS) {
    *lanes = *(const pf_lanes_at *)from;
    return;
  }
  *lanes = (pf_lanes){0};
  for (int l = 0; l < 2 * R; l++) {
    (*lanes)[l] = from[l];
  }
}

PF_INLINE void taylor_store(const int R, const pf_lanes *lanes, pf_real *to)
{
  if (R == TAYLOR_PAIR_ROWS) {
    *(pf_lanes_at *)to = *lanes;
    return;
  }
  for (int l = 0; l < 2 * R; l++) {
    to[l] = (*lanes)[l];
  }
}

/** A number of each of R rows in both its lanes. */
PF_INLINE void taylor_load_rows(const int R, const pf_real *from, pf_lanes *lanes)
{
  *lanes = (pf_lanes){0};
  for (int l = 0; l < 2 * R; l++) {
    (*lanes)[l] = from[l / 2];
  }
}

/** Sums over the two columns of R rows: to += . */
PF_INLINE void taylor_add_columns(const int R, const pf_lanes *lanes, pf_real *to)
{
  for (int r = 0; r < R; r++) {
    to[r] += (*lanes)[2 * r] + (*lanes)[2 * r + 1];
  }
}

/** What packs of a block share. */
typedef struct taylor_pairs {
  int U; /**< highest power of x */
  double r_power[TAYLOR_POWERS];
  double table[TAYLOR_TABLE];
  taylor_two x;
  pf_lanes p[TAYLOR_LINE]; /**< coefficients of v^a w^c, in each lane those of its column */
} taylor_pairs;

/** Coefficients by lane: p = sum over the powers of x of K x^a. U: the highest, a constant. */
PF_INLINE void taylor_pairs_line(const int size, const int U, taylor_pairs *pairs)
{
  const taylor_two x = pairs->x, x2 = x * x;
  for (int s = 0; s < size; s++) {
    taylor_two sum = {pairs->table[s], pairs->table[s]};
    if (U > 0) {
      sum += x * pairs->table[size + s];
    }
    if (U > 1) {
      sum += x2 * pairs->table[2 * size + s];
    }
    taylor_spread(&sum, &pairs->p[s]);
  }
}

PF_INLINE void taylor_pairs_begin(const int V, const int C, const taylor *self, const pf_block *in,
                                  taylor_pairs *pairs)
{
  const int size = (V + 1) * (C + 1);
  pairs->U = self->highest[TAYLOR_X];
  taylor_r_powers(self, in, pairs->r_power);
  taylor_table(self, TAYLOR_PACKED, (pairs->U + 1) * size, in->theta, pairs->r_power, pairs->table);
  pairs->x = (taylor_two){0};
  switch (pairs->U) { /* constants, so that each loop is compiled for its own power */
  case 0:
    taylor_pairs_line(size, 0, pairs);
    break;
  case 1:
    pairs->x = (taylor_two){(double)in->pre[0], (double)in->pre[1]};
    taylor_pairs_line(size, 1, pairs);
    break;
  default:
    pairs->x = (taylor_two){(double)in->pre[0], (double)in->pre[1]};
    taylor_pairs_line(size, 2, pairs);
    break;
  }
}

/** The coefficient of v^a, a polynomial in w, and its derivative with respect to w; 0 beyond what
 * is in use. */
PF_INLINE void taylor_lanes_in_w(const int V, const int C, const pf_lanes *p, const int a,
                                 const pf_lanes *w, pf_lanes *value, pf_lanes *slope)
{
  *value = *slope = (pf_lanes){0};
  if (a > V) {
    return;
  }
  const pf_lanes *q = p + a * (C + 1);
  *value = q[0];
  if (C == 1) {
    *value += *w * q[1];
    *slope = q[1];
  }
  if (C == 2) {
    *value += *w * (q[1] + *w * q[2]);
    *slope = q[1] + (pf_real)2 * *w * q[2];
  }
}

/** R rows from row i on: out = w + eta dw. */
PF_INLINE void taylor_apply_pair_rows(const int V, const int C, const int R,
                                      const taylor_pairs *pairs, const pf_block *in, pf_real eta,
                                      pf_real *out, int64_t i)
{
  pf_lanes w, y, q0, q1, q2, unused;
  taylor_load(R, in->w + 2 * i, &w);
  taylor_lanes_in_w(V, C, pairs->p, 0, &w, &q0, &unused);
  if (V > 0) {
    taylor_load_rows(R, in->post + i, &y);
    taylor_lanes_in_w(V, C, pairs->p, 1, &w, &q1, &unused);
    taylor_lanes_in_w(V, C, pairs->p, 2, &w, &q2, &unused);
    q0 += V == 1 ? y * q1 : y * (q1 + y * q2);
  }
  w += eta * q0;
  taylor_store(R, &w, out + 2 * i);
}

/** w + eta dw of a block; out MAY be w. */
PF_INLINE void taylor_apply_pairs(const int V, const int C, const taylor *self, const pf_block *in,
                                  const pf_update *update, pf_real *out, int64_t ld_out)
{
  (void)ld_out;
  const pf_real eta = (pf_real)update->eta;
  taylor_pairs pairs;
  taylor_pairs_begin(V, C, self, in, &pairs);
  int64_t i = 0;
  for (; i + TAYLOR_PAIR_ROWS <= in->n_rows; i += TAYLOR_PAIR_ROWS) {
    taylor_apply_pair_rows(V, C, TAYLOR_PAIR_ROWS, &pairs, in, eta, out, i);
  }
  if (TAYLOR_PAIR_ROWS > 2 && i + 2 <= in->n_rows) {
    taylor_apply_pair_rows(V, C, 2, &pairs, in, eta, out, i);
    i += 2;
  }
  if (i < in->n_rows) {
    taylor_apply_pair_rows(V, C, 1, &pairs, in, eta, out, i);
  }
}

/**
 * R rows from row i on. With c the cotangent of dw: gw += c dg/dw, gy += c dg/dy, and, by lane,
 * sum[a][b] += c v^a w^b. FIRST: the sums begin with it.
 */
PF_INLINE void taylor_adjoint_pair_rows(const int V, const int C, const int R, const int FIRST,
                                        const taylor_pairs *pairs, const pf_block *in, pf_real eta,
                                        const pf_rule_gradient *gradient, int64_t i,
                                        pf_lanes sum[TAYLOR_LINE])
{
  pf_lanes w, gw, q1, q2, slope0, slope1, slope2, unused, y = {0};
  taylor_load(R, in->w + 2 * i, &w);
  taylor_load(R, gradient->w + 2 * i, &gw);
  const pf_lanes c = eta * gw;
  taylor_lanes_in_w(V, C, pairs->p, 0, &w, &unused, &slope0);
  if (V > 0) {
    taylor_load_rows(R, in->post + i, &y);
    taylor_lanes_in_w(V, C, pairs->p, 1, &w, &q1, &slope1);
    taylor_lanes_in_w(V, C, pairs->p, 2, &w, &q2, &slope2);
    slope0 += V == 1 ? y * slope1 : y * (slope1 + y * slope2);
    if (gradient->post != NULL) {
      const pf_lanes gy = c * (V == 1 ? q1 : q1 + (pf_real)2 * y * q2);
      taylor_add_columns(R, &gy, gradient->post + i);
    }
  }
  if (C > 0) {
    gw += c * slope0;
    taylor_store(R, &gw, gradient->w + 2 * i);
  }
  pf_lanes power = c; /* c w^b */
  for (int b = 0; b <= C; b++) {
    const pf_lanes first = power * y;
    sum[b] = FIRST ? power : sum[b] + power;
    if (V > 0) {
      sum[(C + 1) + b] = FIRST ? first : sum[(C + 1) + b] + first;
    }
    if (V > 1) {
      sum[2 * (C + 1) + b] = FIRST ? first * y : sum[2 * (C + 1) + b] + first * y;
    }
    power *= w;
  }
}

/** Totals over columns, [U + 1][size]. U: the highest power of x, a constant. */
PF_INLINE void taylor_pairs_fold(const int size, const int U, const taylor_two *x,
                                 const taylor_two by_column[TAYLOR_LINE], double *total)
{
  const double powers[TAYLOR_POWERS][2] = {
      {1.0, 1.0}, {(*x)[0], (*x)[1]}, {(*x)[0] * (*x)[0], (*x)[1] * (*x)[1]}};
  /* the last pair may write one too many, which the next power overwrites */
  for (int power = 0; power <= U; power++) {
    const double x0 = powers[power][0], x1 = powers[power][1];
    for (int s = 0; s < size; s += 2) {
      const taylor_two a = by_column[s], b = s + 1 < size ? by_column[s + 1] : a;
      const taylor_two first = {a[0], b[0]}, second = {a[1], b[1]};
      *(taylor_two_at *)(total + power * size + s) = first * x0 + second * x1;
    }
  }
}

/** The adjoint of a step of a block. */
PF_INLINE void taylor_adjoint_pairs(const int V, const int C, const taylor *self,
                                    const pf_block *in, taylor_cotangent of,
                                    const pf_rule_gradient *gradient)
{
  const int size = (V + 1) * (C + 1);
  const pf_real eta = (pf_real)of.update->eta;
  taylor_pairs pairs;
  pf_lanes sum[TAYLOR_LINE];
  taylor_pairs_begin(V, C, self, in, &pairs);
  int64_t i = 0;
  if (in->n_rows >= TAYLOR_PAIR_ROWS) {
    taylor_adjoint_pair_rows(V, C, TAYLOR_PAIR_ROWS, 1, &pairs, in, eta, gradient, 0, sum);
    i = TAYLOR_PAIR_ROWS;
  } else {
    for (int s = 0; s < size; s++) {
      sum[s] = (pf_lanes){0};
    }
  }
  for (; i + TAYLOR_PAIR_ROWS <= in->n_rows; i += TAYLOR_PAIR_ROWS) {
    taylor_adjoint_pair_rows(V, C, TAYLOR_PAIR_ROWS, 0, &pairs, in, eta, gradient, i, sum);
  }
  if (TAYLOR_PAIR_ROWS > 2 && i + 2 <= in->n_rows) {
    taylor_adjoint_pair_rows(V, C, 2, 0, &pairs, in, eta, gradient, i, sum);
    i += 2;
  }
  if (i < in->n_rows) {
    taylor_adjoint_pair_rows(V, C, 1, 0, &pairs, in, eta, gradient, i, sum);
  }
  taylor_two by_column[TAYLOR_LINE];
  for (int s = 0; s < size; s++) {
    by_column[s] = (taylor_two){(double)sum[s][0], (double)sum[s][1]};
    for (int r = 1; r < TAYLOR_PAIR_ROWS; r++) {
      by_column[s] += (taylor_two){(double)sum[s][2 * r], (double)sum[s][2 * r + 1]};
    }
  }
  double total[TAYLOR_TABLE + 1];
  switch (pairs.U) {
  case 0:
    taylor_pairs_fold(size, 0, &pairs.x, by_column, total);
    break;
  case 1:
    taylor_pairs_fold(size, 1, &pairs.x, by_column, total);
    break;
  default:
    taylor_pairs_fold(size, 2, &pairs.x, by_column, total);
    break;
  }
  for (int j = 0; pairs.U > 0 && gradient->pre != NULL && j < 2; j++) {
    double slope = 0.0;
    for (int s = 0; s < size; s++) {
      slope += by_column[s][j] * (pairs.table[size + s] +
                                  (pairs.U > 1 ? 2 * pairs.x[j] * pairs.table[2 * size + s] : 0.0));
    }
    gradient->pre[j] += (pf_real)slope;
  }
  taylor_finish(self, TAYLOR_PACKED, (pairs.U + 1) * size, pairs.r_power, total, gradient);
}

#endif
