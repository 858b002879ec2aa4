/* core/truth/effects: what a coefficient does to the weights. */
#include "core/truth/effects.h"

#include "core/base/memory.h"

#include "tests/unit/truth/known_fit.h"

#include <criterion/criterion.h>
#include <math.h>

/** Of the animal's first draw, the number of steps after which weights change. */
static int count_changes(const known_fit *known)
{
  const pf_draw *draw = known->fit->groups[0].draws[0];
  int n = 0;
  for (int64_t t = 0; t < draw->n_steps; t++) {
    n += (draw->flags[t] & PF_STEP_PLASTIC) != 0;
  }
  return n;
}

static void effects_of(const known_fit *known, double *effects)
{
  pf_error error = pf_error_none();
  cr_assert(pf_coefficient_effects(&known->tiny.problem, known->fit, 0, effects, &error) == PF_OK,
            "%s", error.text);
}

/* dw = eta c at every change: after k of them weights are k eta c from where they were. */
Test(effects, of_a_constant)
{
  known_fit known;
  double effects[KNOWN_N], sum = 0.0;
  known_fit_create(&known, 1);
  known_fit_set(&known, 0, KNOWN_1, 0.01, NAN);
  effects_of(&known, effects);
  const int n = count_changes(&known);
  cr_assert(n > 10);
  for (int k = 0; k <= n; k++) {
    sum += pow(0.37 * 0.01 * k, 2.0);
  }
  const double room = sizeof(pf_real) == sizeof(double) ? 1e-9 : 1e-4;
  const double expected = sqrt(sum / (n + 1));
  cr_expect(fabs(effects[KNOWN_1] - expected) < room * expected, "%.12g, not %.12g",
            effects[KNOWN_1], expected);
  for (int k = KNOWN_R; k < KNOWN_N; k++) {
    cr_expect(effects[k] == 0.0); /* 0 already */
  }
  known_fit_free(&known);
}

/* w' = w (1 + eta b) + eta: b large and negative keeps w near 1 / |b|, and without it w grows. With
 * b large and positive w overflows: then nothing can be simulated, and no effect is known. */
Test(effects, where_weights_overflow)
{
  known_fit known;
  double effects[KNOWN_N];
  known_fit_create(&known, 1);
  known_fit_set(&known, 0, KNOWN_W, 1e40, NAN);
  known_fit_set(&known, 0, KNOWN_1, 1.0, NAN);
  effects_of(&known, effects);
  for (int k = 0; k < KNOWN_N; k++) {
    cr_expect(effects[k] == 0.0, "%d: %g", k, effects[k]);
  }
  known_fit_free(&known);
}

/* w' = w (1 + eta b) + eta c with eta b = -1 is eta c; without b the sum of c overflows. What that
 * term does is beyond measure, and the others are measured by themselves. */
Test(effects, of_a_term_without_which_weights_overflow)
{
  known_fit known;
  double effects[KNOWN_N];
  const bool is_single = sizeof(pf_real) < sizeof(double);
  known_fit_create(&known, 1);
  cr_assert(count_changes(&known) > 10);
  known_fit_set(&known, 0, KNOWN_W, -1.0 / 0.37, NAN);
  known_fit_set(&known, 0, KNOWN_1, is_single ? 1e38 : 1e308, NAN);
  effects_of(&known, effects);
  cr_expect(effects[KNOWN_W] == (double)INFINITY, "%g", effects[KNOWN_W]);
  cr_expect(effects[KNOWN_R] == 0.0 && effects[KNOWN_XR] == 0.0);
  known_fit_free(&known);
}
