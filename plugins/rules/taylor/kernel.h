/*
 * plugins/rules/taylor/kernel.h - what the hot loops of the Taylor rule share: theta contracted,
 * the polynomial of one synapse, sums given back to theta. The loops are in rows.h and, for narrow
 * blocks, packed.h.
 *
 * Call u the variable that is worked into coefficients, v the one that stays: y and x where rows
 * are long (rows.h), x and y where they are packed (packed.h). Three contractions, each paid once
 * where it can be:
 *
 *     per call           theta and r   into a table  K[u power][v power][w power]
 *     per row or column  K and u       into coefficients p[v power][w power] of a polynomial
 *     per synapse        v and w       that polynomial, at most 3 x 3
 *
 * The loops are specialised for the highest power of v (V) and of w (C) by constant arguments. A
 * table's slot is (power of u) * (V + 1) * (C + 1) + (power of v) * (C + 1) + (power of w).
 */
#ifndef PLASTFIT_RULES_TAYLOR_KERNEL_H
#define PLASTFIT_RULES_TAYLOR_KERNEL_H

#include "../common/rule_common.h"
#include "terms.h"

enum {
  TAYLOR_TABLE = 27,
  TAYLOR_LINE = 9,
  TAYLOR_NARROW = 12 /* columns of a block, below which rows are packed */
};

/** Four numbers of theta or of a table. */
typedef double taylor_four __attribute__((vector_size(32)));
typedef double taylor_four_at __attribute__((vector_size(32), aligned(sizeof(double)), may_alias));

/** How a block is taken. */
enum taylor_way { TAYLOR_ROWS = 0, TAYLOR_PACKED = 1, TAYLOR_WAYS = 2 };

/** The rule's object: const after create. */
typedef struct taylor {
  const pf_host *host;
  int n_terms;
  int highest[TAYLOR_VARIABLES];                 /**< highest power in use of x, y, w, r */
  uint8_t power[TAYLOR_TERMS][TAYLOR_VARIABLES]; /**< of term k, in the order of theta */
  uint8_t slot[TAYLOR_WAYS][TAYLOR_TERMS];       /**< of term k in the table */
  uint8_t used[TAYLOR_TABLE];                    /**< slots of TAYLOR_ROWS that a term is in */
  uint8_t asked[TAYLOR_TABLE]; /**< and those that these, or their slopes, are made of */
  int is_full;                 /**< all products up to the highest powers are terms */
  pf_parameter parameters[TAYLOR_TERMS];
  char name[TAYLOR_TERMS][16];
  char label[TAYLOR_TERMS][16];
} taylor;

/** Which way to take this block. Columns alone decide, so that a block and its parts give the same
 * bits. */
PF_INLINE int taylor_way(const pf_block *in)
{
  return in->n_pre < TAYLOR_NARROW ? TAYLOR_PACKED : TAYLOR_ROWS;
}

/** r and its powers; r is not read where no term has it. */
PF_INLINE void taylor_r_powers(const taylor *self, const pf_block *in,
                               double r_power[TAYLOR_POWERS])
{
  const double r = self->highest[TAYLOR_R] > 0 ? (double)in->modulator[0] : 0.0;
  r_power[0] = 1.0;
  r_power[1] = r;
  r_power[2] = r * r;
}

/**
 * K[slot] where all products up to the highest powers are there, in the order of TAYLOR_PACKED:
 * then the terms of a slot, which differ in the power of r, are neighbours in theta. R: the
 * highest, a constant.
 */
PF_INLINE void taylor_table_full(const int R, int size, const double *theta,
                                 const double r_power[TAYLOR_POWERS], double table[TAYLOR_TABLE])
{
  const double r = r_power[1], r2 = r_power[2];
#pragma omp simd
  for (int s = 0; s < size; s++) {
    double sum = theta[s * (R + 1)];
    if (R > 0) {
      sum += r * theta[s * (R + 1) + 1];
    }
    if (R > 1) {
      sum += r2 * theta[s * (R + 1) + 2];
    }
    table[s] = sum;
  }
}

