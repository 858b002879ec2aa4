/*
 * plugins/rules/mlp/tangent.h - tangents of the perceptron, many directions at once.
 *
 * A pass backward from dw itself gives, for every synapse, d dw / d z of each unit's drive z. With
 * the activity a of the units below, d dw / d weight[k][u] = a_k d dw / d z_u and d dw / d bias[u]
 * = d dw / d z_u; at the inputs the same are the slopes with respect to x, y and w.
 */
#ifndef PLASTFIT_RULES_MLP_TANGENT_H
#define PLASTFIT_RULES_MLP_TANGENT_H

#include "../common/rule_tangent.h"
#include "packed.h"

/** A pack, and d dw / d drive of every unit (of inputs: d dw / d input) in planes like its
 * activity's. */
typedef struct mlp_slopes {
  mlp_pack pack;
  pf_real slope[MLP_PLANES * MLP_LANES];
  pf_real product[MLP_LANES];
  rule_stretch at;
} mlp_slopes;

/** slope of layer l's units from those of layer l + 1, whose drives they enter. */
PF_INLINE void mlp_slopes_below(const mlp *self, const double *theta, int layer, mlp_slopes *all)
{
  const int n_in = self->size[layer], n_out = self->size[layer + 1];
  for (int k = 0; k < n_in; k++) {
    const pf_real *activity = all->pack.activity + (self->first[layer] + k) * MLP_LANES;
    pf_real *to = all->slope + (self->first[layer] + k) * MLP_LANES;
    memset(to, 0, (size_t)all->pack.lanes * sizeof *to);
    for (int u = 0; u < n_out; u++) {
      rule_tangent_add(all->pack.lanes, (pf_real)theta[self->weights[layer + 1] + k * n_out + u],
                       all->slope + (self->first[layer + 1] + u) * MLP_LANES, to);
    }
    if (layer > 0) { /* leaky(z) has the sign of z, so that the slope is known from the activity */
#pragma omp simd
      for (int64_t l = 0; l < all->pack.lanes; l++) {
        to[l] = activity[l] >= 0 ? to[l] : (pf_real)0.01 * to[l];
      }
    }
  }
}

/** Slopes with respect to x, y, w where they are wanted. */
PF_INLINE void mlp_slopes_of_inputs(const mlp *self, mlp_slopes *all)
{
  const struct {
    int reads;
    enum mlp_input input;
    pf_real *to;
  } slopes[] = {{all->at.reads_x, MLP_X, all->at.by_x},
                {all->at.reads_y, MLP_Y, all->at.by_y},
                {all->at.reads_w, MLP_W, all->at.by_w}};
  for (int i = 0; i < 3; i++) {
    if (slopes[i].reads) {
      memcpy(slopes[i].to, all->slope + self->place[slopes[i].input] * MLP_LANES,
             (size_t)all->at.n * sizeof(pf_real));
    }
  }
}

PF_INLINE void mlp_slopes_fill(const mlp *self, const pf_block *in, mlp_slopes *all)
{
  /* a pack goes on into the next rows where a stretch is a part of one; those lanes are not looked
   * at */
  mlp_pack_fill(self, in, all->at.row * in->n_pre + all->at.column, &all->pack);
  const pf_real *out = mlp_pack_forward(self, in->theta, &all->pack);
  pf_real *last = all->slope + self->first[self->n_layers] * MLP_LANES;
  for (int64_t l = 0; l < all->pack.lanes; l++) {
    last[l] = 1 - out[l] * out[l];
  }
  for (int layer = self->n_layers - 1; layer >= 0; layer--) {
    mlp_slopes_below(self, in->theta, layer, all);
  }
  mlp_slopes_of_inputs(self, all);
}

/** d dw / d parameter m. */
PF_INLINE const pf_real *mlp_slope_of(const mlp *self, int64_t m, mlp_slopes *all)
{
  int layer = 1;
  while (m >= self->biases[layer] + self->size[layer]) {
    layer++;
  }
  const int64_t unit = (m - self->weights[layer]) % self->size[layer];
  const pf_real *slope = all->slope + (self->first[layer] + unit) * MLP_LANES;
  if (m >= self->biases[layer]) {
    return slope;
  }
  const int64_t from = (m - self->weights[layer]) / self->size[layer];
  const pf_real *activity = all->pack.activity + (self->first[layer - 1] + from) * MLP_LANES;
#pragma omp simd
  for (int64_t l = 0; l < all->at.n; l++) {
    all->product[l] = slope[l] * activity[l];
  }
  return all->product;
}

PF_INLINE void mlp_tangent_one(const int X, const int Y, const int W, const mlp *self,
                               const pf_rule_tangent *tangent, int64_t k, mlp_slopes *all)
{
  const int64_t unit = rule_tangent_unit(tangent, k);
  pf_real *out = rule_tangent_of(X, Y, W, tangent, k, unit < 0 ? (pf_real)0 : (pf_real)1,
                                 unit < 0 ? all->slope + self->first[self->n_layers] * MLP_LANES
                                          : mlp_slope_of(self, unit, all),
                                 &all->at);
  for (int64_t m = 0; m < self->n_parameters && unit == -2; m++) {
    const double dot = tangent->theta[k * self->n_parameters + m];
    if (dot != 0.0) {
      rule_tangent_add(all->at.n, (pf_real)dot, mlp_slope_of(self, m, all), out);
    }
  }
  rule_tangent_store(tangent, k, out, &all->at);
}

#define MLP_TANGENTS(X, Y, W)                         \
  for (int64_t k = 0; k < tangent->n_tangents; k++) { \
    mlp_tangent_one(X, Y, W, self, tangent, k, &all); \
  }

/** All tangents of a block. */
PF_INLINE void mlp_tangents(const mlp *self, const pf_block *in, const pf_rule_tangent *tangent)
{
  mlp_slopes all;
  all.at.n = 0;
  all.at.reads_x = self->place[MLP_X] >= 0 && tangent->pre != NULL;
  all.at.reads_y = self->place[MLP_Y] >= 0 && tangent->post != NULL;
  all.at.reads_w = self->place[MLP_W] >= 0 && tangent->w != NULL;
  while (rule_stretch_next(in, tangent, MLP_LANES, &all.at)) {
    mlp_slopes_fill(self, in, &all);
    RULE_TANGENT_CASES(&all.at, MLP_TANGENTS)
  }
}

#undef MLP_TANGENTS

#endif
