#include "core/fit/value_scales.h"

#include "core/base/memory.h"

#include <math.h>
#include <string.h>

/* Values beyond which a matrix would cost more than its scales are worth. */
enum { MAX_SCALED = 500 };

typedef struct probe {
  const pf_function *function;
  double *at, *gradient, *h; /* [n], [n], [n][n] */
  pf_optimum count;
} probe;

double pf_value_spread(const pf_function *function, double scale)
{
  return scale * sqrt(fmax(function->cells, 1.0));
}

/* Scales of the values that have none yet, at probe->at. *n_unknown: those that still have none. */
static pf_status scale_at(probe *p, double *scale, size_t *n_unknown)
{
  const size_t n = p->function->n;
  pf_error ignored = pf_error_none();
  pf_derivatives out = {.gradient = p->gradient, .h = p->h};
  const pf_status status = pf_function_start(p->function, p->at, &out, &p->count, &ignored);
  *n_unknown = 0;
  for (size_t i = 0; i < n; i++) {
    const double curvature =
        status == PF_OK ? pf_function_nats(p->function, out.f) * p->h[i * n + i] : 0.0;
    if (scale[i] <= 0.0 && curvature > 0.0 && isfinite(1.0 / sqrt(curvature))) {
      scale[i] = 1.0 / sqrt(curvature);
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

/* Of one that no point tells: a share of its bounds, or of itself. */
static double guess_scale(const pf_function *function, size_t i, double start)
{
  const double width = function->upper[i] - function->lower[i];
  const double spread = isfinite(width) && width > 0.0 ? 0.25 * width : fabs(start);
  return (spread > 0.0 ? spread : 1.0) / sqrt(fmax(function->cells, 1.0));
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
