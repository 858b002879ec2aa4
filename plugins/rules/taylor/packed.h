/*
 * plugins/rules/taylor/packed.h - the Taylor rule on blocks of few columns: several rows side by
 * side, u = x and v = y.
 *
 * A strip is up to TAYLOR_LANES columns of a block. Each of its rows takes `width` lanes, the power
 * of two that holds its columns, so TAYLOR_LANES / width rows fill a pack: lane r width + j is
 * column j of the pack's row r. What depends on the column alone (x, and the coefficients of the
 * polynomial in y and w) is then the same in every pack, and worked out once a call; sums over rows
 * are kept by lane. Lanes without a synapse have w, y and cotangent 0.
 *
 * Loops over lanes have a constant count: one vector of 32 bytes, or two of 16.
 */
#ifndef PLASTFIT_RULES_TAYLOR_PACKED_H
#define PLASTFIT_RULES_TAYLOR_PACKED_H

#include "kernel.h"

enum { TAYLOR_LANES = 32 / sizeof(pf_real) };

typedef struct taylor_strip {
  int64_t first, n; /**< columns */
  int64_t width;    /**< lanes that a row takes */
  int64_t n_rows;   /**< of a pack */
  double x[TAYLOR_LANES];
  pf_real p[TAYLOR_LINE]
           [TAYLOR_LANES]; /**< coefficients of v^a w^c, in each lane those of its column */
} taylor_strip;

/** Coefficients by lane: p = sum over the powers of x of K x^a. U: the highest, a constant. */
PF_INLINE void taylor_strip_line(const int size, const int U, const double *table,
                                 taylor_strip *strip)
{
  for (int s = 0; s < size; s++) {
#pragma omp simd
    for (int l = 0; l < TAYLOR_LANES; l++) {
      const double x = strip->x[l];
      double sum = table[s];
      if (U > 0) {
        sum += x * table[size + s];
      }
      if (U > 1) {
        sum += x * x * table[2 * size + s];
      }
      strip->p[s][l] = (pf_real)sum;
    }
  }
}

/** The strip of columns from `first` on. */
PF_INLINE void taylor_strip_begin(const int V, const int C, const pf_block *in, int64_t first,
                                  int U, const double *table, taylor_strip *strip)
{
  strip->first = first;
  strip->n = in->n_pre - first < TAYLOR_LANES ? in->n_pre - first : TAYLOR_LANES;
  strip->width = 1;
  while (strip->width < strip->n) {
    strip->width *= 2;
  }
  strip->n_rows = TAYLOR_LANES / strip->width;
  for (int64_t l = 0; l < TAYLOR_LANES; l++) {
    const int64_t j = l & (strip->width - 1);
    strip->x[l] = U > 0 && j < strip->n ? (double)in->pre[first + j] : 0.0;
  }
  switch (U) { /* constants, so that each loop is compiled for its own power */
  case 0:
    taylor_strip_line((V + 1) * (C + 1), 0, table, strip);
    break;
  case 1:
    taylor_strip_line((V + 1) * (C + 1), 1, table, strip);
    break;
  default:
    taylor_strip_line((V + 1) * (C + 1), 2, table, strip);
    break;
  }
}

/** A matrix of the block, from the strip's first column on. */
typedef struct taylor_plane {
  pf_real *at; /**< NULL: there is none */
  int64_t ld;
} taylor_plane;

PF_INLINE taylor_plane taylor_plane_of(const taylor_strip *strip, const pf_real *matrix, int64_t ld)
{
  /* One struct for what is read and what is written; only what came writable is written to. */
  return (taylor_plane){matrix == NULL ? NULL : (pf_real *)(uintptr_t)matrix + strip->first, ld};
}

/** Do whole packs lie in memory as they do in lanes? */
PF_INLINE int taylor_is_packed(const taylor_strip *strip, const taylor_plane *plane)
{
  return plane->at != NULL && strip->n == strip->width &&
         (plane->ld == strip->width || strip->n_rows == 1);
}

/** n_rows rows of a matrix, from row i on, into lanes. PACKED: they lie so. */
PF_INLINE void taylor_pack(const int PACKED, const taylor_strip *strip, const taylor_plane *plane,
                           int64_t i, int64_t n_rows, pf_real lane[TAYLOR_LANES])
{
  const pf_real *from = plane->at + i * plane->ld;
  for (int l = 0; l < TAYLOR_LANES; l++) {
    lane[l] = PACKED ? from[l] : 0;
  }
  for (int64_t r = 0; r < n_rows && !PACKED; r++) {
    for (int64_t j = 0; j < strip->n; j++) {
      lane[r * strip->width + j] = from[r * plane->ld + j];
    }
  }
}

