/*
 * plugins/rules/taylor/kernel.h - the hot loops of the Taylor rule.
 *
 * Three contractions, each paid once where it can be: per call theta and r into a table K over the powers (y, x, w) in
 * use; per row K and y_i into the coefficients p[a][c] of a polynomial in x and w; per synapse that polynomial, at most
 * 3 x 3. The loops over synapses are specialised for the highest power of x (A) and of w (C) by constant arguments.
 *
 * The table's slot of the term x^a y^b w^c is b * (A + 1) * (C + 1) + a * (C + 1) + c.
 */
#ifndef PLASTFIT_RULES_TAYLOR_KERNEL_H
#define PLASTFIT_RULES_TAYLOR_KERNEL_H

#include "../common/rule_common.h"
#include "terms.h"

enum { TAYLOR_TABLE = 27, TAYLOR_ROW = 9 };

/** The rule's object: const after create. */
typedef struct taylor {
  const pf_host *host;
  int n_terms;
  int highest[TAYLOR_VARIABLES];                 /**< highest power in use of x, y, w, r */
  int n_y;                                       /**< highest power of y + 1 */
  int row_size;                                  /**< (A + 1) * (C + 1) */
  uint8_t power[TAYLOR_TERMS][TAYLOR_VARIABLES]; /**< of term k, in the order of theta */
  uint8_t slot[TAYLOR_TERMS];                    /**< of term k in the table */
  pf_parameter parameters[TAYLOR_TERMS];
  char name[TAYLOR_TERMS][16];
  char label[TAYLOR_TERMS][16];
} taylor;

/** r and its powers; r is not read where no term has it. */
PF_INLINE void taylor_r_powers(const taylor *self, const pf_block *in, double r_power[TAYLOR_POWERS])
{
  const double r = self->highest[TAYLOR_R] > 0 ? (double)in->modulator[0] : 0.0;
  r_power[0] = 1.0;
  r_power[1] = r;
  r_power[2] = r * r;
}

/** Per call: K[slot] = sum over d of theta r^d. */
PF_INLINE void taylor_table(const taylor *self, const double *theta, const double r_power[TAYLOR_POWERS],
                            double table[TAYLOR_TABLE])
{
  const int size = self->n_y * self->row_size;
  for (int s = 0; s < size; s++) {
    table[s] = 0.0;
  }
  for (int k = 0; k < self->n_terms; k++) {
    table[self->slot[k]] += theta[k] * r_power[self->power[k][TAYLOR_R]];
  }
}

/** Per row: p[a][c] = sum over b of K y^b. */
PF_INLINE void taylor_row(const int A, const int C, const double *table, int n_y, double y, pf_real p[TAYLOR_ROW])
{
  const int size = (A + 1) * (C + 1);
  for (int s = 0; s < size; s++) {
    double sum = table[s];
    if (n_y > 1) {
      sum += y * table[size + s];
    }
    if (n_y > 2) {
      sum += y * y * table[2 * size + s];
    }
    p[s] = (pf_real)sum;
  }
}

/** The coefficient of x^a, a polynomial in w; 0 beyond what is in use. */
PF_INLINE pf_real taylor_in_w(const int A, const int C, const pf_real p[TAYLOR_ROW], const int a, pf_real w)
{
  if (a > A) {
    return 0;
  }
  const int s = a * (C + 1);
  if (C == 0) {
    return p[s];
  }
  if (C == 1) {
    return p[s] + w * p[s + 1];
  }
  return p[s] + w * (p[s + 1] + w * p[s + 2]);
}

/** Its derivative with respect to w. */
PF_INLINE pf_real taylor_in_w_slope(const int A, const int C, const pf_real p[TAYLOR_ROW], const int a, pf_real w)
{
  if (a > A || C == 0) {
    return 0;
  }
  const int s = a * (C + 1);
  return C == 1 ? p[s + 1] : p[s + 1] + 2 * w * p[s + 2];
}

/** q0 + x q1 + x^2 q2, of degree A. */
PF_INLINE pf_real taylor_in_x(const int A, pf_real x, pf_real q0, pf_real q1, pf_real q2)
{
  return A == 0 ? q0 : (A == 1 ? q0 + x * q1 : q0 + x * (q1 + x * q2));
}

/** g(x, w) of one synapse. */
PF_INLINE pf_real taylor_value(const int A, const int C, const pf_real p[TAYLOR_ROW], pf_real x, pf_real w)
{
  return taylor_in_x(A, x, taylor_in_w(A, C, p, 0, w), taylor_in_w(A, C, p, 1, w), taylor_in_w(A, C, p, 2, w));
}

