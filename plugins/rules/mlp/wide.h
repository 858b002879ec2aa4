/*
 * plugins/rules/mlp/wide.h - one hidden layer, rows of many columns: a row at a time.
 *
 *     z_u = base_u + wx_u x_j + ww_u w_ij        base_u = bias_u + wy_u y_i + wr_u r, once per row
 *     o = b + sum_u v_u leaky(z_u),   dw = tanh o
 *
 * Adjoint, with q = c (1 - dw^2) and e_u = q leaky'(z_u): per unit the sums of e, e x and e w over
 * the row give every gradient of theta, as leaky(z) = leaky'(z) z.
 */
#ifndef PLASTFIT_RULES_MLP_WIDE_H
#define PLASTFIT_RULES_MLP_WIDE_H

#include "shape.h"
#include "tanh.h"

/** The layer's coefficients, per call, and what y adds to its bias, per row. Units are taken two at
 * a time: padded. */
typedef struct mlp_wide {
  int n; /**< units, rounded up to an even number; a unit added has zeros */
  pf_real wx[MLP_MAX_UNITS + 1], ww[MLP_MAX_UNITS + 1], v[MLP_MAX_UNITS + 1],
      base[MLP_MAX_UNITS + 1];
  pf_real bias;
} mlp_wide;

/** theta's weight from x, y, w or r to unit u; 0 where that is no input. */
PF_INLINE double mlp_weight(const mlp *self, const double *theta, enum mlp_input from, int u)
{
  const int place = self->place[from];
  return place < 0 ? 0.0 : theta[self->weights[1] + place * self->size[1] + u];
}

PF_INLINE void mlp_wide_call(const mlp *self, const double *theta, mlp_wide *wide)
{
  const int n = self->size[1];
  for (int u = 0; u < n; u++) {
    wide->wx[u] = (pf_real)mlp_weight(self, theta, MLP_X, u);
    wide->ww[u] = (pf_real)mlp_weight(self, theta, MLP_W, u);
    wide->v[u] = (pf_real)theta[self->weights[2] + u];
  }
  wide->n = n + n % 2;
  if (n % 2 != 0) {
    wide->wx[n] = wide->ww[n] = wide->v[n] = wide->base[n] = 0;
  }
  wide->bias = (pf_real)theta[self->biases[2]];
}

/** r of this step; not read where it is no input. */
PF_INLINE double mlp_r(const mlp *self, const pf_block *in)
{
  return self->place[MLP_R] >= 0 ? (double)in->modulator[0] : 0.0;
}

PF_INLINE void mlp_wide_row(const mlp *self, const pf_block *in, double y, double r, mlp_wide *wide)
{
  for (int u = 0; u < self->size[1]; u++) {
    double base = in->theta[self->biases[1] + u];
    base += self->place[MLP_Y] >= 0 ? y * mlp_weight(self, in->theta, MLP_Y, u) : 0.0;
    base += self->place[MLP_R] >= 0 ? r * mlp_weight(self, in->theta, MLP_R, u) : 0.0;
    wide->base[u] = (pf_real)base;
  }
}

/** dw of n synapses of a row. */
PF_INLINE void mlp_wide_forward(const mlp_wide *wide, int64_t n, const pf_real *x, const pf_real *w,
                                pf_real *dw)
{
  for (int64_t j = 0; j < n; j++) {
    dw[j] = wide->bias;
  }
  for (int u = 0; u < wide->n; u += 2) {
    const pf_real wx0 = wide->wx[u], ww0 = wide->ww[u], v0 = wide->v[u], base0 = wide->base[u];
    const pf_real wx1 = wide->wx[u + 1], ww1 = wide->ww[u + 1], v1 = wide->v[u + 1],
                  base1 = wide->base[u + 1];
#pragma omp simd
    for (int64_t j = 0; j < n; j++) {
      const pf_real z0 = base0 + wx0 * x[j] + ww0 * w[j];
      const pf_real z1 = base1 + wx1 * x[j] + ww1 * w[j];
      dw[j] += v0 * mlp_leaky(z0) + v1 * mlp_leaky(z1);
    }
  }
  mlp_tanh_run(n, dw);
}

PF_INLINE void mlp_wide_forward_block(const mlp *self, const pf_block *in, pf_real *dw,
                                      int64_t lddw)
{
  mlp_wide wide;
  mlp_wide_call(self, in->theta, &wide);
  const double r = mlp_r(self, in);
  for (int64_t i = 0; i < in->n_rows; i++) {
    mlp_wide_row(self, in, self->place[MLP_Y] >= 0 ? (double)in->post[i] : 0.0, r, &wide);
    for (int64_t j = 0; j < in->n_pre; j += RULE_CHUNK) {
      const int64_t n = in->n_pre - j < RULE_CHUNK ? in->n_pre - j : RULE_CHUNK;
      mlp_wide_forward(&wide, n, in->pre + j, in->w + i * in->ldw + j, dw + i * lddw + j);
    }
  }
}

/** Per unit, sums over a row of e, e x, e w. */
typedef struct mlp_wide_sums {
  double e[MLP_MAX_UNITS + 1], ex[MLP_MAX_UNITS + 1], ew[MLP_MAX_UNITS + 1];
} mlp_wide_sums;