/** The way back. */
PF_INLINE void taylor_unpack(const int PACKED, const taylor_strip *strip,
                             const pf_real lane[TAYLOR_LANES], const taylor_plane *plane, int64_t i,
                             int64_t n_rows)
{
  pf_real *to = plane->at + i * plane->ld;
  for (int l = 0; l < TAYLOR_LANES && PACKED; l++) {
    to[l] = lane[l];
  }
  for (int64_t r = 0; r < n_rows && !PACKED; r++) {
    for (int64_t j = 0; j < strip->n; j++) {
      to[r * plane->ld + j] = lane[r * strip->width + j];
    }
  }
}

/** y of n_rows rows, in every lane of a row. */
PF_INLINE void taylor_pack_y(const taylor_strip *strip, int64_t n_rows, const pf_real *y,
                             pf_real lane[TAYLOR_LANES])
{
  if (strip->width == 2 && n_rows == strip->n_rows) { /* the field's commonest input */
    for (int l = 0; l < TAYLOR_LANES; l++) {
      lane[l] = y[l / 2];
    }
    return;
  }
  for (int l = 0; l < TAYLOR_LANES; l++) {
    lane[l] = 0;
  }
  for (int64_t r = 0; r < n_rows; r++) {
    for (int64_t j = 0; j < strip->width; j++) {
      lane[r * strip->width + j] = y[r];
    }
  }
}

/** Sums of lanes over the columns of a row, for n_rows rows: y += . */
PF_INLINE void taylor_add_rows(const taylor_strip *strip, int64_t n_rows,
                               const pf_real lane[TAYLOR_LANES], pf_real *y)
{
  if (strip->width == 2 && n_rows == strip->n_rows) {
    for (int r = 0; r < TAYLOR_LANES / 2; r++) {
      y[r] += lane[2 * r] + lane[2 * r + 1];
    }
    return;
  }
  for (int64_t r = 0; r < n_rows; r++) {
    pf_real sum = 0;
    for (int64_t j = 0; j < strip->width; j++) {
      sum += lane[r * strip->width + j];
    }
    y[r] += sum;
  }
}

/** How dw changes w, by lane: eta mask. PACKED: there is no mask. */
PF_INLINE void taylor_pack_rate(const int PACKED, const taylor_strip *strip,
                                const taylor_plane *mask, pf_real eta, int64_t i, int64_t n_rows,
                                pf_real lane[TAYLOR_LANES])
{
  if (PACKED || mask->at == NULL) {
    for (int l = 0; l < TAYLOR_LANES; l++) {
      lane[l] = eta;
    }
    return;
  }
  taylor_pack(0, strip, mask, i, n_rows, lane);
  for (int l = 0; l < TAYLOR_LANES; l++) {
    lane[l] *= eta;
  }
}

/** What strips of a block share. */
typedef struct taylor_packed {
  int U; /**< highest power of x */
  double r_power[TAYLOR_POWERS];
  double table[TAYLOR_TABLE];
} taylor_packed;

PF_INLINE void taylor_packed_begin(const int V, const int C, const taylor *self, const pf_block *in,
                                   taylor_packed *packed)
{
  packed->U = self->highest[TAYLOR_X];
  taylor_r_powers(self, in, packed->r_power);
  taylor_table(self, TAYLOR_PACKED, (packed->U + 1) * (V + 1) * (C + 1), in->theta, packed->r_power,
               packed->table);
}

/** A change of weights, as packs see it. */
typedef struct taylor_change {
  const pf_real *y;
  int is_step; /**< out = w + eta mask dw, else out = dw */
  pf_real eta;
  taylor_plane w, mask, out;
} taylor_change;

/** Rows [i, i + n_rows). PACKED: of w and out, and there is no mask. */
PF_INLINE void taylor_apply_pack(const int V, const int C, const int PACKED,
                                 const taylor_strip *strip, const taylor_change *change, int64_t i,
                                 int64_t n_rows)
{
  pf_real y[TAYLOR_LANES] = {0}, w[TAYLOR_LANES], rate[TAYLOR_LANES], out[TAYLOR_LANES];
  if (V > 0) {
    taylor_pack_y(strip, n_rows, change->y + i, y);
  }
  taylor_pack(PACKED, strip, &change->w, i, n_rows, w);
#pragma omp simd
  for (int l = 0; l < TAYLOR_LANES; l++) {
    out[l] = taylor_value(V, C, TAYLOR_LANES, &strip->p[0][l], y[l], w[l]);
  }
  if (PACKED || change->is_step) {
    taylor_pack_rate(PACKED, strip, &change->mask, change->eta, i, n_rows, rate);
    for (int l = 0; l < TAYLOR_LANES; l++) {
      out[l] = w[l] + rate[l] * out[l];
    }
  }
  taylor_unpack(PACKED, strip, out, &change->out, i, n_rows);
}

