#include "tests/unit/optimise/functions.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

bool rosenbrock(const double *v, double *r, double *jacobian)
{
  r[0] = 10.0 * (v[1] - v[0] * v[0]);
  r[1] = 1.0 - v[0];
  jacobian[0] = -20.0 * v[0];
  jacobian[1] = 10.0;
  jacobian[2] = -1.0;
  return true;
}

bool powell_singular(const double *v, double *r, double *jacobian)
{
  r[0] = v[0] + 10.0 * v[1];
  r[1] = sqrt(5.0) * (v[2] - v[3]);
  r[2] = (v[1] - 2.0 * v[2]) * (v[1] - 2.0 * v[2]);
  r[3] = sqrt(10.0) * (v[0] - v[3]) * (v[0] - v[3]);
  jacobian[0] = 1.0;
  jacobian[1] = 10.0;
  jacobian[4 + 2] = sqrt(5.0);
  jacobian[4 + 3] = -sqrt(5.0);
  jacobian[8 + 1] = 2.0 * (v[1] - 2.0 * v[2]);
  jacobian[8 + 2] = -4.0 * (v[1] - 2.0 * v[2]);
  jacobian[12 + 0] = 2.0 * sqrt(10.0) * (v[0] - v[3]);
  jacobian[12 + 3] = -2.0 * sqrt(10.0) * (v[0] - v[3]);
  return true;
}

bool linear_system(const double *v, double *r, double *jacobian)
{
  static const double solution[4] = {1.0, -2.0, 3.0, -4.0};
  for (int i = 0; i < 6; i++) {
    r[i] = 0.0;
    for (int j = 0; j < 4; j++) {
      const double a = 1.0 / (double)(i + j + 1);
      r[i] += a * (v[j] - solution[j]);
      jacobian[4 * i + j] = a;
    }
  }
  return true;
}

bool duplicate(const double *v, double *r, double *jacobian)
{
  r[0] = v[0] + v[1] - 3.0;
  r[1] = v[2] - 1.0;
  jacobian[0] = 1.0;
  jacobian[1] = 1.0;
  jacobian[3 + 2] = 1.0;
  return true;
}

bool saddle(const double *v, double *r, double *jacobian)
{
  r[0] = v[0] * v[0] - 1.0;
  r[1] = 0.5 * v[1];
  jacobian[0] = 2.0 * v[0];
  jacobian[3] = 0.5;
  return true;
}

bool overflowing(const double *v, double *r, double *jacobian)
{
  double w = 1.0, truth = 1.0, dw = 0.0;
  for (int t = 0; t < 60; t++) {
    dw += w * w + 2.0 * v[0] * w * dw;
    w += v[0] * w * w;
    truth += -0.3 * truth * truth;
    r[t] = w - truth;
    jacobian[t] = dw;
  }
  return isfinite(w) && isfinite(dw);
}

bool never(const double *v, double *r, double *jacobian)
{
  (void)v;
  (void)r;
  (void)jacobian;
  return false;
}

static pf_status at(residuals *self, const double *v, double *f, double *gradient, double *h,
                    pf_error *error)
{
  double *r = calloc(self->m, sizeof *r);
  double *jacobian = calloc(self->m * self->n, sizeof *jacobian);
  cr_assert(r != NULL && jacobian != NULL);
  self->calls++;
  pf_status status = self->at(v, r, jacobian)
                         ? PF_OK
                         : pf_fail(error, PF_POINT_FAILED, "w is not finite at v0 = %g", v[0]);
  if (self->stop_after > 0 && self->calls > self->stop_after) {
    status = pf_fail(error, PF_STOP, "the disk is full");
  }
  *f = 0.0;
  for (size_t i = 0; i < self->m; i++) {
    *f += 0.5 * r[i] * r[i];
  }
  for (size_t j = 0; j < self->n; j++) {
    cr_expect(v[j] >= self->lower[j] && v[j] <= self->upper[j], "value %zu = %g beyond its bounds",
              j, v[j]);
    double g = 0.0;
    for (size_t i = 0; i < self->m; i++) {
      g += jacobian[i * self->n + j] * r[i];
    }
    if (gradient != NULL) {
      gradient[j] = g;
    }
    for (size_t k = 0; h != NULL && k < self->n; k++) {
      h[j * self->n + k] = 0.0;
      for (size_t i = 0; i < self->m; i++) {
        h[j * self->n + k] += jacobian[i * self->n + j] * jacobian[i * self->n + k];
      }
    }
  }
  free(r);
  free(jacobian);
  return status;
}

static pf_status value(void *self, const double *v, double *f, double *gradient, pf_error *error)
{
  return at(self, v, f, gradient, NULL, error);
}

static pf_status curvature(void *self, const double *v, double *f, double *gradient, double *h,
                           pf_error *error)
{
  return at(self, v, f, gradient, h, error);
}

void residuals_start(residuals *self, size_t n, size_t m,
                     bool (*function)(const double *, double *, double *))
{
  memset(self, 0, sizeof *self);
  self->n = n;
  self->m = m;
  self->at = function;
  for (size_t i = 0; i < n; i++) {
    self->lower[i] = -INFINITY;
    self->upper[i] = INFINITY;
  }
}

pf_function residuals_function(residuals *self)
{
  return (pf_function){.self = self,
                       .n = self->n,
                       .lower = self->lower,
                       .upper = self->upper,
                       .l1 = self->l1,
                       .value = value,
                       .curvature = curvature,
                       .noise = 1e-14};
}

pf_optimiser_settings test_settings(void)
{
  pf_optimiser_settings settings = pf_optimiser_defaults();
  settings.tolerance_nats = 1e-20; /* f here is 0 at its minimum: no scale of nats */
  settings.iterations = 500;
  return settings;
}
