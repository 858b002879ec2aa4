#include "core/optimise/quadratic.h"

#include "core/base/memory.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <string.h>

/* Where a value is: active at a breakpoint, or free in the piece between two. */
typedef struct piece {
  bool free;
  double slope;     /* of l1 |x| in this piece */
  double low, high; /* its breakpoints */
} piece;

struct pf_quadratic {
  size_t n;
  piece *pieces;  /* [n] */
  size_t *index;  /* [n] of the free ones */
  double *memory; /* of all below */
  double *slope;  /* [n] gradient of the smooth part of the model at x */
  double *right;  /* [n] right-hand side, then the step of the free ones */
  double *step;   /* [n] the same, 0 where active */
  double *matrix; /* [n][n] B of the free ones, then its factor */
};

pf_status pf_quadratic_create(size_t n, pf_quadratic **out, pf_error *error)
{
  pf_quadratic *q = pf_memory_need(1, sizeof *q, error);
  if (q == NULL) {
    return PF_STOP;
  }
  q->n = n;
  q->pieces = pf_memory_need(n, sizeof *q->pieces, error);
  q->index = pf_memory_need(n, sizeof *q->index, error);
  q->memory = pf_memory_need((3 + n) * n, sizeof *q->memory, error);
  if (q->pieces == NULL || q->index == NULL || q->memory == NULL) {
    pf_quadratic_free(q);
    return PF_STOP;
  }
  q->slope = q->memory;
  q->right = q->memory + n;
  q->step = q->memory + 2 * n;
  q->matrix = q->memory + 3 * n;
  *out = q;
  return PF_OK;
}

void pf_quadratic_free(pf_quadratic *q)
{
  if (q != NULL) {
    pf_memory_free(q->pieces);
    pf_memory_free(q->index);
    pf_memory_free(q->memory);
    pf_memory_free(q);
  }
}

/* The piece to the right (+1) or to the left (-1) of x. */
static piece piece_beside(const pf_function *function, size_t i, double x, int side)
{
  const double l1 = pf_l1_weight(function, i);
  const double center = pf_l1_center(function, i);
  piece p = {.free = true, .low = function->lower[i], .high = function->upper[i]};
  if (l1 > 0.0) {
    const bool above = side > 0 ? x >= center : x > center;
    p.slope = above ? l1 : -l1;
    p.low = above ? fmax(center, p.low) : p.low;
    p.high = above ? p.high : fmin(center, p.high);
  }
  return p;
}

static void start_at(pf_quadratic *q, const pf_function *function, const double *v,
                     const double *gradient, double *x)
{
  memcpy(x, v, q->n * sizeof *x);
  memcpy(q->slope, gradient, q->n * sizeof *q->slope);
  for (size_t i = 0; i < q->n; i++) {
    q->pieces[i] = piece_beside(function, i, x[i], 1);
    q->pieces[i].free = x[i] > q->pieces[i].low && x[i] < q->pieces[i].high;
  }
}

/* Solve for the free ones into q->step. */
static bool solve_for_free(pf_quadratic *q, const double *b, size_t *n_free)
{
  size_t m = 0;
  for (size_t i = 0; i < q->n; i++) {
    if (q->pieces[i].free) {
      q->index[m++] = i;
    }
  }
  *n_free = m;
  memset(q->step, 0, q->n * sizeof *q->step);
  for (size_t r = 0; r < m; r++) {
    const double *row = b + q->index[r] * q->n;
    q->right[r] = -(q->slope[q->index[r]] + q->pieces[q->index[r]].slope);
    for (size_t c = 0; c <= r; c++) {
      q->matrix[r * m + c] = row[q->index[c]];
    }
  }
  if (m == 0) {
    return true;
  }
  /* row-major lower is column-major upper: LAPACK's own layout, so nothing is transposed */
  const lapack_int size = (lapack_int)m;
  if (LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'U', size, q->matrix, size) != 0 ||
      LAPACKE_dpotrs_work(LAPACK_COL_MAJOR, 'U', size, 1, q->matrix, size, q->right, size) != 0) {
    return false;
  }
  for (size_t r = 0; r < m; r++) {
    if (!isfinite(q->right[r])) {
      return false;
    }
    q->step[q->index[r]] = q->right[r];
  }
  return true;
}

