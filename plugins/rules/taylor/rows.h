/*
 * plugins/rules/taylor/rows.h - the Taylor rule on blocks of many columns: a row at a time, u = y
 * and v = x.
 *
 * A row goes by vectors of PF_LANES columns. Where they do not divide its columns, the last vector
 * is taken first, with the columns that it shares with the one before left out (`keep` is 0 there):
 * no loop over what is left, which in a row of 100 floats took as long as the rest. A row has at
 * least one vector (TAYLOR_NARROW).
 *
 * eta is worked into a row's coefficients, and into its sums at the end, so that no synapse is
 * multiplied by it.
 */
#ifndef PLASTFIT_RULES_TAYLOR_ROWS_H
#define PLASTFIT_RULES_TAYLOR_ROWS_H

#include "kernel.h"

/** Columns after which sums in pf_real go into those in double. */
enum { TAYLOR_SPAN = 1024 };

/** 1 in the last `n` lanes, 0 before them. */
PF_INLINE void taylor_keep(int64_t n, pf_lanes *keep)
{
  for (int l = 0; l < PF_LANES; l++) {
    (*keep)[l] = l >= PF_LANES - n ? 1 : 0;
  }
}

/** The coefficients p by lane. */
PF_INLINE void taylor_spread_line(const int size, const pf_real p[TAYLOR_LINE],
                                  pf_lanes lanes[TAYLOR_LINE])
{
  for (int s = 0; s < size; s++) {
    lanes[s] = p[s] - (pf_lanes){0}; /* GNU C spreads a number where it meets a vector */
  }
}

/** The coefficient of w^c, a polynomial in x. */
PF_INLINE void taylor_of_x(const int V, const int C, const pf_lanes *p, const int c,
                           const pf_lanes *x, pf_lanes *out)
{
  const int K = C + 1;
  *out = V == 0 ? p[c] : V == 1 ? p[c] + *x * p[K + c] : p[c] + *x * (p[K + c] + *x * p[2 * K + c]);
}

/** g(x, w). */
PF_INLINE void taylor_of_x_w(const int V, const int C, const pf_lanes *p, const pf_lanes *x,
                             const pf_lanes *w, pf_lanes *out)
{
  pf_lanes q0 = {0}, q1 = {0}, q2 = {0};
  taylor_of_x(V, C, p, 0, x, &q0);
  if (C > 0) {
    taylor_of_x(V, C, p, 1, x, &q1);
  }
  if (C > 1) {
    taylor_of_x(V, C, p, 2, x, &q2);
    q1 += *w * q2;
  }
  *out = C > 0 ? q0 + *w * q1 : q0;
}

/** dg/dx, V at least 1. */
PF_INLINE void taylor_slope_x(const int V, const int C, const pf_lanes *p, const pf_lanes *x,
                              const pf_lanes *w, pf_lanes *out)
{
  pf_lanes q2 = {0};
  taylor_of_x_w(0, C, p + C + 1, x, w, out);
  if (V > 1) {
    taylor_of_x_w(0, C, p + 2 * (C + 1), x, w, &q2);
    *out += 2 * *x * q2;
  }
}

/** dg/dw, C at least 1. q: the coefficients, those of w^2 doubled. */
PF_INLINE void taylor_slope_of_w(const int V, const int C, const pf_lanes *q, const pf_lanes *x,
                                 const pf_lanes *w, pf_lanes *out)
{
  pf_lanes q2 = {0};
  taylor_of_x(V, C, q, 1, x, out);
  if (C > 1) {
    taylor_of_x(V, C, q, 2, x, &q2);
    *out += *w * q2;
  }
}

/** How rows change: out = dw; w + eta dw; w + eta mask dw. */
enum taylor_change_of { TAYLOR_DW = 0, TAYLOR_ALL = 1, TAYLOR_SOME = 2 };

