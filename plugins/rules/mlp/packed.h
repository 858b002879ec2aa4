/*
 * plugins/rules/mlp/packed.h - any number of layers, and narrow blocks: synapses packed into lanes.
 *
 * Synapses are taken in row-major order, up to MLP_LANES at a time, whatever rows they belong to; a
 * plane of lanes per unit, layer after layer. Lanes beyond the last synapse (up to a multiple of 8)
 * have inputs and cotangent 0.
 */
#ifndef PLASTFIT_RULES_MLP_PACKED_H
#define PLASTFIT_RULES_MLP_PACKED_H

#include "shape.h"
#include "tanh.h"

enum { MLP_PLANES = MLP_MAX_INPUTS + MLP_MAX_UNITS + 1 };

/** A pack of synapses: their places, and the activity of every unit. */
typedef struct mlp_pack {
  int64_t n, lanes; /**< synapses, and lanes: n rounded up to a multiple of 8 */
  int64_t row[MLP_LANES], column[MLP_LANES];
  pf_real activity[MLP_PLANES * MLP_LANES]; /**< plane u at u * MLP_LANES */
} mlp_pack;

PF_INLINE void mlp_pack_fill(const mlp *self, const pf_block *in, int64_t first, mlp_pack *pack)
{
  const int64_t total = in->n_rows * in->n_pre;
  pack->n = total - first < MLP_LANES ? total - first : MLP_LANES;
  pack->lanes = (pack->n + 7) / 8 * 8;
  int64_t i = first / in->n_pre;
  int64_t j = first % in->n_pre;
  for (int64_t l = 0; l < pack->n; l++) {
    pack->row[l] = i;
    pack->column[l] = j;
    if (++j == in->n_pre) {
      j = 0;
      i++;
    }
  }
  for (int k = 0; k < self->n_inputs; k++) {
    pf_real *plane = pack->activity + k * MLP_LANES;
    for (int64_t l = 0; l < pack->n; l++) {
      switch (self->input[k]) {
      case MLP_X:
        plane[l] = in->pre[pack->column[l]];
        break;
      case MLP_Y:
        plane[l] = in->post[pack->row[l]];
        break;
      case MLP_W:
        plane[l] = in->w[pack->row[l] * in->ldw + pack->column[l]];
        break;
      default:
        plane[l] = in->modulator[0];
        break;
      }
    }
    for (int64_t l = pack->n; l < pack->lanes; l++) {
      plane[l] = 0;
    }
  }
}

/**
 * Four planes below a unit: z = (FIRST ? bias : z) + sum of w_k a_k, then (LEAKY) the response.
 * Fewer than four are made up with weights of 0, so that there is one loop.
 */
PF_INLINE void mlp_pack_four(const int FIRST, const int LEAKY, int64_t lanes, pf_real bias,
                             const pf_real w[4], const pf_real *const a[4], pf_real *z)
{
  const pf_real w0 = w[0], w1 = w[1], w2 = w[2], w3 = w[3];
  const pf_real *a0 = a[0], *a1 = a[1], *a2 = a[2], *a3 = a[3];
#pragma omp simd
  for (int64_t l = 0; l < lanes; l++) {
    const pf_real sum =
        (FIRST ? bias : z[l]) + ((w0 * a0[l] + w1 * a1[l]) + (w2 * a2[l] + w3 * a3[l]));
    z[l] = LEAKY ? mlp_leaky(sum) : sum;
  }
}

