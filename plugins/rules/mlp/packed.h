/*
 * plugins/rules/mlp/packed.h - any number of layers, and narrow blocks: synapses packed into lanes.
 *
 * Synapses are taken in row-major order, up to MLP_LANES at a time, whatever rows they belong to; a plane of lanes per
 * unit, layer after layer. Lanes beyond the last synapse (up to a multiple of 8) have inputs and cotangent 0.
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

/** Activity of layer l's units from that of the layer below. */
PF_INLINE void mlp_pack_layer(const mlp *self, const double *theta, int layer, mlp_pack *pack)
{
  const int n_in = self->size[layer - 1];
  const int n_out = self->size[layer];
  const pf_real *below = pack->activity + self->first[layer - 1] * MLP_LANES;
  for (int u = 0; u < n_out; u++) {
    pf_real *z = pack->activity + (self->first[layer] + u) * MLP_LANES;
    const double *weights = theta + self->weights[layer] + u;
    const pf_real bias = (pf_real)theta[self->biases[layer] + u];
    for (int64_t l = 0; l < pack->lanes; l++) {
      z[l] = bias;
    }
    int k = 0;
    for (; k + 4 <= n_in; k += 4) {
      const pf_real w0 = (pf_real)weights[k * n_out], w1 = (pf_real)weights[(k + 1) * n_out];
      const pf_real w2 = (pf_real)weights[(k + 2) * n_out], w3 = (pf_real)weights[(k + 3) * n_out];
      const pf_real *a = below + k * MLP_LANES;
#pragma omp simd
      for (int64_t l = 0; l < pack->lanes; l++) {
        z[l] += (w0 * a[l] + w1 * a[l + MLP_LANES]) + (w2 * a[l + 2 * MLP_LANES] + w3 * a[l + 3 * MLP_LANES]);
      }
    }
    for (; k < n_in; k++) {
      const pf_real w0 = (pf_real)weights[k * n_out];
      const pf_real *a = below + k * MLP_LANES;
#pragma omp simd
      for (int64_t l = 0; l < pack->lanes; l++) {
        z[l] += w0 * a[l];
      }
    }
    if (layer < self->n_layers) {
#pragma omp simd
      for (int64_t l = 0; l < pack->lanes; l++) {
        z[l] = mlp_leaky(z[l]);
      }
    } else {
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

PF_INLINE void mlp_packed_forward_block(const mlp *self, const pf_block *in, pf_real *dw, int64_t lddw)
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
 * Through layer l: from the cotangents `delta` of its units' drives to gradients of its weights and to the cotangents
 * `below` of the activity of the layer below.
 */
PF_INLINE void mlp_pack_layer_vjp(const mlp *self, const double *theta, int layer, const mlp_pack *pack,
                                  const pf_real *delta, pf_real *below, double *g_theta)
{
  const int n_in = self->size[layer - 1];
  const int n_out = self->size[layer];
  const pf_real *activity = pack->activity + self->first[layer - 1] * MLP_LANES;
  for (int u = 0; u < n_out && g_theta != NULL; u++) {
    const pf_real *d = delta + u * MLP_LANES;
    pf_real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t l = 0; l < pack->lanes; l++) {
      sum += d[l];
    }
    g_theta[self->biases[layer] + u] += (double)sum;
  }
  for (int k = 0; k < n_in; k++) {
    const double *weights = theta + self->weights[layer] + k * n_out;
    double *g_weights = g_theta != NULL ? g_theta + self->weights[layer] + k * n_out : NULL;
    const pf_real *a = activity + k * MLP_LANES;
    pf_real *b = below + k * MLP_LANES;
    for (int64_t l = 0; l < pack->lanes; l++) {
      b[l] = 0;
    }
    int u = 0;
    for (; u + 4 <= n_out; u += 4) {
      const pf_real w0 = (pf_real)weights[u], w1 = (pf_real)weights[u + 1];
      const pf_real w2 = (pf_real)weights[u + 2], w3 = (pf_real)weights[u + 3];
      const pf_real *d = delta + u * MLP_LANES;
      pf_real s0 = 0, s1 = 0, s2 = 0, s3 = 0;
#pragma omp simd reduction(+ : s0, s1, s2, s3)
      for (int64_t l = 0; l < pack->lanes; l++) {
        const pf_real d0 = d[l], d1 = d[l + MLP_LANES], d2 = d[l + 2 * MLP_LANES], d3 = d[l + 3 * MLP_LANES];
        b[l] += (w0 * d0 + w1 * d1) + (w2 * d2 + w3 * d3);
        s0 += d0 * a[l];
        s1 += d1 * a[l];
        s2 += d2 * a[l];
        s3 += d3 * a[l];
      }
      if (g_weights != NULL) {
        g_weights[u] += (double)s0;
        g_weights[u + 1] += (double)s1;
        g_weights[u + 2] += (double)s2;
        g_weights[u + 3] += (double)s3;
      }
    }
    for (; u < n_out; u++) {
      const pf_real w0 = (pf_real)weights[u];
      const pf_real *d = delta + u * MLP_LANES;
      pf_real sum = 0;
#pragma omp simd reduction(+ : sum)
      for (int64_t l = 0; l < pack->lanes; l++) {
        b[l] += w0 * d[l];
        sum += d[l] * a[l];
      }
      if (g_weights != NULL) {
        g_weights[u] += (double)sum;
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
      } else if (self->input[k] == MLP_R && gradient->modulator != NULL) {
        gradient->modulator[0] += d[l];
      }
    }
  }
}

PF_INLINE void mlp_packed_vjp_block(const mlp *self, const pf_block *in, const pf_real *cotangent, int64_t ld_cotangent,
                                    const pf_rule_gradient *gradient)
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