/** out = dw (`update` NULL), or w + eta mask dw of a block; out MAY be w. */
PF_INLINE void taylor_apply_packed(const int V, const int C, const taylor *self, const pf_block *in,
                                   const pf_update *update, pf_real *out, int64_t ld_out)
{
  taylor_packed packed;
  taylor_strip strip;
  taylor_packed_begin(V, C, self, in, &packed);
  for (int64_t first = 0; first < in->n_pre; first += TAYLOR_LANES) {
    taylor_strip_begin(V, C, in, first, packed.U, packed.table, &strip);
    taylor_change change = {.y = in->post,
                            .w = taylor_plane_of(&strip, in->w, in->ldw),
                            .out = taylor_plane_of(&strip, out, ld_out)};
    if (update != NULL) {
      change.is_step = 1;
      change.eta = (pf_real)update->eta;
      change.mask = taylor_plane_of(&strip, update->mask, update->ldm);
    }
    int64_t i = 0;
    if (change.is_step && change.mask.at == NULL && taylor_is_packed(&strip, &change.w) &&
        taylor_is_packed(&strip, &change.out)) {
      for (; i + strip.n_rows <= in->n_rows; i += strip.n_rows) {
        taylor_apply_pack(V, C, 1, &strip, &change, i, strip.n_rows);
      }
    }
    for (; i < in->n_rows; i += strip.n_rows) {
      taylor_apply_pack(V, C, 0, &strip, &change, i,
                        in->n_rows - i < strip.n_rows ? in->n_rows - i : strip.n_rows);
    }
  }
}

/* Sums are laid out as the coefficients are. */
#define TAYLOR_LANE_SUM(a, c) sum[(a) * (C + 1) + (c)][l]

/** An adjoint, as packs see it. */
typedef struct taylor_back {
  const pf_real *y;
  pf_real *gy; /**< NULL: not wanted */
  int is_step; /**< of out = w + eta mask dw, else of out = dw */
  pf_real eta;
  taylor_plane w, given,
      gw; /**< given: the mask of a step, else the cotangent of dw; gw.at NULL: not wanted */
} taylor_back;

/**
 * Rows [i, i + n_rows). PACKED: of w and gw, of a step, and there is no mask. With c the cotangent
 * of dw: gw += c dg/dw, gy += c dg/dy, and, by lane, sum[a][b] += c v^a w^b.
 */
PF_INLINE void taylor_adjoint_pack(const int V, const int C, const int PACKED,
                                   const taylor_strip *strip, const taylor_back *back, int64_t i,
                                   int64_t n_rows, pf_real sum[TAYLOR_LINE][TAYLOR_LANES])
{
  pf_real y[TAYLOR_LANES] = {0}, w[TAYLOR_LANES], gw[TAYLOR_LANES] = {0};
  pf_real c[TAYLOR_LANES], gy[TAYLOR_LANES];
  if (V > 0) {
    taylor_pack_y(strip, n_rows, back->y + i, y);
  }
  taylor_pack(PACKED, strip, &back->w, i, n_rows, w);
  if (PACKED || back->gw.at != NULL) {
    taylor_pack(PACKED, strip, &back->gw, i, n_rows, gw);
  }
  if (PACKED || back->is_step) {
    taylor_pack_rate(PACKED, strip, &back->given, back->eta, i, n_rows, c);
    for (int l = 0; l < TAYLOR_LANES; l++) {
      c[l] *= gw[l];
    }
  } else {
    taylor_pack(0, strip, &back->given, i, n_rows, c);
  }
#pragma omp simd
  for (int l = 0; l < TAYLOR_LANES; l++) {
    if (V > 0) {
      gy[l] = c[l] * taylor_slope_v(V, C, TAYLOR_LANES, &strip->p[0][l], y[l], w[l]);
    }
    if (C > 0) {
      gw[l] += c[l] * taylor_slope_w(V, C, TAYLOR_LANES, &strip->p[0][l], y[l], w[l]);
    }
    TAYLOR_ADD_TO_SUMS(V, C, TAYLOR_LANE_SUM, c[l], y[l], w[l]);
  }
  if (C > 0 && (PACKED || back->gw.at != NULL)) {
    taylor_unpack(PACKED, strip, gw, &back->gw, i, n_rows);
  }
  if (V > 0 && back->gy != NULL) {
    taylor_add_rows(strip, n_rows, gy, back->gy + i);
  }
}