/** Activity of layer l's units from that of the layer below. */
PF_INLINE void mlp_pack_layer(const mlp *self, const double *theta, int layer, mlp_pack *pack)
{
  const int n_in = self->size[layer - 1];
  const int n_out = self->size[layer];
  const int hidden = layer < self->n_layers;
  const pf_real *below = pack->activity + self->first[layer - 1] * MLP_LANES;
  for (int u = 0; u < n_out; u++) {
    pf_real *z = pack->activity + (self->first[layer] + u) * MLP_LANES;
    const double *weights = theta + self->weights[layer] + u;
    const pf_real bias = (pf_real)theta[self->biases[layer] + u];
    for (int k = 0; k < n_in; k += 4) {
      pf_real w[4];
      const pf_real *a[4];
      for (int m = 0; m < 4; m++) {
        const int in_use = k + m < n_in;
        w[m] = in_use ? (pf_real)weights[(k + m) * n_out] : 0;
        a[m] = below + (in_use ? k + m : k) * MLP_LANES;
      }
      const int last = k + 4 >= n_in;
      if (k == 0 && last && hidden) {
        mlp_pack_four(1, 1, pack->lanes, bias, w, a, z);
      } else if (k == 0) {
        mlp_pack_four(1, 0, pack->lanes, bias, w, a, z);
      } else if (last && hidden) {
        mlp_pack_four(0, 1, pack->lanes, bias, w, a, z);
      } else {
        mlp_pack_four(0, 0, pack->lanes, bias, w, a, z);
      }
    }
    if (!hidden) {
      mlp_tanh_run(pack->lanes, z);
    }
  }
}

/** The plane of dw. */
PF_INLINE const pf_real *mlp_pack_forward(const mlp *self, const double *theta, mlp_pack *pack)
{
  for (int layer = 1; layer <= self->n_layers; layer++) {
    mlp_pack_layer(self, theta, layer, pack);
  }
  return pack->activity + self->first[self->n_layers] * MLP_LANES;
}

PF_INLINE void mlp_packed_forward_block(const mlp *self, const pf_block *in, pf_real *dw,
                                        int64_t lddw)
{
  mlp_pack pack;
  for (int64_t first = 0; first < in->n_rows * in->n_pre; first += MLP_LANES) {
    mlp_pack_fill(self, in, first, &pack);
    const pf_real *out = mlp_pack_forward(self, in->theta, &pack);
    for (int64_t l = 0; l < pack.n; l++) {
      dw[pack.row[l] * lddw + pack.column[l]] = out[l];
    }
  }
}

/**
 * One unit and K (1..4) planes below it: below_k += w_k d, and sum_k = sum over lanes of d a_k; sum
 * of d in sum[4].
 */
PF_INLINE void mlp_pack_four_vjp(const int K, int64_t lanes, const pf_real *d, const pf_real w[4],
                                 const pf_real *a, pf_real *below, double sum[5])
{
  const pf_real w0 = w[0], w1 = w[1], w2 = w[2], w3 = w[3];
  pf_real s0 = 0, s1 = 0, s2 = 0, s3 = 0, s4 = 0;
#pragma omp simd reduction(+ : s0, s1, s2, s3, s4)
  for (int64_t l = 0; l < lanes; l++) {
    const pf_real dl = d[l];
    s4 += dl;
    s0 += dl * a[l];
    below[l] += w0 * dl;
    if (K > 1) {
      s1 += dl * a[l + MLP_LANES];
      below[l + MLP_LANES] += w1 * dl;
    }
    if (K > 2) {
      s2 += dl * a[l + 2 * MLP_LANES];
      below[l + 2 * MLP_LANES] += w2 * dl;
    }
    if (K > 3) {
      s3 += dl * a[l + 3 * MLP_LANES];
      below[l + 3 * MLP_LANES] += w3 * dl;
    }
  }
  sum[0] = (double)s0;
  sum[1] = (double)s1;
  sum[2] = (double)s2;
  sum[3] = (double)s3;
  sum[4] = (double)s4;
}

/**
 * Through layer l: from the cotangents `delta` of its units' drives to gradients of its weights and
 * to the cotangents `below` of the activity of the layer below.
 */
