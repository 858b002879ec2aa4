/* core/optimise/value_scales: the change of each value that costs half a nat, where it can be had.
 */
#include "core/optimise/value_scales.h"

#include "core/base/memory.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { N = 3 };

/** f = sum a_i (v_i - c_i)^2 / 2, with one value that acts through another: where `chained`, the
 * last one's term is a (v_0 v_2 - c)^2 / 2. */
typedef struct bowl {
  double a[N], c[N], lower[N], upper[N];
  bool chained, stops;
} bowl;

static pf_status bowl_curvature(void *self, const double *v, double *f, double *gradient, double *h,
                                pf_error *error)
{
  const bowl *b = self;
  if (b->stops) {
    return pf_fail(error, PF_STOP, "no memory left");
  }
  memset(h, 0, N * N * sizeof *h);
  *f = 0.0;
  for (int i = 0; i < N; i++) {
    const bool last = b->chained && i == N - 1;
    const double factor = last ? v[0] : 1.0, r = factor * v[i] - b->c[i];
    *f += 0.5 * b->a[i] * r * r;
    gradient[i] = b->a[i] * r * factor;
    h[i * N + i] += b->a[i] * factor * factor;
  }
  return PF_OK;
}

static pf_function function_of(bowl *b)
{
  for (int i = 0; i < N; i++) {
    b->lower[i] = b->lower[i] == 0.0 ? -INFINITY : b->lower[i];
    b->upper[i] = b->upper[i] == 0.0 ? INFINITY : b->upper[i];
  }
  return (pf_function){
      .self = b, .n = N, .lower = b->lower, .upper = b->upper, .curvature = bowl_curvature};
}

static void expect_scales(const pf_function *function, const double *start, const double *expected,
                          bool expected_known)
{
  double scale[N];
  bool known = !expected_known;
  pf_error error = pf_error_none();
  cr_assert(pf_value_scales(function, start, scale, &known, &error) == PF_OK, "%s", error.text);
  cr_expect(known == expected_known);
  for (int i = 0; i < N; i++) {
    cr_expect(fabs(scale[i] - expected[i]) <= 1e-15 * fabs(expected[i]), "value %d: %.17g, not %g",
              i, scale[i], expected[i]);
  }
}

Test(value_scales, half_a_nat_by_itself)
{
  bowl b = {.a = {4.0, 0.25, 1.0}};
  pf_function function = function_of(&b);
  const double start[N] = {1.0, -2.0, 0.5};
  expect_scales(&function, start, (const double[]){0.5, 2.0, 1.0}, true);
  function.nats = 9.0; /* a unit of f is 9 nats */
  expect_scales(&function, start, (const double[]){0.5 / 3.0, 2.0 / 3.0, 1.0 / 3.0}, true);
}

Test(value_scales, another_unit_of_a_value_is_another_unit_of_its_scale)
{
  bowl b = {.a = {4.0e-12, 0.25e12, 1.0}}; /* the first in millionths, the second in millions */
  const pf_function function = function_of(&b);
  expect_scales(&function, (const double[N]){1e6, -2e-6, 0.5}, (const double[]){0.5e6, 2e-6, 1.0},
                true);
}

/* f = 8 at the start is the sum of 16 squares: their variance is 1/2, so a unit of f is 1 nat. Four
 * times the residuals at the start: 16 times the variance, 4 times the scale. */
Test(value_scales, of_squares_by_what_is_left_of_them)
{
  bowl b = {.a = {1.0, 1.0, 1.0}, .c = {4.0, 0.0, 0.0}};
  pf_function function = function_of(&b);
  function.squares = 16.0;
  const double start[N] = {0.0, 0.0, 0.0};
  expect_scales(&function, start, (const double[]){1.0, 1.0, 1.0}, true);
  b.c[0] = 16.0;
  expect_scales(&function, start, (const double[]){4.0, 4.0, 4.0}, true);
}

/* Two acts on predictions through value 0 alone, which is 0 at the start: it is looked at again
 * where 0 is one spread away, at sqrt(9) scales. There its curvature is 9. */
Test(value_scales, what_changes_nothing_at_the_start_is_tried_elsewhere)
{
  bowl b = {.a = {1.0, 1.0, 1.0}, .c = {1.0, 1.0, 2.0}, .chained = true};
  pf_function function = function_of(&b);
  function.cells = 9.0;
  expect_scales(&function, (const double[N]){0.0, 0.0, 0.0}, (const double[]){1.0, 1.0, 1.0 / 3.0},
                true);
}

/* Of one that changes nothing anywhere: a quarter of its bounds, else its own size, else 1; over
 * the square root of the observations. */
Test(value_scales, a_guess_where_no_point_tells)
{
  bowl b = {.a = {1.0, 0.0, 0.0}, .lower = {0.0, -1.0, 0.0}, .upper = {0.0, 3.0, 0.0}};
  pf_function function = function_of(&b);
  function.cells = 4.0;
  expect_scales(&function, (const double[N]){0.0, 0.0, 6.0}, (const double[]){1.0, 0.5, 3.0}, true);
  expect_scales(&function, (const double[N]){0.0, 0.0, 0.0}, (const double[]){1.0, 0.5, 0.5}, true);
}

Test(value_scales, unknown_without_curvature)
{
  bowl b = {.a = {0.0, 0.0, 0.0}};
  pf_function function = function_of(&b);
  const double start[N] = {0.0, 0.0, 0.0}, ones[N] = {1.0, 1.0, 1.0};
  expect_scales(&function, start, ones, false); /* all flat */
  b.a[0] = 1.0;
  function.curvature = NULL;
  expect_scales(&function, start, ones, false);
}

Test(value_scales, an_objective_that_says_stop_is_an_error)
{
  bowl b = {.a = {1.0, 1.0, 1.0}, .stops = true};
  const pf_function function = function_of(&b);
  double scale[N];
  bool known = true;
  pf_error error = pf_error_none();
  cr_expect(pf_value_scales(&function, b.c, scale, &known, &error) == PF_STOP);
  cr_expect(!known && error.text[0] != '\0');
}

Test(value_scales, a_spread_is_one_observation_s_worth)
{
  bowl b = {.a = {1.0, 1.0, 1.0}};
  pf_function function = function_of(&b);
  cr_expect(pf_value_spread(&function, 0.5) == 0.5); /* cells unknown */
  function.cells = 25.0;
  cr_expect(pf_value_spread(&function, 0.5) == 2.5);
}
