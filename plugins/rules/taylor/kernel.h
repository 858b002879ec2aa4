/*
 * plugins/rules/taylor/kernel.h - the hot loops of the Taylor rule.
 *
 * A block is taken line by line: a line is a row of a wide block, and a column of a narrow one (fewer than
 * TAYLOR_NARROW columns, where rows would be too short to be worth a loop). Call u the variable that is constant along
 * a line (y of a row, x of a column) and v the one that runs (x along a row, y along a column). Three contractions,
 * each paid once where it can be:
 *
 *     per call     theta and r   into a table  K[u power][v power][w power]
 *     per line     K and u       into the coefficients p[v power][w power] of a polynomial in v and w
 *     per synapse  that polynomial, at most 3 x 3
 *
 * The loops along lines are specialised for the highest power of v (V) and of w (C) by constant arguments. A table's
 * slot is (power of u) * (V + 1) * (C + 1) + (power of v) * (C + 1) + (power of w).
 */
#ifndef PLASTFIT_RULES_TAYLOR_KERNEL_H
#define PLASTFIT_RULES_TAYLOR_KERNEL_H

#include "../common/rule_common.h"
#include "terms.h"

enum {
  TAYLOR_TABLE = 27,
  TAYLOR_LINE = 9,
  TAYLOR_NARROW = 12 /* measured, AVX2, double, 20 rows: below it columns are faster, above it rows */
};

/** Which way lines run. */
enum taylor_way { TAYLOR_ROWS = 0, TAYLOR_COLUMNS = 1, TAYLOR_WAYS = 2 };

/** The rule's object: const after create. */
typedef struct taylor {
  const pf_host *host;
  int n_terms;
  int highest[TAYLOR_VARIABLES];                 /**< highest power in use of x, y, w, r */
  uint8_t power[TAYLOR_TERMS][TAYLOR_VARIABLES]; /**< of term k, in the order of theta */
  uint8_t slot[TAYLOR_WAYS][TAYLOR_TERMS];       /**< of term k in the table */
  pf_parameter parameters[TAYLOR_TERMS];
  char name[TAYLOR_TERMS][16];
  char label[TAYLOR_TERMS][16];
} taylor;

/** Which way to take this block. Columns alone decide, so that a block and its parts give the same bits. */
PF_INLINE int taylor_way(const pf_block *in)
{
  return in->n_pre < TAYLOR_NARROW ? TAYLOR_COLUMNS : TAYLOR_ROWS;
}

/** r and its powers; r is not read where no term has it. */
PF_INLINE void taylor_r_powers(const taylor *self, const pf_block *in, double r_power[TAYLOR_POWERS])
{
  const double r = self->highest[TAYLOR_R] > 0 ? (double)in->modulator[0] : 0.0;
  r_power[0] = 1.0;
  r_power[1] = r;
  r_power[2] = r * r;
}

/** Per call: K[slot] = sum over the powers of r of theta r^d. `size`: slots in use. */
PF_INLINE void taylor_table(const taylor *self, int way, int size, const double *theta,
                            const double r_power[TAYLOR_POWERS], double table[TAYLOR_TABLE])
{
  for (int s = 0; s < size; s++) {
    table[s] = 0.0;
  }
  for (int k = 0; k < self->n_terms; k++) {
    table[self->slot[way][k]] += theta[k] * r_power[self->power[k][TAYLOR_R]];
  }
}

/** Per line: p = sum over the powers of u of K u^b. U: the highest. */
PF_INLINE void taylor_line(const int V, const int C, const double *table, int U, double u, pf_real p[TAYLOR_LINE])
{
  const int size = (V + 1) * (C + 1);
  for (int s = 0; s < size; s++) {
    double sum = table[s];
    if (U > 0) {
      sum += u * table[size + s];
    }
    if (U > 1) {
      sum += u * u * table[2 * size + s];
    }
    p[s] = (pf_real)sum;
  }
}