/** One vector of synapses. `keep` NULL: all of it. */
PF_INLINE void taylor_apply_lanes(const int V, const int C, const int CHANGE, const pf_lanes *p,
                                  const pf_real *x_at, const pf_real *w_at, const pf_real *mask,
                                  const pf_lanes *keep, pf_real *out)
{
  const pf_lanes x = *(const pf_lanes_at *)x_at, w = *(const pf_lanes_at *)w_at;
  pf_lanes value;
  taylor_of_x_w(V, C, p, &x, &w, &value);
  if (CHANGE == TAYLOR_SOME) {
    /* cppcheck-suppress nullPointer ; TAYLOR_SOME is said where there is a mask */
    value *= *(const pf_lanes_at *)mask;
  }
  if (keep != NULL) { /* out may be w, of which lanes are yet to be taken */
    value *= *keep;
  }
  *(pf_lanes_at *)out = CHANGE == TAYLOR_DW ? value : w + value;
}

PF_INLINE void taylor_apply_row(const int V, const int C, const int CHANGE,
                                const pf_real *coefficients, int64_t n, const pf_real *x,
                                const pf_real *w, const pf_real *mask, pf_real *out)
{
  const int64_t left = n % PF_LANES;
  pf_lanes p[TAYLOR_LINE] = {{0}};
  taylor_spread_line((V + 1) * (C + 1), coefficients, p);
  if (left > 0 && n >= PF_LANES) {
    const int64_t k = n - PF_LANES;
    pf_lanes keep = {0};
    taylor_keep(left, &keep);
    taylor_apply_lanes(V, C, CHANGE, p, x + k, w + k, CHANGE == TAYLOR_SOME ? mask + k : NULL,
                       &keep, out + k);
  }
  for (int64_t k = 0; k + PF_LANES <= n; k += PF_LANES) {
    taylor_apply_lanes(V, C, CHANGE, p, x + k, w + k, CHANGE == TAYLOR_SOME ? mask + k : NULL, NULL,
                       out + k);
  }
}

/** A row, as its adjoint sees it. */
typedef struct taylor_row {
  const pf_real *x, *w;
  const pf_real *cotangent; /**< of dw; NULL: of a step, where it is mask gw */
  const pf_real *mask;      /**< NULL: ones */
  pf_real *gx, *gw;         /**< NULL: not wanted */
} taylor_row;

/**
 * One vector of synapses, at column k. With c the cotangent of dw: gx += c dg/dx, gw += c dg/dw,
 * and sum[a][b] += c x^a w^b. PLAIN: of a step, without a mask, and gx is not wanted.
 */
PF_INLINE void taylor_adjoint_lanes(const int V, const int C, const int PLAIN, const pf_lanes *p,
                                    const pf_lanes *q, const taylor_row *row, int64_t k,
                                    const pf_lanes *keep, pf_lanes sum[3][3])
{
  const pf_lanes x = *(const pf_lanes_at *)(row->x + k), w = *(const pf_lanes_at *)(row->w + k);
  const int has_gw = PLAIN || row->gw != NULL;
  pf_lanes gw = {0}, slope, c[3];
  if (has_gw) {
    gw = *(const pf_lanes_at *)(row->gw + k);
  }
  c[0] = gw;
  if (!PLAIN && row->cotangent != NULL) {
    c[0] = *(const pf_lanes_at *)(row->cotangent + k);
  }
  if (!PLAIN && row->mask != NULL) {
    c[0] *= *(const pf_lanes_at *)(row->mask + k);
  }
  if (keep != NULL) {
    c[0] *= *keep;
  }
  if (V > 0 && !PLAIN && row->gx != NULL) {
    taylor_slope_x(V, C, p, &x, &w, &slope);
    *(pf_lanes_at *)(row->gx + k) += c[0] * slope;
  }
  if (C > 0 && has_gw) {
    taylor_slope_of_w(V, C, q, &x, &w, &slope);
    *(pf_lanes_at *)(row->gw + k) = gw + c[0] * slope;
  }
  c[1] = c[0] * w;
  c[2] = c[1] * w;
  for (int b = 0; b <= C; b++) {
    sum[0][b] += c[b];
    if (V > 0) {
      sum[1][b] += c[b] * x;
    }
    if (V > 1) {
      sum[2][b] += c[b] * (x * x);
    }
  }
}

