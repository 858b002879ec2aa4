#include "core/optimise/value_scales.h"

#include "core/base/memory.h"

#include <math.h>
#include <string.h>

/* Values beyond which a matrix would cost more than its scales are worth. */
enum { MAX_SCALED = 500, MAX_ALONE = 30 };

typedef struct probe {
  const pf_function *function;
  double *at, *gradient, *h; /* [n], [n], [n][n] */
  double f;                  /* at the start */
  pf_optimum count;
} probe;

static const double far_worse = 4.0; /* times the objective at the start */

double pf_value_spread(const pf_function *function, double scale)
{
  return scale * sqrt(fmax(function->cells, 1.0));
}

/* The scale of value i by the curvature of an evaluation; INFINITY: it tells none. */
static double scale_by(const probe *p, double f, size_t i)
{
  const size_t n = p->function->n;
  const double curvature = pf_function_nats(p->function, f) * p->h[i * n + i];
  return curvature > 0.0 ? 1.0 / sqrt(curvature) : (double)INFINITY;
}

/* Scales of the values that have none yet, at probe->at. *n_unknown: those that still have none. */
static pf_status scale_at(probe *p, double *scale, size_t *n_unknown)
{
  const size_t n = p->function->n;
  pf_error ignored = pf_error_none();
  pf_derivatives out = {.gradient = p->gradient, .h = p->h};
  const pf_status status = pf_function_start(p->function, p->at, &out, &p->count, &ignored);
  *n_unknown = 0;
  p->f = out.f;
  for (size_t i = 0; i < n; i++) {
    const double found = status == PF_OK ? scale_by(p, out.f, i) : (double)INFINITY;
    if (scale[i] <= 0.0 && isfinite(found)) {
      scale[i] = found;
    }
    *n_unknown += scale[i] > 0.0 ? 0 : 1;
  }
  return status < 0 ? status : PF_OK;
}

/* One spread away from the start along every value whose scale is known. */
static void move_known(probe *p, const double *start, const double *scale)
{
  for (size_t i = 0; i < p->function->n; i++) {
    p->at[i] = start[i] + (scale[i] > 0.0 ? pf_value_spread(p->function, scale[i]) : 0.0);
  }
  pf_clip_to_bounds(p->function, p->at);
}

/* Smaller scales, at points one spread away along one value alone: a value may have no effect where
 * another is near 0, and much of it elsewhere. Points far worse than the start tell nothing. */
static pf_status scale_alone(probe *p, const double *start, double *scale)
{
  const size_t n = p->function->n;
  const double at_start = fabs(p->f);
  for (size_t i = 0; i < n; i++) {
    pf_error ignored = pf_error_none();
    pf_derivatives out = {.gradient = p->gradient, .h = p->h};
    memcpy(p->at, start, n * sizeof *start);
    p->at[i] += pf_value_spread(p->function, scale[i]);
    pf_clip_to_bounds(p->function, p->at);
    const pf_status status = pf_function_evaluate(p->function, p->at, &out, &p->count, &ignored);
    if (status < 0) {
      return status;
    }
    if (status != PF_OK || !(out.f <= far_worse * at_start)) {
      continue;
    }
    for (size_t k = 0; k < n; k++) {
      scale[k] = fmin(scale[k], scale_by(p, fmax(out.f, p->f), k)); /* a better f is no reason */
    }
  }
  return PF_OK;
}

/* Of one that no point tells: a share of its bounds, or of itself. */
static double guess_scale(const pf_function *function, size_t i, double start)
{
  const double width = function->upper[i] - function->lower[i];
  const double spread = isfinite(width) && width > 0.0 ? 0.25 * width : fabs(start);
  return (spread > 0.0 ? spread : 1.0) / sqrt(fmax(function->cells, 1.0));
}

/* Is a start so near 0, in units of what matters, that values may have no effect yet? */
static bool is_start_at_rest(const pf_function *function, const double *scale, const double *start)
{
  static const double near = 1e-3;
  for (size_t i = 0; i < function->n; i++) {
    if (fabs(start[i]) < near * scale[i]) {
      return function->n <= MAX_ALONE;
    }
  }
  return false;
}

pf_status pf_value_scales(const pf_function *function, const double *start, double *scale,
                          bool *known, pf_error *error)
{
  const size_t n = function->n;
  probe p = {.function = function};
  size_t n_unknown = n;
  pf_status status = PF_OK;
  *known = false;
  for (size_t i = 0; i < n; i++) {
    scale[i] = 1.0;
  }
  if (function->curvature == NULL || n == 0 || n > MAX_SCALED) {
    return PF_OK;
  }
  p.at = pf_memory_need(n * (2 + n), sizeof *p.at, error);
  if (p.at == NULL) {
    return PF_STOP;
  }
  p.gradient = p.at + n;
  p.h = p.gradient + n;
  memset(scale, 0, n * sizeof *scale);
  memcpy(p.at, start, n * sizeof *start);
  status = scale_at(&p, scale, &n_unknown);
  if (status == PF_OK && n_unknown > 0 && n_unknown < n) {
    move_known(&p, start, scale);
    status = scale_at(&p, scale, &n_unknown);
  } else if (status == PF_OK && n_unknown == 0 && is_start_at_rest(function, scale, start)) {
    status = scale_alone(&p, start, scale);
  }
  *known = status == PF_OK && n_unknown < n;
  for (size_t i = 0; i < n; i++) {
    if (!*known) {
      scale[i] = 1.0;
    } else if (scale[i] <= 0.0) {
      scale[i] = guess_scale(function, i, start[i]);
    }
  }
  pf_memory_free(p.at);
  return status < 0
             ? pf_fail(error, status, "no scales of the values: the objective cannot be evaluated")
             : PF_OK;
}