/** The sums of a strip into the totals over columns. U: the highest power of x, a constant. */
PF_INLINE void taylor_strip_fold(const int size, const int U, const taylor_strip *strip,
                                 pf_real sum[TAYLOR_LINE][TAYLOR_LANES], double total[TAYLOR_TABLE])
{
#pragma omp simd
  for (int s = 0; s < size; s++) {
    double s0 = 0, s1 = 0, s2 = 0;
    for (int l = 0; l < TAYLOR_LANES; l++) {
      const double c = (double)sum[s][l], x = strip->x[l];
      s0 += c;
      s1 += c * x;
      s2 += c * (x * x);
    }
    total[s] += s0;
    if (U > 0) {
      total[size + s] += s1;
    }
    if (U > 1) {
      total[2 * size + s] += s2;
    }
  }
}

/** gx += sum c dg/dx of the strip's columns. U: the highest power of x, at least 1. */
PF_INLINE void taylor_strip_slopes(const int size, int U, const double *table,
                                   const taylor_strip *strip,
                                   pf_real sum[TAYLOR_LINE][TAYLOR_LANES], pf_real *gx)
{
  for (int64_t l = 0; l < TAYLOR_LANES; l++) {
    const int64_t j = l & (strip->width - 1);
    double slope = 0.0;
    for (int s = 0; s < size; s++) {
      slope += (double)sum[s][l] *
               (table[size + s] + (U > 1 ? 2 * strip->x[l] * table[2 * size + s] : 0.0));
    }
    if (j < strip->n) {
      gx[strip->first + j] += (pf_real)slope;
    }
  }
}

/** The adjoint of a block. */
PF_INLINE void taylor_adjoint_packed(const int V, const int C, const taylor *self,
                                     const pf_block *in, taylor_cotangent of,
                                     const pf_rule_gradient *gradient)
{
  const pf_update *update = of.update;
  const int size = (V + 1) * (C + 1);
  double total[TAYLOR_TABLE] = {0};
  taylor_packed packed;
  taylor_strip strip;
  taylor_packed_begin(V, C, self, in, &packed);
  for (int64_t first = 0; first < in->n_pre; first += TAYLOR_LANES) {
    pf_real sum[TAYLOR_LINE][TAYLOR_LANES] = {{0}};
    taylor_strip_begin(V, C, in, first, packed.U, packed.table, &strip);
    taylor_back back = {.y = in->post,
                        .gy = gradient->post,
                        .w = taylor_plane_of(&strip, in->w, in->ldw),
                        .given = taylor_plane_of(&strip, of.dw, of.ld),
                        .gw = taylor_plane_of(&strip, gradient->w, gradient->ldw)};
    if (update != NULL) {
      back.is_step = 1;
      back.eta = (pf_real)update->eta;
      back.given = taylor_plane_of(&strip, update->mask, update->ldm);
    }
    int64_t i = 0;
    if (back.is_step && back.given.at == NULL && taylor_is_packed(&strip, &back.w) &&
        taylor_is_packed(&strip, &back.gw)) {
      for (; i + strip.n_rows <= in->n_rows; i += strip.n_rows) {
        taylor_adjoint_pack(V, C, 1, &strip, &back, i, strip.n_rows, sum);
      }
    }
    for (; i < in->n_rows; i += strip.n_rows) {
      taylor_adjoint_pack(V, C, 0, &strip, &back, i,
                          in->n_rows - i < strip.n_rows ? in->n_rows - i : strip.n_rows, sum);
    }
    switch (packed.U) {
    case 0:
      taylor_strip_fold(size, 0, &strip, sum, total);
      break;
    case 1:
      taylor_strip_fold(size, 1, &strip, sum, total);
      break;
    default:
      taylor_strip_fold(size, 2, &strip, sum, total);
      break;
    }
    if (packed.U > 0 && gradient->pre != NULL) {
      taylor_strip_slopes(size, packed.U, packed.table, &strip, sum, gradient->pre);
    }
  }
  taylor_finish(self, TAYLOR_PACKED, (packed.U + 1) * size, packed.r_power, total, gradient);
}

#endif
