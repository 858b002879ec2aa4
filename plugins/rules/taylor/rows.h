/*
 * plugins/rules/taylor/rows.h - the Taylor rule on blocks of many columns: a row at a time, u = y and v = x.
 */
#ifndef PLASTFIT_RULES_TAYLOR_ROWS_H
#define PLASTFIT_RULES_TAYLOR_ROWS_H

#include "kernel.h"

/** out[k] = g(v_k, w_k) of n synapses of a row. */
PF_INLINE void taylor_forward_run(const int V, const int C, const pf_real p[TAYLOR_LINE], int64_t n, const pf_real *v,
                                  const pf_real *w, pf_real *out)
{
#pragma omp simd
  for (int64_t k = 0; k < n; k++) {
    out[k] = taylor_value(V, C, 1, p, v[k], w[k]);
  }
}

/** out[k] = w_k + eta mask_k g(v_k, w_k); out MAY be w. Without a mask (MASKED 0) it is ones. */
PF_INLINE void taylor_step_run(const int V, const int C, const int MASKED, const pf_real p[TAYLOR_LINE], int64_t n,
                               const pf_real *v, const pf_real *w, pf_real eta, const pf_real *mask, pf_real *out)
{
#pragma omp simd
  for (int64_t k = 0; k < n; k++) {
    out[k] = w[k] + (MASKED ? eta * mask[k] : eta) * taylor_value(V, C, 1, p, v[k], w[k]);
  }
}

#define TAYLOR_ROW_SUM(a, c) s##a##c

/**
 * The adjoint of n synapses of a row. With c_k the cotangent of dw_k: gv_k += c_k dg/dv, gw_k += c_k dg/dw, and
 * sum[a][c] += sum over k of c_k v_k^a w_k^c. `cotangent` is the mask where there is one; gv is not
 * wanted where GV is 0.
 */
PF_INLINE void taylor_vjp_run(const int V, const int C, const int from, const int GV, const pf_real p[TAYLOR_LINE],
                              int64_t n, const pf_real *v, const pf_real *w, const pf_real *cotangent, pf_real eta,
                              pf_real *gv, pf_real *gw, double sum[TAYLOR_LINE])
{
  pf_real s00 = 0, s01 = 0, s02 = 0, s10 = 0, s11 = 0, s12 = 0, s20 = 0, s21 = 0, s22 = 0;
#pragma omp simd reduction(+ : s00, s01, s02, s10, s11, s12, s20, s21, s22)
  for (int64_t k = 0; k < n; k++) {
    const pf_real vk = v[k];
    const pf_real wk = w[k];
    const pf_real c = from == TAYLOR_PLAIN ? cotangent[k] : (from == TAYLOR_FUSED ? eta : eta * cotangent[k]) * gw[k];
    if (V > 0 && GV) {
      gv[k] += c * taylor_slope_v(V, C, 1, p, vk, wk);
    }
    if (C > 0) {
      gw[k] += c * taylor_slope_w(V, C, 1, p, vk, wk);
    }
    TAYLOR_ADD_TO_SUMS(V, C, TAYLOR_ROW_SUM, c, vk, wk);
  }
  const pf_real all[TAYLOR_LINE] = {s00, s01, s02, s10, s11, s12, s20, s21, s22};
  for (int a = 0; a <= V; a++) {
    for (int c = 0; c <= C; c++) {
      sum[a * (C + 1) + c] += (double)all[a * 3 + c];
    }
  }
}

/** Add the sums of a row to the totals, and give back sum c dg/du. */
PF_INLINE double taylor_fold(const int size, int U, double u, const double *table, const double sum[TAYLOR_LINE],
                             double total[TAYLOR_TABLE])
{
  double slope = 0.0;
  for (int s = 0; s < size; s++) {
    total[s] += sum[s];
  }
  if (U > 0) {
    for (int s = 0; s < size; s++) {
      total[size + s] += u * sum[s];
      slope += sum[s] * table[size + s];
    }
  }
  if (U > 1) {
    for (int s = 0; s < size; s++) {
      total[2 * size + s] += u * u * sum[s];
      slope += 2 * u * sum[s] * table[2 * size + s];
    }
  }
  return slope;
}

/** What the rows of a block share. */
typedef struct taylor_rows {
  int U;    /**< highest power of y */
  int size; /**< slots of a row: (V + 1) (C + 1) */
  double r_power[TAYLOR_POWERS];
  double table[TAYLOR_TABLE];
} taylor_rows;

PF_INLINE void taylor_rows_begin(const int V, const int C, const taylor *self, const pf_block *in, taylor_rows *rows)
{
  rows->U = self->highest[TAYLOR_Y];
  rows->size = (V + 1) * (C + 1);
  taylor_r_powers(self, in, rows->r_power);
  taylor_table(self, TAYLOR_ROWS, (rows->U + 1) * rows->size, in->theta, rows->r_power, rows->table);
}