/* Of two vectors the sums of neighbours, as one shuffle a vector gives them. */
#ifdef PF_SINGLE
#define TAYLOR_NEIGHBOURS(a, b)                               \
  (__builtin_shufflevector(a, b, 0, 2, 8, 10, 4, 6, 12, 14) + \
   __builtin_shufflevector(a, b, 1, 3, 9, 11, 5, 7, 13, 15))
#else
#define TAYLOR_NEIGHBOURS(a, b) \
  (__builtin_shufflevector(a, b, 0, 4, 2, 6) + __builtin_shufflevector(a, b, 1, 5, 3, 7))
#endif

/** Vectors that are summed together: half as many as a vector has lanes. */
enum { TAYLOR_HALF = PF_LANES / 2, TAYLOR_SUMS = 12 };

/** sum += the lanes of TAYLOR_HALF vectors, each into a number of its own. */
PF_INLINE void taylor_add_half(const pf_lanes v[TAYLOR_HALF], double *sum)
{
#ifdef PF_SINGLE
  const pf_lanes low = TAYLOR_NEIGHBOURS(v[0], v[1]), high = TAYLOR_NEIGHBOURS(v[2], v[3]);
  const pf_lanes both = TAYLOR_NEIGHBOURS(low, high);
#else
  const pf_lanes both = TAYLOR_NEIGHBOURS(v[0], v[1]);
#endif
  for (int s = 0; s < TAYLOR_HALF; s++) {
    sum[s] += (double)both[s] + (double)both[TAYLOR_HALF + s];
  }
}

/** sum[slot] += the lanes of lane[power of x][power of w]. */
PF_INLINE void taylor_add_lanes(const int V, const int C, pf_lanes lane[3][3],
                                double sum[TAYLOR_SUMS])
{
  pf_lanes flat[TAYLOR_SUMS] = {{0}};
  for (int a = 0; a <= V; a++) {
    for (int b = 0; b <= C; b++) {
      flat[a * (C + 1) + b] = lane[a][b];
    }
  }
  for (int s = 0; s < (V + 1) * (C + 1); s += TAYLOR_HALF) {
    taylor_add_half(flat + s, sum + s);
  }
}

/** The adjoint of a row of n columns: `sum` in double, by slot. */
PF_INLINE void taylor_adjoint_row(const int V, const int C, const int PLAIN,
                                  const pf_real *coefficients, const taylor_row *row, int64_t n,
                                  double sum[TAYLOR_SUMS])
{
  const int64_t left = n % PF_LANES;
  pf_lanes p[TAYLOR_LINE] = {{0}}, q[TAYLOR_LINE] = {{0}};
  taylor_spread_line((V + 1) * (C + 1), coefficients, p);
  for (int s = 0; s < (V + 1) * (C + 1); s++) {
    q[s] = s % (C + 1) == 2 ? 2 * p[s] : p[s];
  }
  for (int64_t k = 0; k + PF_LANES <= n;) {
    const int64_t end = n - k < TAYLOR_SPAN ? n : k + TAYLOR_SPAN;
    pf_lanes lane[3][3] = {{{0}}};
    if (k == 0 && left > 0) {
      pf_lanes keep = {0};
      taylor_keep(left, &keep);
      taylor_adjoint_lanes(V, C, PLAIN, p, q, row, n - PF_LANES, &keep, lane);
    }
    for (; k + PF_LANES <= end; k += PF_LANES) {
      taylor_adjoint_lanes(V, C, PLAIN, p, q, row, k, NULL, lane);
    }
    taylor_add_lanes(V, C, lane, sum);
  }
}

/**
 * Add the sums of a row to the totals, and give back sum c dg/du. What is beyond the highest power
 * of u is 0 in the table, and nobody asks for it in the totals.
 */