/** dg/dw of one synapse. */
PF_INLINE pf_real taylor_slope_w(const int A, const int C, const pf_real p[TAYLOR_ROW], pf_real x, pf_real w)
{
  return taylor_in_x(A, x, taylor_in_w_slope(A, C, p, 0, w), taylor_in_w_slope(A, C, p, 1, w),
                     taylor_in_w_slope(A, C, p, 2, w));
}

/** dg/dx of one synapse. */
PF_INLINE pf_real taylor_slope_x(const int A, const int C, const pf_real p[TAYLOR_ROW], pf_real x, pf_real w)
{
  const pf_real q1 = taylor_in_w(A, C, p, 1, w);
  return A < 2 ? q1 : q1 + 2 * x * taylor_in_w(A, C, p, 2, w);
}

/** out[j] = g(x_j, w_j) of n synapses. */
PF_INLINE void taylor_forward_run(const int A, const int C, const pf_real p[TAYLOR_ROW], int64_t n, const pf_real *x,
                                  const pf_real *w, pf_real *out)
{
#pragma omp simd
  for (int64_t j = 0; j < n; j++) {
    out[j] = taylor_value(A, C, p, x[j], w[j]);
  }
}

/** out[j] = w_j + eta mask_j g(x_j, w_j); out MAY be w. */
PF_INLINE void taylor_step_run(const int A, const int C, const pf_real p[TAYLOR_ROW], int64_t n, const pf_real *x,
                               const pf_real *w, pf_real eta, const pf_real *mask, pf_real *out)
{
#pragma omp simd
  for (int64_t j = 0; j < n; j++) {
    out[j] = w[j] + eta * mask[j] * taylor_value(A, C, p, x[j], w[j]);
  }
}

/**
 * The adjoint of n synapses. With c_j the cotangent of dw_j: gx_j += c_j dg/dx, gw_j += c_j dg/dw, and
 * sum[a][c] += sum over j of c_j x_j^a w_j^c.
 *
 * fused: c_j = eta mask_j gw_j, with gw_j as on entry; else c_j = cotangent[j].
 */
PF_INLINE void taylor_vjp_run(const int A, const int C, const int fused, const pf_real p[TAYLOR_ROW], int64_t n,
                              const pf_real *x, const pf_real *w, const pf_real *cotangent, pf_real eta,
                              const pf_real *mask, pf_real *gx, pf_real *gw, double sum[TAYLOR_ROW])
{
  pf_real s00 = 0, s01 = 0, s02 = 0, s10 = 0, s11 = 0, s12 = 0, s20 = 0, s21 = 0, s22 = 0;
#pragma omp simd reduction(+ : s00, s01, s02, s10, s11, s12, s20, s21, s22)
  for (int64_t j = 0; j < n; j++) {
    const pf_real xj = x[j];
    const pf_real wj = w[j];
    const pf_real c = fused ? eta * mask[j] * gw[j] : cotangent[j];
    if (A > 0) {
      gx[j] += c * taylor_slope_x(A, C, p, xj, wj);
    }
    if (C > 0) {
      gw[j] += c * taylor_slope_w(A, C, p, xj, wj);
    }
    const pf_real cw = c * wj;
    s00 += c;
    if (C > 0) {
      s01 += cw;
    }
    if (C > 1) {
      s02 += cw * wj;
    }
    if (A > 0) {
      const pf_real cx = c * xj;
      const pf_real cwx = cw * xj;
      s10 += cx;
      if (C > 0) {
        s11 += cwx;
      }
      if (C > 1) {
        s12 += cwx * wj;
      }
      if (A > 1) {
        s20 += cx * xj;
        if (C > 0) {
          s21 += cwx * xj;
        }
        if (C > 1) {
          s22 += cwx * wj * xj;
        }
      }
    }
  }
  const pf_real all[TAYLOR_ROW] = {s00, s01, s02, s10, s11, s12, s20, s21, s22};
  for (int a = 0; a <= A; a++) {
    for (int c = 0; c <= C; c++) {
      sum[a * (C + 1) + c] += (double)all[a * 3 + c];
    }
  }
}

/** dw of a block. */
PF_INLINE void taylor_forward_block(const int A, const int C, const taylor *self, const pf_block *in, pf_real *dw,
                                    int64_t lddw)
{
  double r_power[TAYLOR_POWERS], table[TAYLOR_TABLE];
  pf_real p[TAYLOR_ROW];
  taylor_r_powers(self, in, r_power);
  taylor_table(self, in->theta, r_power, table);
  for (int64_t i = 0; i < in->n_rows; i++) {
    if (i == 0 || self->n_y > 1) {
      taylor_row(A, C, table, self->n_y, (double)in->post[i], p);
    }
    taylor_forward_run(A, C, p, in->n_pre, in->pre, in->w + i * in->ldw, dw + i * lddw);
  }
}

