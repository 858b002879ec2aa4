/*
 * plugins/rules/taylor/tangent.h - tangents of the Taylor rule, many directions at once.
 *
 * For a stretch of synapses all products of powers x^a y^b w^c are worked out, and the slopes of dw from them. Then a
 * direction that is one coefficient needs one of the products (times a power of r), any other a sum of them.
 */
#ifndef PLASTFIT_RULES_TAYLOR_TANGENT_H
#define PLASTFIT_RULES_TAYLOR_TANGENT_H

#include "../common/rule_tangent.h"
#include "kernel.h"

/** A stretch of synapses: [n] each. */
typedef struct taylor_stretch {
  pf_real x[RULE_STRETCH], y[RULE_STRETCH], w[RULE_STRETCH];
  pf_real product[TAYLOR_TABLE][RULE_STRETCH]; /* x^a y^b w^c, by slot as in TAYLOR_ROWS */
  rule_stretch at;
} taylor_stretch;

PF_INLINE void taylor_times(int64_t n, const pf_real *a, const pf_real *b, pf_real *out)
{
#pragma omp simd
  for (int64_t e = 0; e < n; e++) {
    out[e] = a[e] * b[e];
  }
}

PF_INLINE void taylor_gather(const taylor *self, const pf_block *in, taylor_stretch *stretch)
{
  const rule_stretch *at = &stretch->at;
  int64_t e = 0;
  for (int64_t i = at->row; i < at->row + at->n_rows; i++) {
    const pf_real y = self->highest[TAYLOR_Y] > 0 ? in->post[i] : 0;
    for (int64_t j = at->column; j < at->column + at->n_columns; j++, e++) {
      stretch->x[e] = in->pre[j];
      stretch->y[e] = y;
      stretch->w[e] = in->w[i * in->ldw + j];
    }
  }
  for (e = 0; e < at->n; e++) {
    stretch->product[0][e] = 1;
    stretch->at.by_x[e] = stretch->at.by_y[e] = stretch->at.by_w[e] = 0;
  }
}

/** All products, and slopes from the table of theta. A factor less is the slot before, or a row of slots before. */
PF_INLINE void taylor_stretch_fill(const taylor *self, const pf_block *in, const double *table, taylor_stretch *stretch)
{
  const int n_x = self->highest[TAYLOR_X] + 1, n_y = self->highest[TAYLOR_Y] + 1, n_w = self->highest[TAYLOR_W] + 1;
  rule_stretch *at = &stretch->at;
  taylor_gather(self, in, stretch);
  for (int slot = 0; slot < n_y * n_x * n_w; slot++) {
    const int c = slot % n_w, a = slot / n_w % n_x, b = slot / n_w / n_x;
    const pf_real *less_w = stretch->product[c > 0 ? slot - 1 : slot];
    const pf_real *less_x = stretch->product[a > 0 ? slot - n_w : slot];
    const pf_real *less_y = stretch->product[b > 0 ? slot - n_w * n_x : slot];
    if (c > 0) {
      taylor_times(at->n, less_w, stretch->w, stretch->product[slot]);
    } else if (a > 0) {
      taylor_times(at->n, less_x, stretch->x, stretch->product[slot]);
    } else if (b > 0) {
      taylor_times(at->n, less_y, stretch->y, stretch->product[slot]);
    }
    const pf_real t = (pf_real)table[slot];
    if (t == 0) {
      continue; /* no slope; so it is with most, where a rule is sparse */
    }
    if (a > 0 && at->reads_x) {
      rule_tangent_add(at->n, (pf_real)a * t, less_x, at->by_x);
    }
    if (b > 0 && at->reads_y) {
      rule_tangent_add(at->n, (pf_real)b * t, less_y, at->by_y);
    }
    if (c > 0 && at->reads_w) {
      rule_tangent_add(at->n, (pf_real)c * t, less_w, at->by_w);
    }
  }
}

PF_INLINE void taylor_tangent_one(const taylor *self, const pf_rule_tangent *tangent, int64_t k,
                                  const double r_power[TAYLOR_POWERS], taylor_stretch *stretch)
{
  const int64_t unit = rule_tangent_unit(tangent, k);
  const pf_real factor = unit < 0 ? 0 : (pf_real)r_power[self->power[unit][TAYLOR_R]];
  const pf_real *product = stretch->product[unit < 0 ? 0 : self->slot[TAYLOR_ROWS][unit]];
  pf_real *out = rule_tangent_one(tangent, k, factor, product, &stretch->at);
  if (unit == -2) {
    const double *theta_dot = tangent->theta + k * self->n_terms;
    for (int m = 0; m < self->n_terms; m++) {
      if (theta_dot[m] != 0.0) {
        rule_tangent_add(stretch->at.n, (pf_real)(theta_dot[m] * r_power[self->power[m][TAYLOR_R]]),
                         stretch->product[self->slot[TAYLOR_ROWS][m]], out);
      }
    }
  }
  rule_tangent_store(tangent, k, out, &stretch->at);
}

/** All tangents of a block. */
PF_INLINE void taylor_tangents(const taylor *self, const pf_block *in, const pf_rule_tangent *tangent)
{
  const int size = (self->highest[TAYLOR_X] + 1) * (self->highest[TAYLOR_Y] + 1) * (self->highest[TAYLOR_W] + 1);
  double r_power[TAYLOR_POWERS], table[TAYLOR_TABLE];
  taylor_stretch stretch;
  stretch.at.n = 0;
  stretch.at.reads_x = self->highest[TAYLOR_X] > 0 && tangent->pre != NULL;
  stretch.at.reads_y = self->highest[TAYLOR_Y] > 0 && tangent->post != NULL;
  stretch.at.reads_w = self->highest[TAYLOR_W] > 0 && tangent->w != NULL;
  taylor_r_powers(self, in, r_power);
  taylor_table(self, TAYLOR_ROWS, size, in->theta, r_power, table);
  while (rule_stretch_next(in, RULE_STRETCH, &stretch.at)) {
    taylor_stretch_fill(self, in, table, &stretch);
    for (int64_t k = 0; k < tangent->n_tangents; k++) {
      taylor_tangent_one(self, tangent, k, r_power, &stretch);
    }
  }
}

#endif