/** The adjoint of n synapses: q as above; gx, gw and the sums are added to. */
PF_INLINE void mlp_wide_vjp(const mlp_wide *wide, int64_t n, const pf_real *x, const pf_real *w,
                            const pf_real *q, pf_real *gx, pf_real *gw, mlp_wide_sums *sums)
{
  for (int u = 0; u < wide->n; u += 2) {
    const pf_real wx0 = wide->wx[u], ww0 = wide->ww[u], base0 = wide->base[u];
    const pf_real wx1 = wide->wx[u + 1], ww1 = wide->ww[u + 1], base1 = wide->base[u + 1];
    const pf_real vx0 = wide->v[u] * wx0, vw0 = wide->v[u] * ww0;
    const pf_real vx1 = wide->v[u + 1] * wx1, vw1 = wide->v[u + 1] * ww1;
    pf_real e0 = 0, ex0 = 0, ew0 = 0, e1 = 0, ex1 = 0, ew1 = 0;
#pragma omp simd reduction(+ : e0, ex0, ew0, e1, ex1, ew1)
    for (int64_t j = 0; j < n; j++) {
      const pf_real slow = (pf_real)0.01 * q[j];
      const pf_real f0 = base0 + wx0 * x[j] + ww0 * w[j] >= 0 ? q[j] : slow;
      const pf_real f1 = base1 + wx1 * x[j] + ww1 * w[j] >= 0 ? q[j] : slow;
      e0 += f0;
      ex0 += f0 * x[j];
      ew0 += f0 * w[j];
      e1 += f1;
      ex1 += f1 * x[j];
      ew1 += f1 * w[j];
      gx[j] += f0 * vx0 + f1 * vx1;
      gw[j] += f0 * vw0 + f1 * vw1;
    }
    sums->e[u] += (double)e0;
    sums->ex[u] += (double)ex0;
    sums->ew[u] += (double)ew0;
    sums->e[u + 1] += (double)e1;
    sums->ex[u + 1] += (double)ex1;
    sums->ew[u + 1] += (double)ew1;
  }
}

/** From a row's sums to the gradients of theta (if wanted); returns that of y. */
PF_INLINE double mlp_wide_fold(const mlp *self, const mlp_wide *wide, const double *theta,
                               const mlp_wide_sums *sums, double y, double r, double *g_theta)
{
  const int n = self->size[1];
  double g_y = 0.0;
  for (int u = 0; u < n; u++) {
    const double v = theta[self->weights[2] + u];
    const double through = v * sums->e[u];
    g_y += through * mlp_weight(self, theta, MLP_Y, u);
    if (g_theta == NULL) {
      continue;
    }
    const double by_input[MLP_MAX_INPUTS] = {v * sums->ex[u], through * y, v * sums->ew[u],
                                             through * r};
    for (int k = 0; k < self->n_inputs; k++) {
      g_theta[self->weights[1] + k * n + u] += by_input[self->input[k]];
    }
    g_theta[self->biases[1] + u] += through;
    g_theta[self->weights[2] + u] += (double)wide->base[u] * sums->e[u] +
                                     (double)wide->wx[u] * sums->ex[u] +
                                     (double)wide->ww[u] * sums->ew[u];
  }
  return g_y;
}

PF_INLINE void mlp_wide_vjp_block(const mlp *self, const pf_block *in, const pf_real *cotangent,
                                  int64_t ld_cotangent, const pf_rule_gradient *gradient)
{
  mlp_wide wide;
  mlp_wide_sums sums;
  pf_real q[RULE_CHUNK],
      spare[2 * RULE_CHUNK]; /* spare: what is not wanted is added there and forgotten */
  mlp_wide_call(self, in->theta, &wide);
  if (gradient->pre == NULL || gradient->w == NULL) {
    memset(spare, 0, sizeof spare);
  }
  const double r = mlp_r(self, in);
  double g_bias = 0.0;
  for (int64_t i = 0; i < in->n_rows; i++) {
    const double y = self->place[MLP_Y] >= 0 ? (double)in->post[i] : 0.0;
    mlp_wide_row(self, in, y, r, &wide);
    for (int u = 0; u < wide.n; u++) {
      sums.e[u] = sums.ex[u] = sums.ew[u] = 0.0;
    }
    for (int64_t j = 0; j < in->n_pre; j += RULE_CHUNK) {
      const int64_t n = in->n_pre - j < RULE_CHUNK ? in->n_pre - j : RULE_CHUNK;
      const pf_real *w = in->w + i * in->ldw + j;
      const pf_real *c = cotangent + i * ld_cotangent + j;
      mlp_wide_forward(&wide, n, in->pre + j, w, q);
      pf_real sum = 0;
#pragma omp simd reduction(+ : sum)
      for (int64_t k = 0; k < n; k++) {
        q[k] = c[k] * (1 - q[k] * q[k]);
        sum += q[k];
      }
      g_bias += (double)sum;
      mlp_wide_vjp(&wide, n, in->pre + j, w, q, gradient->pre != NULL ? gradient->pre + j : spare,
                   gradient->w != NULL ? gradient->w + i * gradient->ldw + j : spare + RULE_CHUNK,
                   &sums);
    }
    const double g_y = mlp_wide_fold(self, &wide, in->theta, &sums, y, r, gradient->theta);
    if (gradient->post != NULL && self->place[MLP_Y] >= 0) {
      gradient->post[i] += (pf_real)g_y;
    }
  }
  if (gradient->theta != NULL) {
    gradient->theta[self->biases[2]] += g_bias;
  }
}

#endif
