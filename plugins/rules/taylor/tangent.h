/*
 * plugins/rules/taylor/tangent.h - tangents of the Taylor rule, many directions at once.
 *
 * For a stretch of synapses the products of powers x^a y^b w^c that are asked for are worked out,
 * and the slopes of dw from them. Then a direction that is one coefficient needs one of the
 * products (times a power of r), any other a sum of them.
 */
#ifndef PLASTFIT_RULES_TAYLOR_TANGENT_H
#define PLASTFIT_RULES_TAYLOR_TANGENT_H

#include "../common/rule_tangent.h"
#include "kernel.h"

/** A stretch of synapses: [n] each. */
typedef struct taylor_stretch {
  const pf_real *x, *w;                 /* of the block itself where it has no gaps */
  const pf_real *product[TAYLOR_TABLE]; /* x^a y^b w^c, by slot as in TAYLOR_ROWS; of those that are
                                           asked for */
  pf_real xs[RULE_STRETCH], y[RULE_STRETCH], ws[RULE_STRETCH];
  pf_real made[TAYLOR_TABLE][RULE_STRETCH];
  rule_stretch at;
} taylor_stretch;

PF_INLINE void taylor_times(int64_t n, const pf_real *a, const pf_real *b, pf_real *out)
{
#pragma omp simd
  for (int64_t e = 0; e < n; e++) {
    out[e] = a[e] * b[e];
  }
}

/** Copies of x, y and w. n_columns: a constant where it is small, or the compiler calls memcpy for
 * two numbers. */
PF_INLINE void taylor_gather_rows(const pf_block *in, const int64_t n_columns, int has_y,
                                  taylor_stretch *stretch)
{
  const rule_stretch *at = &stretch->at;
  const pf_real *x = in->pre + at->column;
  for (int64_t i = 0, e = 0; i < at->n_rows; i++) {
    const pf_real y = has_y ? in->post[at->row + i] : 0;
    const pf_real *w = in->w + (at->row + i) * in->ldw + at->column;
    for (int64_t j = 0; j < n_columns; j++, e++) {
      stretch->xs[e] = x[j];
      stretch->y[e] = y;
      stretch->ws[e] = w[j];
    }
  }
}

PF_INLINE void taylor_gather(const taylor *self, const pf_block *in, taylor_stretch *stretch)
{
  const rule_stretch *at = &stretch->at;
  const int has_y = self->highest[TAYLOR_Y] > 0;
  stretch->x = stretch->xs;
  stretch->w = stretch->ws;
  if (at->n_rows == 1) {
    const pf_real y = has_y ? in->post[at->row] : 0;
    stretch->x = in->pre + at->column;
    stretch->w = in->w + at->row * in->ldw + at->column;
    for (int64_t e = 0; e < at->n; e++) {
      stretch->y[e] = y;
    }
  } else if (at->n_columns == 1) {
    taylor_gather_rows(in, 1, has_y, stretch);
  } else if (at->n_columns == 2) {
    taylor_gather_rows(in, 2, has_y, stretch);
  } else if (at->n_columns == 3) {
    taylor_gather_rows(in, 3, has_y, stretch);
  } else {
    taylor_gather_rows(in, at->n_columns, has_y, stretch);
  }
}

/** Those products that terms and slopes take, each from one with a factor less. */
PF_INLINE void taylor_products(const taylor *self, taylor_stretch *stretch)
{
  const int n_x = self->highest[TAYLOR_X] + 1, n_y = self->highest[TAYLOR_Y] + 1,
            n_w = self->highest[TAYLOR_W] + 1;
  for (int64_t e = 0; e < stretch->at.n; e++) {
    stretch->made[0][e] = 1;
  }
  stretch->product[0] = stretch->made[0];
  for (int slot = 1; slot < n_y * n_x * n_w; slot++) {
    if (!self->asked[slot]) {
      continue;
    }
    const int c = slot % n_w, a = slot / n_w % n_x;
    const int less = c > 0 ? slot - 1 : a > 0 ? slot - n_w : slot - n_w * n_x;
    const pf_real *factor = c > 0 ? stretch->w : a > 0 ? stretch->x : stretch->y;
    stretch->product[slot] = less == 0 ? factor : stretch->made[slot];
    if (less > 0) {
      taylor_times(stretch->at.n, stretch->product[less], factor, stretch->made[slot]);
    }
  }
}