/** The coefficients of row i; where y is not read they are those of row 0. */
PF_INLINE void taylor_rows_line(const int V, const int C, const taylor_rows *rows, const pf_block *in, int64_t i,
                                pf_real p[TAYLOR_LINE])
{
  if (i == 0 || rows->U > 0) {
    taylor_line(V, C, rows->table, rows->U, rows->U > 0 ? (double)in->post[i] : 0.0, p);
  }
}

/** out = dw (`update` NULL), or w + eta mask dw of a block. */
PF_INLINE void taylor_apply_rows(const int V, const int C, const taylor *self, const pf_block *in,
                                 const pf_update *update, pf_real *out, int64_t ld_out)
{
  taylor_rows rows;
  pf_real p[TAYLOR_LINE];
  taylor_rows_begin(V, C, self, in, &rows);
  for (int64_t i = 0; i < in->n_rows; i++) {
    const pf_real *w = in->w + i * in->ldw;
    pf_real *to = out + i * ld_out;
    taylor_rows_line(V, C, &rows, in, i, p);
    if (update == NULL) {
      taylor_forward_run(V, C, p, in->n_pre, in->pre, w, to);
    } else if (update->mask == NULL) {
      taylor_step_run(V, C, 0, p, in->n_pre, in->pre, w, (pf_real)update->eta, NULL, to);
    } else {
      taylor_step_run(V, C, 1, p, in->n_pre, in->pre, w, (pf_real)update->eta, update->mask + i * update->ldm, to);
    }
  }
}

/**
 * The adjoint of row i, in chunks, so that sums in pf_real stay short. `cotangent`: the row's, of dw, or its mask. What
 * would be added to gv or gw goes, where they are NULL, to `spare` and is forgotten.
 */
PF_INLINE void taylor_adjoint_row(const int V, const int C, const int from, const int GV, const pf_real p[TAYLOR_LINE],
                                  const pf_block *in, int64_t i, const pf_real *cotangent, pf_real eta, pf_real *gv,
                                  pf_real *gw, pf_real spare[2][RULE_CHUNK], double sum[TAYLOR_LINE])
{
  for (int64_t j = 0; j < in->n_pre; j += RULE_CHUNK) {
    const int64_t n = in->n_pre - j < RULE_CHUNK ? in->n_pre - j : RULE_CHUNK;
    taylor_vjp_run(V, C, from, GV, p, n, in->pre + j, in->w + i * in->ldw + j,
                   from == TAYLOR_FUSED ? NULL : cotangent + j, eta, gv != NULL ? gv + j : spare[0],
                   gw != NULL ? gw + j : spare[1], sum);
  }
}

/**
 * The adjoint of a block: of forward (`update` NULL), or of step (cotangent NULL; gradient->w holds the cotangent of
 * w_out on entry).
 */
PF_INLINE void taylor_adjoint_rows(const int V, const int C, const taylor *self, const pf_block *in,
                                   const pf_real *cotangent, int64_t ld_cotangent, const pf_update *update,
                                   const pf_rule_gradient *gradient)
{
  const pf_real eta = update == NULL ? 0 : (pf_real)update->eta;
  pf_real *gv = gradient->pre;
  double total[TAYLOR_TABLE] = {0};
  pf_real p[TAYLOR_LINE], spare[2][RULE_CHUNK];
  taylor_rows rows;
  if (gv == NULL || gradient->w == NULL) {
    memset(spare, 0, sizeof spare);
  }
  taylor_rows_begin(V, C, self, in, &rows);
  for (int64_t i = 0; i < in->n_rows; i++) {
    double sum[TAYLOR_LINE] = {0};
    pf_real *gw = gradient->w == NULL ? NULL : gradient->w + i * gradient->ldw;
    taylor_rows_line(V, C, &rows, in, i, p);
    if (update == NULL) {
      const pf_real *c = cotangent + i * ld_cotangent;
      taylor_adjoint_row(V, C, TAYLOR_PLAIN, 1, p, in, i, c, eta, gv, gw, spare, sum);
    } else if (update->mask != NULL) {
      const pf_real *mask = update->mask + i * update->ldm;
      taylor_adjoint_row(V, C, TAYLOR_MASKED, 1, p, in, i, mask, eta, gv, gw, spare, sum);
    } else if (gv != NULL) {
      taylor_adjoint_row(V, C, TAYLOR_FUSED, 1, p, in, i, NULL, eta, gv, gw, spare, sum);
    } else { /* commonest: x is the input, whose cotangent nobody wants */
      taylor_adjoint_row(V, C, TAYLOR_FUSED, 0, p, in, i, NULL, eta, NULL, gw, spare, sum);
    }
    const double slope = taylor_fold(rows.size, rows.U, rows.U > 0 ? (double)in->post[i] : 0.0, rows.table, sum, total);
    if (rows.U > 0 && gradient->post != NULL) {
      gradient->post[i] += (pf_real)slope;
    }
  }
  taylor_finish(self, TAYLOR_ROWS, (rows.U + 1) * rows.size, in, rows.r_power, total, gradient);
}

#endif