/** Per call: K[slot] = sum over the powers of r of theta r^d. `size`: slots in use. */
PF_INLINE void taylor_table(const taylor *self, int way, int size, const double *theta,
                            const double r_power[TAYLOR_POWERS], double table[TAYLOR_TABLE])
{
  if (way == TAYLOR_PACKED && self->is_full) {
    switch (self->highest[TAYLOR_R]) {
    case 0:
      taylor_table_full(0, size, theta, r_power, table);
      return;
    case 1:
      taylor_table_full(1, size, theta, r_power, table);
      return;
    default:
      taylor_table_full(2, size, theta, r_power, table);
      return;
    }
  }
  for (int s = 0; s < size; s++) {
    table[s] = 0.0;
  }
  for (int k = 0; k < self->n_terms; k++) {
    table[self->slot[way][k]] += theta[k] * r_power[self->power[k][TAYLOR_R]];
  }
}

/*
 * One synapse. Its coefficients are p[0], p[K], p[2 K], ...: K is 1 where a row shares them, the
 * number of lanes where each lane has its own.
 */

/** The coefficient of v^a, a polynomial in w; 0 beyond what is in use. */
PF_INLINE pf_real taylor_in_w(const int V, const int C, const int K, const pf_real *p, const int a,
                              pf_real w)
{
  if (a > V) {
    return 0;
  }
  const int s = a * (C + 1) * K;
  if (C == 0) {
    return p[s];
  }
  if (C == 1) {
    return p[s] + w * p[s + K];
  }
  return p[s] + w * (p[s + K] + w * p[s + 2 * K]);
}

/** Its derivative with respect to w. */
PF_INLINE pf_real taylor_in_w_slope(const int V, const int C, const int K, const pf_real *p,
                                    const int a, pf_real w)
{
  if (a > V || C == 0) {
    return 0;
  }
  const int s = a * (C + 1) * K;
  return C == 1 ? p[s + K] : p[s + K] + 2 * w * p[s + 2 * K];
}

/** q0 + v q1 + v^2 q2, of degree V. */
PF_INLINE pf_real taylor_in_v(const int V, pf_real v, pf_real q0, pf_real q1, pf_real q2)
{
  return V == 0 ? q0 : (V == 1 ? q0 + v * q1 : q0 + v * (q1 + v * q2));
}

/** g(v, w). */
PF_INLINE pf_real taylor_value(const int V, const int C, const int K, const pf_real *p, pf_real v,
                               pf_real w)
{
  return taylor_in_v(V, v, taylor_in_w(V, C, K, p, 0, w), taylor_in_w(V, C, K, p, 1, w),
                     taylor_in_w(V, C, K, p, 2, w));
}

/** dg/dw. */
PF_INLINE pf_real taylor_slope_w(const int V, const int C, const int K, const pf_real *p, pf_real v,
                                 pf_real w)
{
  return taylor_in_v(V, v, taylor_in_w_slope(V, C, K, p, 0, w), taylor_in_w_slope(V, C, K, p, 1, w),
                     taylor_in_w_slope(V, C, K, p, 2, w));
}

/** dg/dv. */
PF_INLINE pf_real taylor_slope_v(const int V, const int C, const int K, const pf_real *p, pf_real v,
                                 pf_real w)
{
  const pf_real q1 = taylor_in_w(V, C, K, p, 1, w);
  return V < 2 ? q1 : q1 + 2 * v * taylor_in_w(V, C, K, p, 2, w);
}

/**
 * One synapse's share of the sums S[a][c] += cotangent v^a w^c. SUM(a, c) names a sum: a macro, as
 * `omp simd` reduces scalars by name.
 */
#define TAYLOR_ADD_TO_SUMS(V, C, SUM, cotangent, v, w) \
  do {                                                 \
    const pf_real c0_ = (cotangent);                   \
    const pf_real c1_ = c0_ * (w);                     \
    const pf_real c2_ = c1_ * (w);                     \
    SUM(0, 0) += c0_;                                  \
    if ((C) > 0) {                                     \
      SUM(0, 1) += c1_;                                \
    }                                                  \
    if ((C) > 1) {                                     \
      SUM(0, 2) += c2_;                                \
    }                                                  \
    if ((V) > 0) {                                     \
      SUM(1, 0) += c0_ * (v);                          \
    }                                                  \
    if ((V) > 0 && (C) > 0) {                          \
      SUM(1, 1) += c1_ * (v);                          \
    }                                                  \
    if ((V) > 0 && (C) > 1) {                          \
      SUM(1, 2) += c2_ * (v);                          \
    }                                                  \
    if ((V) > 1) {                                     \
      SUM(2, 0) += c0_ * (v) * (v);                    \
    }                                                  \
    if ((V) > 1 && (C) > 0) {                          \
      SUM(2, 1) += c1_ * (v) * (v);                    \
    }                                                  \
    if ((V) > 1 && (C) > 1) {                          \
      SUM(2, 2) += c2_ * (v) * (v);                    \
    }                                                  \
  } while (0)

