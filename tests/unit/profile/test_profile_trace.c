/* Profile likelihoods against what is known in closed form. f = |r|^2 / 2 is a negative log
 * likelihood with sd 1. */
#include "core/base/memory.h"
#include "core/profile/profile_trace.h"
#include "core/stats/stats.h"
#include "tests/unit/optimise/functions.h"

#include <criterion/criterion.h>
#include <lapacke.h>
#include <math.h>

static const double z95 = 1.959963984540054;

static double f_at(residuals *self, const double *v)
{
  const pf_function function = residuals_function(self);
  pf_error error = pf_error_none();
  double f = NAN;
  cr_assert_eq(function.value(function.self, v, &f, NULL, &error), PF_OK);
  return f;
}

static pf_profile profile_of(residuals *self, const double *best, size_t i, double *better)
{
  const pf_function function = residuals_function(self);
  const pf_profile_in in = {.function = &function,
                            .settings = pf_profile_defaults(),
                            .origin = best,
                            .f_best = f_at(self, best),
                            .i = i,
                            .better = better};
  pf_profile out;
  pf_error error = pf_error_none();
  cr_assert_eq(pf_profile_value(&in, &out, &error), PF_OK, "%s", error.text);
  return out;
}

Test(profile, of_a_linear_model_is_the_estimate_and_its_standard_error)
{
  static residuals self;
  const double best[4] = {1.0, -2.0, 3.0, -4.0};
  double r[6], jacobian[24] = {0}, h[16] = {0};
  residuals_start(&self, 4, 6, linear_system);
  (void)linear_system(best, r, jacobian);
  for (int k = 0; k < 6; k++) {
    for (int a = 0; a < 4; a++) {
      for (int b = 0; b < 4; b++) {
        h[4 * a + b] += jacobian[4 * k + a] * jacobian[4 * k + b];
      }
    }
  }
  cr_assert_eq(LAPACKE_dpotrf(LAPACK_ROW_MAJOR, 'L', 4, h, 4), 0);
  cr_assert_eq(LAPACKE_dpotri(LAPACK_ROW_MAJOR, 'L', 4, h, 4), 0);
  for (size_t i = 0; i < 4; i++) {
    const pf_profile out = profile_of(&self, best, i, NULL);
    const double half = z95 * sqrt(h[5 * i]);
    cr_expect(pf_profile_is_closed(&out));
    cr_expect_float_eq(out.low, best[i] - half,
                       1e-5 * half); /* measured: 4e-9; lm stops at 1e-5 nats */
    cr_expect_float_eq(out.high, best[i] + half, 1e-5 * half);
    cr_expect_leq(out.n_refits, 10, "%lld refits of a straight line", (long long)out.n_refits);
  }
}

Test(profile, follows_a_curved_valley)
{
  static residuals self;
  const double best[2] = {1.0, 1.0};
  residuals_start(&self, 2, 2, rosenbrock);
  const pf_profile along = profile_of(&self, best, 0, NULL); /* min over v1: (1 - v0)^2 / 2 */
  cr_expect(pf_profile_is_closed(&along));
  cr_expect_float_eq(along.low, 1.0 - z95, 1e-2);
  cr_expect_float_eq(along.high, 1.0 + z95, 1e-2);
  const pf_profile across = profile_of(&self, best, 1, NULL);
  for (int side = 0; side < 2; side++) { /* by a search over v0 */
    const double v1 = side == 0 ? across.low : across.high;
    double lowest = INFINITY;
    for (int k = -40000; k <= 40000; k++) {
      const double v[2] = {1e-4 * k, v1};
      lowest = fmin(lowest, f_at(&self, v));
    }
    cr_expect_float_eq(lowest, 0.5 * z95 * z95, 0.02, "f is %g where v1 is %g", lowest, v1);
  }
}

Test(profile, goes_through_a_hill_that_is_too_low)
{
  static residuals self;
  const double best[2] = {1.0, 0.0};
  residuals_start(&self, 2, 2, saddle); /* (v0^2 - 1)^2 / 2 is 0.5 at 0, below 1.92 */
  const pf_profile out = profile_of(&self, best, 0, NULL);
  cr_expect(pf_profile_is_closed(&out));
  cr_expect_float_eq(out.low, -sqrt(1.0 + z95), 2e-2);
  cr_expect_float_eq(out.high, sqrt(1.0 + z95), 2e-2);
}

Test(profile, of_what_is_not_determined_is_open_or_ends_at_the_bounds)
{
  static residuals self;
  const double best[3] = {1.0, 2.0, 1.0};
  residuals_start(&self, 3, 2, duplicate);
  const pf_profile open = profile_of(&self, best, 0, NULL);
  cr_expect_eq(open.low_end, PF_PROFILE_OPEN);
  cr_expect_eq(open.high_end, PF_PROFILE_OPEN);
  cr_expect_lt(open.low, -1e3);
  cr_expect_gt(open.high, 1e3);
  const pf_profile known = profile_of(&self, best, 2, NULL);
  cr_expect(pf_profile_is_closed(&known));
  cr_expect_float_eq(known.high, 1.0 + z95, 1e-2);
  self.lower[0] = -4.0; /* and v1 at most 4: then v0 >= -1 within 1.96 */
  self.upper[0] = 5.0;
  self.upper[1] = 4.0;
  const pf_profile bounded = profile_of(&self, best, 0, NULL);
  cr_expect_eq(bounded.high_end, PF_PROFILE_BOUND);
  cr_expect_eq(bounded.high, 5.0);
  cr_expect_lt(bounded.rise_high, 1e-4);
  cr_expect_eq(bounded.low_end, PF_PROFILE_CROSSED); /* v1 = 4 and r0 = v0 + 1 */
  cr_expect_float_eq(bounded.low, -1.0 - z95, 2e-2);
}