/* Go the whole step, or to the first breakpoint; true where nothing was in the way. */
static bool move_to_breakpoint(pf_quadratic *q, const double *b, double *x, double *share)
{
  size_t blocking = q->n;
  double at = 0.0;
  *share = 1.0;
  for (size_t i = 0; i < q->n; i++) {
    const double target = x[i] + q->step[i];
    const double edge = q->step[i] < 0.0 ? q->pieces[i].low : q->pieces[i].high;
    const bool beyond = q->step[i] < 0.0 ? target < edge : target > edge;
    if (q->pieces[i].free && q->step[i] != 0.0 && beyond && (edge - x[i]) / q->step[i] <= *share) {
      *share = (edge - x[i]) / q->step[i];
      blocking = i;
      at = edge;
    }
  }
  for (size_t i = 0; i < q->n; i++) {
    if (q->pieces[i].free) {
      /* clipped for rounding alone */
      x[i] = fmin(fmax(x[i] + *share * q->step[i], q->pieces[i].low), q->pieces[i].high);
    }
  }
  cblas_dsymv(CblasRowMajor, CblasLower, (int)q->n, *share, b, (int)q->n, q->step, 1, 1.0, q->slope,
              1);
  if (blocking < q->n) {
    x[blocking] = at;
    q->pieces[blocking].free = false;
  }
  return blocking == q->n;
}

/* Make the active values free whose side goes down: all, or the one that gains most. false: there
 * is none. */
static bool release_active(pf_quadratic *q, const pf_function *function, const double *b,
                           const double *x, bool one, double least)
{
  size_t best = q->n;
  double best_gain = 0.0;
  bool any = false;
  for (size_t i = 0; i < q->n; i++) {
    if (q->pieces[i].free) {
      continue;
    }
    const piece right = piece_beside(function, i, x[i], 1);
    const piece left = piece_beside(function, i, x[i], -1);
    const double up = q->slope[i] + right.slope;
    const double down = q->slope[i] + left.slope;
    const bool goes_up = up < 0.0 && x[i] < function->upper[i];
    const bool goes_down = !goes_up && down > 0.0 && x[i] > function->lower[i];
    const double slope = goes_up ? up : down;
    const double gain = goes_up || goes_down ? 0.5 * slope * slope / b[i * q->n + i] : 0.0;
    if (gain <= least) {
      continue;
    }
    any = true;
    if (!one) {
      q->pieces[i] = goes_up ? right : left;
    } else if (gain > best_gain) {
      best_gain = gain;
      best = i;
    }
  }
  if (one && any) {
    const bool goes_up = q->slope[best] + piece_beside(function, best, x[best], 1).slope < 0.0;
    q->pieces[best] = piece_beside(function, best, x[best], goes_up ? 1 : -1);
  }
  return any;
}

bool pf_quadratic_solve(pf_quadratic *q, const pf_function *function, const double *v,
                        const double *gradient, const double *b, double *x)
{
  /* far more than ever seen; what is there by then is still a descent step */
  const size_t max_rounds = 10 * q->n + 20;
  double gained = 0.0;
  bool stood_still = false;
  start_at(q, function, v, gradient, x);
  for (size_t round = 0; round < max_rounds; round++) {
    size_t n_free = 0;
    if (!solve_for_free(q, b, &n_free)) {
      return false;
    }
    /* of the model along the step; the model falls by (share - share^2 / 2) of it */
    double slope = 0.0;
    for (size_t i = 0; i < q->n; i++) {
      slope -= (q->slope[i] + q->pieces[i].slope) * q->step[i];
    }
    double share = 0.0;
    const bool whole = move_to_breakpoint(q, b, x, &share);
    gained += (share - 0.5 * share * share) * slope;
    if (!whole) {
      stood_still = stood_still || share == 0.0;
      continue;
    }
    /* a gain that is rounding next to what was gained is none */
    if (!release_active(q, function, b, x, stood_still, 1e-15 * gained)) {
      break;
    }
  }
  return true;
}