/**
 * theta += r^d total, in the order of taylor_table_full: four slots at a time, whose R + 1
 * coefficients lie one after the other.
 */
PF_INLINE void taylor_finish_full(const int R, int size, const double r_power[TAYLOR_POWERS],
                                  const double total[TAYLOR_TABLE], double *theta)
{
  const double r = r_power[1], r2 = r_power[2];
  int s = 0;
  for (; s + 4 <= size; s += 4) {
    const taylor_four t = *(const taylor_four_at *)(total + s);
    taylor_four_at *to = (taylor_four_at *)(theta + s * (R + 1));
    if (R == 0) {
      to[0] += t;
    } else if (R == 1) {
      const taylor_four low = {t[0], t[0], t[1], t[1]}, high = {t[2], t[2], t[3], t[3]},
                        powers = {1.0, r, 1.0, r};
      to[0] += low * powers;
      to[1] += high * powers;
    } else {
      const taylor_four first = {t[0], t[0], t[0], t[1]}, second = {t[1], t[1], t[2], t[2]};
      const taylor_four third = {t[2], t[3], t[3], t[3]};
      to[0] += first * (taylor_four){1.0, r, r2, 1.0};
      to[1] += second * (taylor_four){r, r2, 1.0, r};
      to[2] += third * (taylor_four){r2, 1.0, r, r2};
    }
  }
  for (int k = 0; k < 3;
       k++, s++) { /* what is left: a loop that is unrolled, and not made vectors of */
    if (s >= size) {
      break;
    }
    for (int d = 0; d <= R; d++) {
      theta[s * (R + 1) + d] += r_power[d] * total[s];
    }
  }
}

/** theta's gradient from the totals. */
PF_INLINE void taylor_finish(const taylor *self, int way, int size,
                             const double r_power[TAYLOR_POWERS], const double total[TAYLOR_TABLE],
                             const pf_rule_gradient *gradient)
{
  const int full = way == TAYLOR_PACKED && self->is_full ? self->highest[TAYLOR_R] : -1;
  if (gradient->theta == NULL) {
    return;
  }
  switch (full) {
  case 0:
    taylor_finish_full(0, size, r_power, total, gradient->theta);
    break;
  case 1:
    taylor_finish_full(1, size, r_power, total, gradient->theta);
    break;
  case 2:
    taylor_finish_full(2, size, r_power, total, gradient->theta);
    break;
  default:
    for (int k = 0; k < self->n_terms; k++) {
      gradient->theta[k] += r_power[self->power[k][TAYLOR_R]] * total[self->slot[way][k]];
    }
    break;
  }
}

/** What an adjoint starts from: the cotangent of dw, or (`update` not NULL) of w_out, which
 * gradient->w holds on entry. */
typedef struct taylor_cotangent {
  const pf_real *dw; /**< [n_rows][ld]; NULL: of a step */
  int64_t ld;
  const pf_update *update; /**< NULL: of forward */
} taylor_cotangent;

/** The loops for one shape of a rule. `update` NULL: of forward, else of step. */
typedef struct taylor_kernel {
  void (*apply)(const taylor *self, const pf_block *in, const pf_update *update, pf_real *out,
                int64_t ld_out);
  void (*adjoint)(const taylor *self, const pf_block *in, taylor_cotangent of,
                  const pf_rule_gradient *gradient);
} taylor_kernel;

/** Of rows.h, for every shape. */
extern const taylor_kernel taylor_rows_baseline;
#ifdef PF_ISA_HAS_AVX2
extern const taylor_kernel taylor_rows_avx2;
#endif

#endif