Test(profile, ends_where_the_model_has_no_value)
{
  static residuals self;
  const double best[1] = {-0.3};
  residuals_start(&self, 1, 60, overflowing);
  const pf_function function = residuals_function(&self);
  pf_profile_in in = {.function = &function,
                      .settings = pf_profile_defaults(),
                      .origin = best,
                      .f_best = f_at(&self, best)};
  in.settings.nats_per_unit = 1e-12; /* so flat that no value would be ruled out */
  pf_error error = pf_error_none();
  pf_profile out;
  cr_assert_eq(pf_profile_value(&in, &out, &error), PF_OK);
  cr_expect_neq(out.high_end, PF_PROFILE_OPEN);
  cr_expect(isfinite(out.high) && out.high > 0.0 && out.high < 2.0, "ends at %g", out.high);
}

/* (v0 s(v1), v1 (v1 - 10) / 50): v0 matters at v1 = 0, and ten times less at v1 = 10. */
static bool two_valleys(const double *v, double *r, double *jacobian)
{
  const double off = v[1] - 10.0, dip = 0.9 * exp(-off * off);
  r[0] = v[0] * (1.0 - dip);
  r[1] = 0.02 * v[1] * off;
  if (jacobian != NULL) {
    jacobian[0] = 1.0 - dip;
    jacobian[1] = 2.0 * off * dip * v[0];
    jacobian[2] = 0.0;
    jacobian[3] = 0.02 * (v[1] + off);
  }
  return true;
}

Test(profile, an_end_does_not_hold_where_another_valley_is_lower)
{
  static residuals self;
  const double best[2] = {0.0, 0.0}, near[2] = {0.5, 0.5}, far[2] = {1.0, 10.0};
  const double *const starts[2] = {near, far};
  double ends[4] = {0};
  residuals_start(&self, 2, 2, two_valleys);
  const pf_function function = residuals_function(&self);
  pf_profile_in in = {.function = &function,
                      .settings = pf_profile_defaults(),
                      .origin = best,
                      .f_best = f_at(&self, best),
                      .end_points = ends,
                      .starts = starts,
                      .n_starts = 1};
  pf_profile out;
  pf_error error = pf_error_none();
  bool holds = false;
  cr_assert_eq(pf_profile_value(&in, &out, &error), PF_OK);
  cr_expect_float_eq(out.high, z95, 1e-2);
  cr_assert_eq(pf_profile_recheck(&in, &out, &holds, &error), PF_OK);
  cr_expect(holds, "from the same valley");
  in.n_starts = 2;
  cr_assert_eq(pf_profile_recheck(&in, &out, &holds, &error), PF_OK);
  cr_expect(!holds, "v1 = 10 is lower");
  cr_assert_eq(pf_profile_value(&in, &out, &error), PF_OK);
  cr_expect_gt(out.high, 5.0 * z95);
}

/* As good as at 1 for every positive value, however small; not for 0 and below. */
static bool positive_only(const double *v, double *r, double *jacobian)
{
  const bool is_positive = v[0] > 0.0;
  r[0] = is_positive ? 0.1 * (v[0] - 1.0) : 5.0;
  if (jacobian != NULL) {
    jacobian[0] = is_positive ? 0.1 : 0.0;
  }
  return true;
}

Test(profile, of_a_sign_that_is_not_allowed_ends_at_0)
{
  static residuals self;
  const double best[1] = {1.0};
  residuals_start(&self, 1, 1, positive_only);
  const pf_profile out = profile_of(&self, best, 0, NULL);
  cr_expect_eq(out.low_end, PF_PROFILE_JUMP);
  cr_expect_eq(out.low, 0.0, "%g", out.low);
  cr_expect_float_eq(out.high, 1.0 + 10.0 * z95, 0.1);
}

Test(profile, says_when_the_fit_was_not_at_its_optimum)
{
  static residuals self;
  const double not_best[2] = {0.2, 0.2};
  double better[2] = {0};
  residuals_start(&self, 2, 2, rosenbrock);
  const pf_profile out = profile_of(&self, not_best, 0, better);
  cr_expect(out.low_end == PF_PROFILE_BETTER || out.high_end == PF_PROFILE_BETTER);
  cr_expect(!pf_profile_is_closed(&out));
  cr_expect_lt(f_at(&self, better), f_at(&self, not_best) - 1e-3);
}

Test(profile, an_error_stops_it)
{
  static residuals self;
  const double best[4] = {1.0, -2.0, 3.0, -4.0};
  residuals_start(&self, 4, 6, linear_system);
  const pf_function function = residuals_function(&self);
  const pf_profile_in in = {
      .function = &function, .settings = pf_profile_defaults(), .origin = best};
  pf_error error = pf_error_none();
  pf_profile out;
  self.stop_after = 5;
  cr_expect_eq(pf_profile_value(&in, &out, &error), PF_STOP);
  cr_expect_neq(error.text[0], '\0');
}