/** The coefficient of v^a, a polynomial in w; 0 beyond what is in use. */
PF_INLINE pf_real taylor_in_w(const int V, const int C, const pf_real p[TAYLOR_LINE], const int a, pf_real w)
{
  if (a > V) {
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
PF_INLINE pf_real taylor_in_w_slope(const int V, const int C, const pf_real p[TAYLOR_LINE], const int a, pf_real w)
{
  if (a > V || C == 0) {
    return 0;
  }
  const int s = a * (C + 1);
  return C == 1 ? p[s + 1] : p[s + 1] + 2 * w * p[s + 2];
}

/** q0 + v q1 + v^2 q2, of degree V. */
PF_INLINE pf_real taylor_in_v(const int V, pf_real v, pf_real q0, pf_real q1, pf_real q2)
{
  return V == 0 ? q0 : (V == 1 ? q0 + v * q1 : q0 + v * (q1 + v * q2));
}

/** g(v, w) of one synapse. */
PF_INLINE pf_real taylor_value(const int V, const int C, const pf_real p[TAYLOR_LINE], pf_real v, pf_real w)
{
  return taylor_in_v(V, v, taylor_in_w(V, C, p, 0, w), taylor_in_w(V, C, p, 1, w), taylor_in_w(V, C, p, 2, w));
}

/** dg/dw of one synapse. */
PF_INLINE pf_real taylor_slope_w(const int V, const int C, const pf_real p[TAYLOR_LINE], pf_real v, pf_real w)
{
  return taylor_in_v(V, v, taylor_in_w_slope(V, C, p, 0, w), taylor_in_w_slope(V, C, p, 1, w),
                     taylor_in_w_slope(V, C, p, 2, w));
}

/** dg/dv of one synapse. */
PF_INLINE pf_real taylor_slope_v(const int V, const int C, const pf_real p[TAYLOR_LINE], pf_real v, pf_real w)
{
  const pf_real q1 = taylor_in_w(V, C, p, 1, w);
  return V < 2 ? q1 : q1 + 2 * v * taylor_in_w(V, C, p, 2, w);
}

/** A matrix with one cell a synapse, walked along lines: cell k of line l is at[l * line + k * next]. */
typedef struct taylor_walk {
  pf_real *at;
  int64_t line, next;
} taylor_walk;

PF_INLINE taylor_walk taylor_walk_of(const int way, const pf_real *matrix, int64_t ld)
{
  /* One struct for what is read and what is written; only what came writable is written to. */
  pf_real *at = (pf_real *)(uintptr_t)matrix;
  return way == TAYLOR_ROWS ? (taylor_walk){at, ld, 1} : (taylor_walk){at, 1, ld};
}

/** The lines of a block: what they share. */
typedef struct taylor_lines {
  int64_t n_lines, n;   /**< lines, synapses in each */
  int U;                /**< highest power of u */
  const pf_real *u, *v; /**< [n_lines], [n] */
  taylor_walk w;
} taylor_lines;

PF_INLINE taylor_lines taylor_lines_of(const int way, const taylor *self, const pf_block *in)
{
  const taylor_walk w = taylor_walk_of(way, in->w, in->ldw);
  return way == TAYLOR_ROWS ? (taylor_lines){in->n_rows, in->n_pre, self->highest[TAYLOR_Y], in->post, in->pre, w}
                            : (taylor_lines){in->n_pre, in->n_rows, self->highest[TAYLOR_X], in->pre, in->post, w};
}

/** out[k] = g(v_k, w_k) of n synapses. Along rows cells are neighbours, and a vector's worth is taken at a time. */
PF_INLINE void taylor_forward_run(const int way, const int V, const int C, const pf_real p[TAYLOR_LINE], int64_t n,
                                  const pf_real *v, const pf_real *w, int64_t next_w, pf_real *out, int64_t next_out)
{
  if (way == TAYLOR_ROWS) {
#pragma omp simd
    for (int64_t k = 0; k < n; k++) {
      out[k] = taylor_value(V, C, p, v[k], w[k]);
    }
  } else {
    for (int64_t k = 0; k < n; k++) {
      out[k * next_out] = taylor_value(V, C, p, v[k], w[k * next_w]);
    }
  }
}

/** out[k] = w_k + eta mask_k g(v_k, w_k); out MAY be w. Without a mask (MASKED 0) it is ones. */
PF_INLINE void taylor_step_run(const int way, const int V, const int C, const int MASKED, const pf_real p[TAYLOR_LINE],
                               int64_t n, const pf_real *v, const pf_real *w, int64_t next_w, pf_real eta,
                               const pf_real *mask, int64_t next_mask, pf_real *out, int64_t next_out)
{
  if (way == TAYLOR_ROWS) {
#pragma omp simd
    for (int64_t k = 0; k < n; k++) {
      out[k] = w[k] + (MASKED ? eta * mask[k] : eta) * taylor_value(V, C, p, v[k], w[k]);
    }
  } else {
    for (int64_t k = 0; k < n; k++) {
      const pf_real wk = w[k * next_w];
      out[k * next_out] = wk + (MASKED ? eta * mask[k * next_mask] : eta) * taylor_value(V, C, p, v[k], wk);
    }
  }
}

/**
 * One synapse's share of the sums over a line, S[a][c] += cotangent v^a w^c, into the variables s##00 .. s##22.
 * A macro, as `omp simd` reduces scalars by name.
 */
#define TAYLOR_ADD_TO_SUMS(V, C, s, cotangent, v, w) \
  do {                                               \
    const pf_real c0_ = (cotangent);                 \
    const pf_real c1_ = c0_ * (w);                   \
    const pf_real c2_ = c1_ * (w);                   \
    s##00 += c0_;                                    \
    if ((C) > 0) {                                   \
      s##01 += c1_;                                  \
    }                                                \
    if ((C) > 1) {                                   \
      s##02 += c2_;                                  \
    }                                                \
    if ((V) > 0) {                                   \
      s##10 += c0_ * (v);                            \
    }                                                \
    if ((V) > 0 && (C) > 0) {                        \
      s##11 += c1_ * (v);                            \
    }                                                \
    if ((V) > 0 && (C) > 1) {                        \
      s##12 += c2_ * (v);                            \
    }                                                \
    if ((V) > 1) {                                   \
      s##20 += c0_ * (v) * (v);                      \
    }                                                \
    if ((V) > 1 && (C) > 0) {                        \
      s##21 += c1_ * (v) * (v);                      \
    }                                                \
    if ((V) > 1 && (C) > 1) {                        \
      s##22 += c2_ * (v) * (v);                      \
    }                                                \
  } while (0)

/** How an adjoint gets the cotangent of dw. */
enum taylor_cotangent {
  TAYLOR_PLAIN = 0, /**< as given */
  TAYLOR_FUSED = 1, /**< eta gw, gw as on entry */
  TAYLOR_MASKED = 2 /**< eta mask gw */
};

/**
 * The adjoint of n synapses of a line. With c_k the cotangent of dw_k: gv_k += c_k dg/dv, gw_k += c_k dg/dw, and
 * sum[a][c] += sum over k of c_k v_k^a w_k^c. `cotangent` is the mask where there is one.
 */
PF_INLINE void taylor_vjp_run(const int way, const int V, const int C, const int from, const pf_real p[TAYLOR_LINE],
                              int64_t n, const pf_real *v, const pf_real *w, int64_t next_w, const pf_real *cotangent,
                              int64_t next_cotangent, pf_real eta, pf_real *gv, pf_real *gw, int64_t next_gw,
                              double sum[TAYLOR_LINE])
{
  pf_real s00 = 0, s01 = 0, s02 = 0, s10 = 0, s11 = 0, s12 = 0, s20 = 0, s21 = 0, s22 = 0;
  if (way == TAYLOR_ROWS) {
#pragma omp simd reduction(+ : s00, s01, s02, s10, s11, s12, s20, s21, s22)
    for (int64_t k = 0; k < n; k++) {
      const pf_real vk = v[k];
      const pf_real wk = w[k];
      const pf_real c = from == TAYLOR_PLAIN ? cotangent[k] : (from == TAYLOR_FUSED ? eta : eta * cotangent[k]) * gw[k];
      if (V > 0) {
        gv[k] += c * taylor_slope_v(V, C, p, vk, wk);
      }
      if (C > 0) {
        gw[k] += c * taylor_slope_w(V, C, p, vk, wk);
      }
      TAYLOR_ADD_TO_SUMS(V, C, s, c, vk, wk);
    }
  } else {
    for (int64_t k = 0; k < n; k++) {
      const pf_real vk = v[k];
      const pf_real wk = w[k * next_w];
      const pf_real lambda = from == TAYLOR_PLAIN ? 0 : gw[k * next_gw];
      const pf_real c = from == TAYLOR_PLAIN
                            ? cotangent[k * next_cotangent]
                            : (from == TAYLOR_FUSED ? eta : eta * cotangent[k * next_cotangent]) * lambda;
      if (V > 0) {
        gv[k] += c * taylor_slope_v(V, C, p, vk, wk);
      }
      if (C > 0) {
        gw[k * next_gw] = (from == TAYLOR_PLAIN ? gw[k * next_gw] : lambda) + c * taylor_slope_w(V, C, p, vk, wk);
      }
      TAYLOR_ADD_TO_SUMS(V, C, s, c, vk, wk);
    }
  }
  const pf_real all[TAYLOR_LINE] = {s00, s01, s02, s10, s11, s12, s20, s21, s22};
  for (int a = 0; a <= V; a++) {
    for (int c = 0; c <= C; c++) {
      sum[a * (C + 1) + c] += (double)all[a * 3 + c];
    }
  }
}

/** dw of a block. */
PF_INLINE void taylor_forward_block(const int way, const int V, const int C, const taylor *self, const pf_block *in,
                                    pf_real *dw, int64_t lddw)
{
  double r_power[TAYLOR_POWERS], table[TAYLOR_TABLE];
  pf_real p[TAYLOR_LINE];
  const taylor_lines lines = taylor_lines_of(way, self, in);
  const taylor_walk out = taylor_walk_of(way, dw, lddw);
  taylor_r_powers(self, in, r_power);
  taylor_table(self, way, (lines.U + 1) * (V + 1) * (C + 1), in->theta, r_power, table);
  for (int64_t l = 0; l < lines.n_lines; l++) {
    if (l == 0 || lines.U > 0) {
      taylor_line(V, C, table, lines.U, (double)lines.u[l], p);
    }
    taylor_forward_run(way, V, C, p, lines.n, lines.v, lines.w.at + l * lines.w.line, lines.w.next,
                       out.at + l * out.line, out.next);
  }
}

/** w_out of a block. */
PF_INLINE void taylor_step_block(const int way, const int V, const int C, const taylor *self, const pf_block *in,
                                 const pf_update *update, pf_real *w_out, int64_t ld_out)
{
  double r_power[TAYLOR_POWERS], table[TAYLOR_TABLE];
  pf_real p[TAYLOR_LINE];
  const taylor_lines lines = taylor_lines_of(way, self, in);
  const taylor_walk out = taylor_walk_of(way, w_out, ld_out);
  const taylor_walk mask = taylor_walk_of(way, update->mask, update->ldm);
  const pf_real eta = (pf_real)update->eta;
  taylor_r_powers(self, in, r_power);
  taylor_table(self, way, (lines.U + 1) * (V + 1) * (C + 1), in->theta, r_power, table);
  for (int64_t l = 0; l < lines.n_lines; l++) {
    if (l == 0 || lines.U > 0) {
      taylor_line(V, C, table, lines.U, (double)lines.u[l], p);
    }
    const pf_real *w = lines.w.at + l * lines.w.line;
    if (mask.at != NULL) {
      taylor_step_run(way, V, C, 1, p, lines.n, lines.v, w, lines.w.next, eta, mask.at + l * mask.line, mask.next,
                      out.at + l * out.line, out.next);
    } else {
      taylor_step_run(way, V, C, 0, p, lines.n, lines.v, w, lines.w.next, eta, NULL, 0, out.at + l * out.line,
                      out.next);
    }
  }
}

/** Gradients by line: what is the same for every line of an adjoint. */
typedef struct taylor_adjoint {
  pf_real eta;
  taylor_walk cotangent; /**< of dw, or the mask */
  taylor_walk gw;        /**< at NULL: not wanted */
  pf_real *gu, *gv;      /**< NULL: not wanted */
} taylor_adjoint;

/** The adjoint along line l; what is not wanted goes to a spare stretch and is forgotten. */
PF_INLINE void taylor_vjp_line(const int way, const int V, const int C, const int from, const pf_real p[TAYLOR_LINE],
                               const taylor_lines *lines, const taylor_adjoint *adjoint, pf_real *spare, int64_t l,
                               double sum[TAYLOR_LINE])
{
  const taylor_walk *cotangent = &adjoint->cotangent;
  const taylor_walk *gw = &adjoint->gw;
  for (int64_t k = 0; k < lines->n; k += RULE_CHUNK) {
    const int64_t n = lines->n - k < RULE_CHUNK ? lines->n - k : RULE_CHUNK;
    taylor_vjp_run(
        way, V, C, from, p, n, lines->v + k, lines->w.at + l * lines->w.line + k * lines->w.next, lines->w.next,
        from == TAYLOR_FUSED ? NULL : cotangent->at + l * cotangent->line + k * cotangent->next, cotangent->next,
        adjoint->eta, adjoint->gv != NULL ? adjoint->gv + k : spare,
        gw->at != NULL ? gw->at + l * gw->line + k * gw->next : spare + RULE_CHUNK, gw->at != NULL ? gw->next : 1, sum);
  }
}

/** Add the sums of a line to the totals over lines, and give back sum c dg/du. */
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

/** theta's gradient, and that of r, from the totals. */
PF_INLINE void taylor_finish(const taylor *self, int way, const pf_block *in, const double r_power[TAYLOR_POWERS],
                             const double total[TAYLOR_TABLE], const pf_rule_gradient *gradient)
{
  if (gradient->theta != NULL) {
    for (int k = 0; k < self->n_terms; k++) {
      gradient->theta[k] += r_power[self->power[k][TAYLOR_R]] * total[self->slot[way][k]];
    }
  }
  if (gradient->modulator != NULL && self->highest[TAYLOR_R] > 0) {
    double slope = 0.0;
    for (int k = 0; k < self->n_terms; k++) {
      const int d = self->power[k][TAYLOR_R];
      if (d > 0) {
        slope += d * r_power[d - 1] * in->theta[k] * total[self->slot[way][k]];
      }
    }
    gradient->modulator[0] += (pf_real)slope;
  }
}

/**
 * The adjoint of a block: of forward (`update` NULL), or of step (cotangent NULL; gradient->w holds the cotangent of
 * w_out on entry).
 */
PF_INLINE void taylor_vjp_block(const int way, const int V, const int C, const int fused, const taylor *self,
                                const pf_block *in, const pf_real *cotangent, int64_t ld_cotangent,
                                const pf_update *update, const pf_rule_gradient *gradient)
{
  const int size = (V + 1) * (C + 1);
  double r_power[TAYLOR_POWERS], table[TAYLOR_TABLE], total[TAYLOR_TABLE];
  pf_real p[TAYLOR_LINE], spare[2 * RULE_CHUNK];
  const taylor_lines lines = taylor_lines_of(way, self, in);
  const int masked = fused && update->mask != NULL;
  const taylor_adjoint adjoint = {
      .eta = fused ? (pf_real)update->eta : 0,
      .cotangent =
          fused ? taylor_walk_of(way, update->mask, update->ldm) : taylor_walk_of(way, cotangent, ld_cotangent),
      .gw = taylor_walk_of(way, gradient->w, gradient->ldw),
      .gu = way == TAYLOR_ROWS ? gradient->post : gradient->pre,
      .gv = way == TAYLOR_ROWS ? gradient->pre : gradient->post,
  };
  if (adjoint.gv == NULL || adjoint.gw.at == NULL) {
    memset(spare, 0, sizeof spare);
  }
  for (int s = 0; s < (lines.U + 1) * size; s++) {
    total[s] = 0.0;
  }
  taylor_r_powers(self, in, r_power);
  taylor_table(self, way, (lines.U + 1) * size, in->theta, r_power, table);
  for (int64_t l = 0; l < lines.n_lines; l++) {
    const double u = lines.U > 0 ? (double)lines.u[l] : 0.0;
    double sum[TAYLOR_LINE] = {0};
    if (l == 0 || lines.U > 0) {
      taylor_line(V, C, table, lines.U, u, p);
    }
    if (!fused) {
      taylor_vjp_line(way, V, C, TAYLOR_PLAIN, p, &lines, &adjoint, spare, l, sum);
    } else if (masked) {
      taylor_vjp_line(way, V, C, TAYLOR_MASKED, p, &lines, &adjoint, spare, l, sum);
    } else {
      taylor_vjp_line(way, V, C, TAYLOR_FUSED, p, &lines, &adjoint, spare, l, sum);
    }
    const double slope = taylor_fold(size, lines.U, u, table, sum, total);
    if (lines.U > 0 && adjoint.gu != NULL) {
      adjoint.gu[l] += (pf_real)slope;
    }
  }
  taylor_finish(self, way, in, r_power, total, gradient);
}

/** Call block(way, V, C, ...) with all three as constants. */
#define TAYLOR_SPECIALISE(self, way, block, ...)                                                                       \
  if ((way) == TAYLOR_ROWS) {                                                                                          \
    TAYLOR_SPECIALISE_POWERS(TAYLOR_ROWS, (self)->highest[TAYLOR_X], (self)->highest[TAYLOR_W], block, __VA_ARGS__)    \
  } else {                                                                                                             \
    TAYLOR_SPECIALISE_POWERS(TAYLOR_COLUMNS, (self)->highest[TAYLOR_Y], (self)->highest[TAYLOR_W], block, __VA_ARGS__) \
  }

#define TAYLOR_SPECIALISE_POWERS(way, highest_v, highest_w, block, ...) \
  switch ((highest_v)*3 + (highest_w)) {                                \
  case 0:                                                               \
    block(way, 0, 0, __VA_ARGS__);                                      \
    break;                                                              \
  case 1:                                                               \
    block(way, 0, 1, __VA_ARGS__);                                      \
    break;                                                              \
  case 2:                                                               \
    block(way, 0, 2, __VA_ARGS__);                                      \
    break;                                                              \
  case 3:                                                               \
    block(way, 1, 0, __VA_ARGS__);                                      \
    break;                                                              \
  case 4:                                                               \
    block(way, 1, 1, __VA_ARGS__);                                      \
    break;                                                              \
  case 5:                                                               \
    block(way, 1, 2, __VA_ARGS__);                                      \
    break;                                                              \
  case 6:                                                               \
    block(way, 2, 0, __VA_ARGS__);                                      \
    break;                                                              \
  case 7:                                                               \
    block(way, 2, 1, __VA_ARGS__);                                      \
    break;                                                              \
  default:                                                              \
    block(way, 2, 2, __VA_ARGS__);                                      \
    break;                                                              \
  }

#endif