/** A stretch of ones for an update without a mask; returns the mask to use and its leading dimension and stride. */
typedef struct taylor_mask {
  const pf_real *mask;
  int64_t ld;      /**< from row to row */
  int64_t advance; /**< 1: moves along the columns, 0: the same stretch again */
} taylor_mask;

PF_INLINE taylor_mask taylor_mask_of(const pf_update *update, int64_t n_pre, pf_real ones[RULE_CHUNK])
{
  if (update->mask != NULL) {
    return (taylor_mask){.mask = update->mask, .ld = update->ldm, .advance = 1};
  }
  const int64_t n = n_pre < RULE_CHUNK ? n_pre : RULE_CHUNK;
  for (int64_t j = 0; j < n; j++) {
    ones[j] = 1;
  }
  return (taylor_mask){.mask = ones, .ld = 0, .advance = 0};
}

/** w_out of a block. */
PF_INLINE void taylor_step_block(const int A, const int C, const taylor *self, const pf_block *in,
                                 const pf_update *update, pf_real *w_out, int64_t ld_out)
{
  double r_power[TAYLOR_POWERS], table[TAYLOR_TABLE];
  pf_real p[TAYLOR_ROW], ones[RULE_CHUNK];
  const taylor_mask mask = taylor_mask_of(update, in->n_pre, ones);
  taylor_r_powers(self, in, r_power);
  taylor_table(self, in->theta, r_power, table);
  for (int64_t i = 0; i < in->n_rows; i++) {
    if (i == 0 || self->n_y > 1) {
      taylor_row(A, C, table, self->n_y, (double)in->post[i], p);
    }
    for (int64_t j = 0; j < in->n_pre; j += RULE_CHUNK) {
      const int64_t n = in->n_pre - j < RULE_CHUNK ? in->n_pre - j : RULE_CHUNK;
      taylor_step_run(A, C, p, n, in->pre + j, in->w + i * in->ldw + j, (pf_real)update->eta,
                      mask.mask + i * mask.ld + j * mask.advance, w_out + i * ld_out + j);
    }
  }
}

/**
 * The adjoint of a block. fused: that of step (cotangent NULL, `update` given, gradient->w holds the cotangent of
 * w_out), else that of forward (`update` NULL).
 */
PF_INLINE void taylor_vjp_block(const int A, const int C, const int fused, const taylor *self, const pf_block *in,
                                const pf_real *cotangent, int64_t ld_cotangent, const pf_update *update,
                                const pf_rule_gradient *gradient)
{
  const int size = (A + 1) * (C + 1);
  const int n_y = self->n_y;
  double r_power[TAYLOR_POWERS], table[TAYLOR_TABLE], total[TAYLOR_TABLE] = {0};
  pf_real p[TAYLOR_ROW], ones[RULE_CHUNK];
  /* What is not wanted is added to these and forgotten. */
  pf_real spare_x[RULE_CHUNK], spare_w[RULE_CHUNK];
  taylor_mask mask = {0};
  if (fused) {
    mask = taylor_mask_of(update, in->n_pre, ones);
  }
  const pf_real eta = fused ? (pf_real)update->eta : 0;
  if (gradient->pre == NULL) {
    memset(spare_x, 0, sizeof spare_x);
  }
  if (gradient->w == NULL) {
    memset(spare_w, 0, sizeof spare_w);
  }
  taylor_r_powers(self, in, r_power);
  taylor_table(self, in->theta, r_power, table);
  for (int64_t i = 0; i < in->n_rows; i++) {
    const double y = n_y > 1 ? (double)in->post[i] : 0.0;
    double sum[TAYLOR_ROW] = {0};
    if (i == 0 || n_y > 1) {
      taylor_row(A, C, table, n_y, y, p);
    }
    for (int64_t j = 0; j < in->n_pre; j += RULE_CHUNK) {
      const int64_t n = in->n_pre - j < RULE_CHUNK ? in->n_pre - j : RULE_CHUNK;
      taylor_vjp_run(A, C, fused, p, n, in->pre + j, in->w + i * in->ldw + j,
                     fused ? NULL : cotangent + i * ld_cotangent + j, eta,
                     fused ? mask.mask + i * mask.ld + j * mask.advance : NULL,
                     gradient->pre != NULL ? gradient->pre + j : spare_x,
                     gradient->w != NULL ? gradient->w + i * gradient->ldw + j : spare_w, sum);
    }
    for (int s = 0; s < size; s++) {
      total[s] += sum[s];
    }
    if (n_y > 1) {
      double slope_y = 0.0;
      for (int s = 0; s < size; s++) {
        total[size + s] += y * sum[s];
        slope_y += sum[s] * table[size + s];
      }
      if (n_y > 2) {
        for (int s = 0; s < size; s++) {
          total[2 * size + s] += y * y * sum[s];
          slope_y += 2 * y * sum[s] * table[2 * size + s];
        }
      }
      if (gradient->post != NULL) {
        gradient->post[i] += (pf_real)slope_y;
      }
    }
  }
  if (gradient->theta != NULL) {
    for (int k = 0; k < self->n_terms; k++) {
      gradient->theta[k] += r_power[self->power[k][TAYLOR_R]] * total[self->slot[k]];
    }
  }
  if (gradient->modulator != NULL && self->highest[TAYLOR_R] > 0) {
    double slope_r = 0.0;
    for (int k = 0; k < self->n_terms; k++) {
      const int d = self->power[k][TAYLOR_R];
      if (d > 0) {
        slope_r += d * r_power[d - 1] * in->theta[k] * total[self->slot[k]];
      }
    }
    gradient->modulator[0] += (pf_real)slope_r;
  }
}

