/* Curved valleys: what has a minimum is found, and what has none is called so. */
#include "core/optimise/valley.h"

#include "core/base/memory.h"
#include "tests/unit/optimise/functions.h"

#include <criterion/criterion.h>
#include <math.h>

enum { N_STEPS = 60, N_SEEN = 30 };

/* A trajectory w' = (1 + v0) w + v1 from 0; its later values are those of (1.5, 1e-14). */
static bool growing(const double *v, double *r, double *jacobian)
{
  static const double truth[2] = {1.5, 1e-14};
  double w = 0.0, aim = 0.0, d[2] = {0.0, 0.0};
  for (int t = 0; t < N_STEPS; t++) {
    d[0] = (1.0 + v[0]) * d[0] + w;
    d[1] = (1.0 + v[0]) * d[1] + 1.0;
    w += v[0] * w + v[1];
    aim += truth[0] * aim + truth[1];
    const int k = t - (N_STEPS - N_SEEN);
    if (k >= 0) {
      r[k] = w - aim;
      jacobian[2 * k] = d[0];
      jacobian[2 * k + 1] = d[1];
    }
  }
  return isfinite(w) && isfinite(d[0]);
}

/* |r| falls to 0 as v0 grows and v1 shrinks with its 20th power: there is no minimum. */
static bool endless(const double *v, double *r, double *jacobian)
{
  if (!(v[0] > -0.9)) {
    return false;
  }
  const double power = pow(1.0 + v[0], 20.0);
  r[0] = v[1] * power - 1.0;
  r[1] = 1.0 / (1.0 + v[0]);
  jacobian[0] = 20.0 * v[1] * power / (1.0 + v[0]);
  jacobian[1] = power;
  jacobian[2] = -1.0 / ((1.0 + v[0]) * (1.0 + v[0]));
  return isfinite(power);
}

/* lm from (v0, v1), with valleys or without. */
static pf_optimum minimise_from(residuals *self, bool follows, double *v)
{
  const pf_function function = residuals_function(self);
  pf_optimiser_settings settings = pf_optimiser_defaults();
  pf_optimum out = pf_optimum_none();
  pf_error error = pf_error_none();
  settings.follows_valleys = follows;
  cr_assert_eq(pf_optimiser_lm.minimise(&function, &settings, NULL, v, &out, &error), PF_OK, "%s",
               error.text);
  return out;
}

Test(valley, a_minimum_at_the_end_of_one_is_found)
{
  residuals self;
  residuals_start(&self, 2, N_SEEN, growing);
  double v[2] = {-0.1, 0.5}, without[2] = {-0.1, 0.5};
  const pf_optimum crawls = minimise_from(&self, false, without);
  cr_expect_not(crawls.converged, "it is found without: this test says nothing");
  const pf_optimum out = minimise_from(&self, true, v);
  cr_expect(out.converged, "%s after %d", pf_reason_words(out.reason), (int)out.iterations);
  cr_expect_float_eq(v[0], 1.5, 1e-6, "%g", v[0]);
  cr_expect_float_eq(v[1], 1e-14, 1e-19, "%g", v[1]);
}

Test(valley, one_without_end_is_called_so)
{
  residuals self;
  residuals_start(&self, 2, 2, endless);
  double v[2] = {0.5, 0.1};
  const pf_optimum out = minimise_from(&self, true, v);
  cr_expect_eq(out.reason, (uint32_t)PF_REASON_RUNS_OFF, "%s at %g %g", pf_reason_words(out.reason),
               v[0], v[1]);
  cr_expect_not(out.converged);
  cr_expect_eq(out.runs_off_value, 0u);
}

Test(valley, units_of_values_do_not_matter)
{
  residuals self;
  residuals_start(&self, 2, N_SEEN, growing);
  pf_function function = residuals_function(&self);
  const double scale[2] = {1e-3, 1e-17};
  function.scale = scale;
  double v[2] = {-0.1, 0.5};
  pf_optimiser_settings settings = pf_optimiser_defaults();
  pf_optimum out = pf_optimum_none();
  pf_error error = pf_error_none();
  settings.follows_valleys = true;
  cr_assert_eq(pf_optimiser_lm.minimise(&function, &settings, NULL, v, &out, &error), PF_OK);
  cr_expect(out.converged);
  cr_expect_float_eq(v[0], 1.5, 1e-6, "%g", v[0]);
}

Test(valley, what_it_is_not_made_for_is_left_alone)
{
  residuals self;
  residuals_start(&self, 9, N_SEEN, growing);
  pf_function function = residuals_function(&self);
  cr_expect_not(pf_valley_is_possible(&function), "too many values");
  residuals_start(&self, 2, N_SEEN, growing);
  function = residuals_function(&self);
  cr_expect(pf_valley_is_possible(&function));
  self.l1[1] = 0.1;
  cr_expect_not(pf_valley_is_possible(&function), "L1");
}