PF_INLINE void mlp_pack_layer_vjp(const mlp *self, const double *theta, int layer,
                                  const mlp_pack *pack, const pf_real *delta, pf_real *below,
                                  double *g_theta)
{
  const int n_in = self->size[layer - 1];
  const int n_out = self->size[layer];
  const pf_real *activity = pack->activity + self->first[layer - 1] * MLP_LANES;
  for (int k = 0; k < n_in; k++) {
    for (int64_t l = 0; l < pack->lanes; l++) {
      below[k * MLP_LANES + l] = 0;
    }
  }
  for (int u = 0; u < n_out; u++) {
    for (int k = 0; k < n_in; k += 4) {
      const int planes = n_in - k < 4 ? n_in - k : 4;
      const int at = self->weights[layer] + k * n_out + u;
      const pf_real *d = delta + u * MLP_LANES;
      const pf_real *a = activity + k * MLP_LANES;
      pf_real *b = below + k * MLP_LANES;
      pf_real w[4] = {0, 0, 0, 0};
      double sum[5];
      for (int m = 0; m < planes; m++) {
        w[m] = (pf_real)theta[at + m * n_out];
      }
      switch (planes) {
      case 1:
        mlp_pack_four_vjp(1, pack->lanes, d, w, a, b, sum);
        break;
      case 2:
        mlp_pack_four_vjp(2, pack->lanes, d, w, a, b, sum);
        break;
      case 3:
        mlp_pack_four_vjp(3, pack->lanes, d, w, a, b, sum);
        break;
      default:
        mlp_pack_four_vjp(4, pack->lanes, d, w, a, b, sum);
        break;
      }
      if (g_theta != NULL) {
        for (int m = 0; m < planes; m++) {
          g_theta[at + m * n_out] += sum[m];
        }
        g_theta[self->biases[layer] + u] += k == 0 ? sum[4] : 0.0;
      }
    }
  }
}

/** Add the cotangents of the inputs where they belong. */
PF_INLINE void mlp_pack_scatter(const mlp *self, const mlp_pack *pack, const pf_real *delta,
                                const pf_rule_gradient *gradient)
{
  for (int k = 0; k < self->n_inputs; k++) {
    const pf_real *d = delta + k * MLP_LANES;
    for (int64_t l = 0; l < pack->n; l++) {
      if (self->input[k] == MLP_X && gradient->pre != NULL) {
        gradient->pre[pack->column[l]] += d[l];
      } else if (self->input[k] == MLP_Y && gradient->post != NULL) {
        gradient->post[pack->row[l]] += d[l];
      } else if (self->input[k] == MLP_W && gradient->w != NULL) {
        gradient->w[pack->row[l] * gradient->ldw + pack->column[l]] += d[l];
      }
    }
  }
}

PF_INLINE void mlp_packed_vjp_block(const mlp *self, const pf_block *in, const pf_real *cotangent,
                                    int64_t ld_cotangent, const pf_rule_gradient *gradient)
{
  mlp_pack pack;
  pf_real cotangents[2][(MLP_MAX_UNITS + 1) * MLP_LANES];
  for (int64_t first = 0; first < in->n_rows * in->n_pre; first += MLP_LANES) {
    mlp_pack_fill(self, in, first, &pack);
    const pf_real *out = mlp_pack_forward(self, in->theta, &pack);
    pf_real *delta = cotangents[0];
    pf_real *below = cotangents[1];
    for (int64_t l = 0; l < pack.lanes; l++) {
      const pf_real c = l < pack.n ? cotangent[pack.row[l] * ld_cotangent + pack.column[l]] : 0;
      delta[l] = c * (1 - out[l] * out[l]);
    }
    for (int layer = self->n_layers; layer >= 1; layer--) {
      mlp_pack_layer_vjp(self, in->theta, layer, &pack, delta, below, gradient->theta);
      /* leaky(z) has the sign of z, so that the slope is known from the activity. */
      const pf_real *activity = pack.activity + self->first[layer - 1] * MLP_LANES;
      for (int u = 0; u < self->size[layer - 1] && layer > 1; u++) {
#pragma omp simd
        for (int64_t l = 0; l < pack.lanes; l++) {
          const pf_real b = below[u * MLP_LANES + l];
          below[u * MLP_LANES + l] = activity[u * MLP_LANES + l] >= 0 ? b : (pf_real)0.01 * b;
        }
      }
      pf_real *swap = delta;
      delta = below;
      below = swap;
    }
    mlp_pack_scatter(self, &pack, delta, gradient);
  }
}

#endif