PF_INLINE double taylor_fold(const int size, double u, const double table[TAYLOR_TABLE],
                             const double sum[TAYLOR_SUMS], double total[TAYLOR_TABLE])
{
  double slope = 0.0;
#pragma omp simd reduction(+ : slope)
  for (int s = 0; s < size; s++) {
    const double by_u = u * sum[s];
    total[s] += sum[s];
    total[size + s] += by_u;
    total[2 * size + s] += u * by_u;
    slope += sum[s] * table[size + s] + 2 * by_u * table[2 * size + s];
  }
  return slope;
}

/** The coefficients of a row, times `scale`. */
PF_INLINE void taylor_line(const int size, const double table[TAYLOR_TABLE], double u, double scale,
                           pf_real p[TAYLOR_LINE])
{
#pragma omp simd
  for (int s = 0; s < size; s++) {
    p[s] = (pf_real)(scale * (table[s] + u * (table[size + s] + u * table[2 * size + s])));
  }
}

/** out = dw (`update` NULL), or w + eta mask dw of a block. */
PF_INLINE void taylor_apply_rows(const int V, const int C, const taylor *self, const pf_block *in,
                                 const double *table, const pf_update *update, pf_real *out,
                                 int64_t ld_out)
{
  const int64_t n = in->n_pre;
  pf_real p[TAYLOR_LINE] = {0};
  for (int64_t i = 0; i < in->n_rows; i++) {
    const pf_real *w = in->w + i * in->ldw;
    pf_real *to = out + i * ld_out;
    const double y = self->highest[TAYLOR_Y] > 0 ? (double)in->post[i] : 0.0;
    taylor_line((V + 1) * (C + 1), table, y, update == NULL ? 1.0 : update->eta, p);
    if (update == NULL) {
      taylor_apply_row(V, C, TAYLOR_DW, p, n, in->pre, w, NULL, to);
    } else if (update->mask == NULL) {
      taylor_apply_row(V, C, TAYLOR_ALL, p, n, in->pre, w, NULL, to);
    } else {
      taylor_apply_row(V, C, TAYLOR_SOME, p, n, in->pre, w, update->mask + i * update->ldm, to);
    }
  }
}

/** The adjoint of a block. */
PF_INLINE void taylor_adjoint_rows(const int V, const int C, const taylor *self, const pf_block *in,
                                   const double *table, taylor_cotangent of,
                                   const pf_rule_gradient *gradient, double total[TAYLOR_TABLE])
{
  const pf_update *update = of.update;
  const int reads_y = self->highest[TAYLOR_Y] > 0, size = (V + 1) * (C + 1);
  const int has_mask = update != NULL && update->mask != NULL;
  const double scale = update == NULL ? 1.0 : update->eta;
  pf_real p[TAYLOR_LINE] = {0};
  for (int64_t i = 0; i < in->n_rows; i++) {
    const double y = reads_y ? (double)in->post[i] : 0.0;
    double sum[TAYLOR_SUMS] = {0};
    const taylor_row row = {.x = in->pre,
                            .w = in->w + i * in->ldw,
                            .cotangent = update == NULL ? of.dw + i * of.ld : NULL,
                            /* cppcheck-suppress nullPointerRedundantCheck ; has_mask asks */
                            .mask = has_mask ? update->mask + i * update->ldm : NULL,
                            .gx = gradient->pre,
                            .gw = gradient->w == NULL ? NULL : gradient->w + i * gradient->ldw};
    taylor_line(size, table, y, scale, p);
    if (update != NULL && !has_mask &&
        gradient->pre == NULL) { /* commonest: x is the input, of which nobody asks */
      taylor_adjoint_row(V, C, 1, p, &row, in->n_pre, sum);
    } else {
      taylor_adjoint_row(V, C, 0, p, &row, in->n_pre, sum);
    }
    for (int s = 0; s < size; s++) {
      sum[s] *= scale;
    }
    const double slope = taylor_fold(size, y, table, sum, total);
    if (reads_y && gradient->post != NULL) {
      gradient->post[i] += (pf_real)slope;
    }
  }
}

#endif