/** Tangent t of dw: d theta and dy change the row's polynomial, dx and dw move along it. */
PF_INLINE void taylor_jvp_block(const int A, const int C, const taylor *self, const pf_block *in,
                                const pf_rule_tangent *tangent, int64_t t)
{
  double r_power[TAYLOR_POWERS], table[TAYLOR_TABLE], table_dot[TAYLOR_TABLE] = {0};
  const int size = (A + 1) * (C + 1);
  taylor_r_powers(self, in, r_power);
  taylor_table(self, in->theta, r_power, table);
  if (tangent->theta != NULL) {
    taylor_table(self, tangent->theta + t * self->n_terms, r_power, table_dot);
  }
  const pf_real *x_dot = tangent->pre != NULL ? tangent->pre + t * tangent->pre_stride : NULL;
  for (int64_t i = 0; i < in->n_rows; i++) {
    const double y = self->n_y > 1 ? (double)in->post[i] : 0.0;
    const double y_dot =
        self->n_y > 1 && tangent->post != NULL ? (double)tangent->post[t * tangent->post_stride + i] : 0.0;
    pf_real p[TAYLOR_ROW], p_dot[TAYLOR_ROW];
    taylor_row(A, C, table, self->n_y, y, p);
    taylor_row(A, C, table_dot, self->n_y, y, p_dot);
    for (int s = 0; s < size && self->n_y > 1; s++) {
      const double slope_y = table[size + s] + (self->n_y > 2 ? 2 * y * table[2 * size + s] : 0.0);
      p_dot[s] += (pf_real)(y_dot * slope_y);
    }
    const pf_real *w = in->w + i * in->ldw;
    const pf_real *w_dot = tangent->w != NULL ? tangent->w + t * tangent->w_stride + i * tangent->ldw : NULL;
    pf_real *out = tangent->dw + t * tangent->dw_stride + i * tangent->lddw;
    taylor_forward_run(A, C, p_dot, in->n_pre, in->pre, w, out);
    if (A > 0 && x_dot != NULL) {
#pragma omp simd
      for (int64_t j = 0; j < in->n_pre; j++) {
        out[j] += x_dot[j] * taylor_slope_x(A, C, p, in->pre[j], w[j]);
      }
    }
    if (C > 0 && w_dot != NULL) {
#pragma omp simd
      for (int64_t j = 0; j < in->n_pre; j++) {
        out[j] += w_dot[j] * taylor_slope_w(A, C, p, in->pre[j], w[j]);
      }
    }
  }
}

/** Call block(A, C, ...) with the highest powers of x and w as constants. */
#define TAYLOR_SPECIALISE(self, block, ...)                            \
  switch ((self)->highest[TAYLOR_X] * 3 + (self)->highest[TAYLOR_W]) { \
  case 0:                                                              \
    block(0, 0, __VA_ARGS__);                                          \
    break;                                                             \
  case 1:                                                              \
    block(0, 1, __VA_ARGS__);                                          \
    break;                                                             \
  case 2:                                                              \
    block(0, 2, __VA_ARGS__);                                          \
    break;                                                             \
  case 3:                                                              \
    block(1, 0, __VA_ARGS__);                                          \
    break;                                                             \
  case 4:                                                              \
    block(1, 1, __VA_ARGS__);                                          \
    break;                                                             \
  case 5:                                                              \
    block(1, 2, __VA_ARGS__);                                          \
    break;                                                             \
  case 6:                                                              \
    block(2, 0, __VA_ARGS__);                                          \
    break;                                                             \
  case 7:                                                              \
    block(2, 1, __VA_ARGS__);                                          \
    break;                                                             \
  default:                                                             \
    block(2, 2, __VA_ARGS__);                                          \
    break;                                                             \
  }

#endif