/** Slopes from the table of theta. */
PF_INLINE void taylor_slopes(const taylor *self, const double *table, taylor_stretch *stretch)
{
  const int n_x = self->highest[TAYLOR_X] + 1, n_y = self->highest[TAYLOR_Y] + 1,
            n_w = self->highest[TAYLOR_W] + 1;
  rule_stretch *at = &stretch->at;
  for (int64_t e = 0; e < at->n && at->reads_x; e++) {
    at->by_x[e] = 0;
  }
  for (int64_t e = 0; e < at->n && at->reads_y; e++) {
    at->by_y[e] = 0;
  }
  for (int64_t e = 0; e < at->n && at->reads_w; e++) {
    at->by_w[e] = 0;
  }
  for (int slot = 1; slot < n_y * n_x * n_w; slot++) {
    const pf_real t = (pf_real)table[slot];
    if (!self->used[slot] || t == 0) {
      continue; /* no slope; so it is with most, where a rule is sparse */
    }
    const int c = slot % n_w, a = slot / n_w % n_x, b = slot / n_w / n_x;
    if (a > 0 && at->reads_x) {
      rule_tangent_add(at->n, (pf_real)a * t, stretch->product[slot - n_w], at->by_x);
    }
    if (b > 0 && at->reads_y) {
      rule_tangent_add(at->n, (pf_real)b * t, stretch->product[slot - n_w * n_x], at->by_y);
    }
    if (c > 0 && at->reads_w) {
      rule_tangent_add(at->n, (pf_real)c * t, stretch->product[slot - 1], at->by_w);
    }
  }
}

PF_INLINE void taylor_tangent_one(const int X, const int Y, const int W, const taylor *self,
                                  const pf_rule_tangent *tangent, int64_t k,
                                  const double r_power[TAYLOR_POWERS], taylor_stretch *stretch)
{
  const int64_t unit = rule_tangent_unit(tangent, k);
  const pf_real factor = unit < 0 ? 0 : (pf_real)r_power[self->power[unit][TAYLOR_R]];
  const pf_real *product = stretch->product[unit < 0 ? 0 : self->slot[TAYLOR_ROWS][unit]];
  pf_real *out = rule_tangent_of(X, Y, W, tangent, k, factor, product, &stretch->at);
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

/** Where only w has tangents and each direction is one coefficient: the first layer of a fit. */
PF_INLINE void taylor_tangents_of_w(const taylor *self, const pf_rule_tangent *tangent,
                                    const double r_power[TAYLOR_POWERS], taylor_stretch *stretch)
{
  for (int64_t k = 0; k < tangent->n_tangents; k += RULE_TOGETHER) {
    pf_real factor[RULE_TOGETHER];
    const pf_real *slope[RULE_TOGETHER];
    const int64_t count =
        tangent->n_tangents - k < RULE_TOGETHER ? tangent->n_tangents - k : RULE_TOGETHER;
    for (int64_t d = 0; d < count; d++) {
      const int64_t unit = rule_tangent_unit(tangent, k + d);
      factor[d] = unit < 0 ? 0 : (pf_real)r_power[self->power[unit][TAYLOR_R]];
      slope[d] = stretch->product[unit < 0 ? 0 : self->slot[TAYLOR_ROWS][unit]];
    }
    rule_tangents_of_w(tangent, k, count, factor, slope, &stretch->at);
  }
}

#define TAYLOR_TANGENTS(X, Y, W)                                      \
  for (int64_t k = 0; k < tangent->n_tangents; k++) {                 \
    taylor_tangent_one(X, Y, W, self, tangent, k, r_power, &stretch); \
  }

/** All tangents of a block. */
PF_INLINE void taylor_tangents(const taylor *self, const pf_block *in,
                               const pf_rule_tangent *tangent)
{
  const int size =
      (self->highest[TAYLOR_X] + 1) * (self->highest[TAYLOR_Y] + 1) * (self->highest[TAYLOR_W] + 1);
  double r_power[TAYLOR_POWERS], table[TAYLOR_TABLE];
  taylor_stretch stretch;
  stretch.at.n = 0;
  stretch.at.reads_x = self->highest[TAYLOR_X] > 0 && tangent->pre != NULL;
  stretch.at.reads_y = self->highest[TAYLOR_Y] > 0 && tangent->post != NULL;
  stretch.at.reads_w = self->highest[TAYLOR_W] > 0 && tangent->w != NULL;
  taylor_r_powers(self, in, r_power);
  taylor_table(self, TAYLOR_ROWS, size, in->theta, r_power, table);
  while (rule_stretch_next(in, tangent, RULE_STRETCH, &stretch.at)) {
    taylor_gather(self, in, &stretch);
    taylor_products(self, &stretch);
    taylor_slopes(self, table, &stretch);
    if (rule_tangents_are_of_w(tangent, &stretch.at)) {
      taylor_tangents_of_w(self, tangent, r_power, &stretch);
      continue;
    }
    RULE_TANGENT_CASES(&stretch.at, TAYLOR_TANGENTS)
  }
}

#undef TAYLOR_TANGENTS

#endif
