/*
 * plastfit/author/pf_math.h against libm in long double: accuracy, special values, in each
 * instruction set.
 *
 * The points are a fixed sequence that fills its range evenly. With PF_MATH_POINTS=4000000 in the
 * environment the largest errors are 1.05 (exp), 1.96 (log) and 2.58 (tanh) units in the last
 * place, over both precisions and both instruction sets (gcc 12); the tolerances leave a fifth
 * more.
 */
#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <plastfit/author/pf_math.h>
#include <stdlib.h>

enum { CHUNK = 1000 };

typedef void (*loop)(const pf_real *a, pf_real *out);

#define PF_ISA baseline
#include "tests/unit/author/math_loops.h"
#ifdef PF_ISA_HAS_AVX2
#define PF_ISA avx2
#include "tests/unit/author/math_loops.h"
#endif

/** The two variants; the second is the first again where this machine has but one. */
typedef struct function {
  loop variants[2];
} function;
#ifdef PF_ISA_HAS_AVX2
#define FUNCTION(name) \
  ((function){{name##_baseline, pf_isa_has_avx2() ? name##_avx2 : name##_baseline}})
#else
#define FUNCTION(name) ((function){{name##_baseline, name##_baseline}})
#endif

static bool is_single(void)
{
  return sizeof(pf_real) == sizeof(float);
}

static int n_points(void)
{
  const char *given = getenv("PF_MATH_POINTS");
  return given != NULL ? atoi(given) : 200000;
}

/** Distance in units in the last place of the expected number. */
static double ulps(pf_real found, long double expected)
{
  const int digits = is_single() ? FLT_MANT_DIG : DBL_MANT_DIG,
            least = is_single() ? FLT_MIN_EXP : DBL_MIN_EXP;
  int exponent = 0;
  (void)frexpl(expected, &exponent);
  exponent = exponent < least ? least : exponent;
  return (double)(fabsl((long double)found - expected) / ldexpl(1, exponent - digits));
}

/** Largest error over points from low to high, or (by_exponent) over points whose logarithms fill
 * that range. */
static double worst(function f, long double (*reference)(long double), double low, double high,
                    bool by_exponent)
{
  double most = 0.0;
  const int n = n_points();
  for (int variant = 0; variant < 2; variant++) {
    pf_real a[CHUNK], out[CHUNK];
    for (int k = 0; k < n; k += CHUNK) {
      for (int i = 0; i < CHUNK; i++) {
        const double u =
            fmod((k + i) * 0.6180339887498949, 1.0); /* the golden ratio fills [0, 1) evenly */
        const double at = low + (high - low) * u;
        a[i] = (pf_real)(by_exponent ? exp2(at) : at);
      }
      f.variants[variant](a, out);
      for (int i = 0; i < CHUNK; i++) {
        most = fmax(most, ulps(out[i], reference((long double)a[i])));
      }
    }
  }
  return most;
}

/** One value through both variants, which must agree; a NaN of theirs may have either sign. */
static double value(function f, double a)
{
  pf_real in[CHUNK], out[2][CHUNK];
  for (int i = 0; i < CHUNK; i++) {
    in[i] = (pf_real)a;
  }
  for (int variant = 0; variant < 2; variant++) {
    f.variants[variant](in, out[variant]);
  }
  cr_assert(out[0][7] == out[1][7] || (isnan(out[0][7]) && isnan(out[1][7])), "%g: %g or %g", a,
            (double)out[0][7], (double)out[1][7]);
  return (double)out[0][7];
}

static void check_accuracy(const char *name, double found, double accepted)
{
  cr_assert(found <= accepted, "%s: %.2f units in the last place, expected at most %.2f", name,
            found, accepted);
}

Test(author_math, exp_is_accurate)
{
  const double low = is_single() ? -87 : -708, high = is_single() ? 88 : 709;
  check_accuracy(
      "exp",
      fmax(worst(FUNCTION(exp), expl, low, high, false), worst(FUNCTION(exp), expl, -1, 1, false)),
      1.3);
}

Test(author_math, log_is_accurate)
{
  const double low = is_single() ? -125 : -1021, high = is_single() ? 127 : 1023;
  check_accuracy(
      "log",
      fmax(worst(FUNCTION(log), logl, low, high, true), worst(FUNCTION(log), logl, 0.5, 2, false)),
      2.3);
}

Test(author_math, tanh_is_accurate)
{
  check_accuracy("tanh",
                 fmax(worst(FUNCTION(tanh), tanhl, -25, 25, false),
                      fmax(worst(FUNCTION(tanh), tanhl, -1, 1, false),
                           worst(FUNCTION(tanh), tanhl, -60, 0, true))),
                 3.0);
}

Test(author_math, sqrt_is_exact_to_rounding)
{
  check_accuracy("sqrt", worst(FUNCTION(sqrt), sqrtl, 0, 10, false), 0.5001);
}

Test(author_math, not_a_number_stays_one)
{
  const function all[] = {FUNCTION(exp),  FUNCTION(log),  FUNCTION(tanh),
                          FUNCTION(sqrt), FUNCTION(step), FUNCTION(abs)};
  for (size_t k = 0; k < sizeof all / sizeof all[0]; k++) {
    cr_assert(isnan(value(all[k], (double)NAN)), "function %zu", k);
  }
  const pf_real nan = (pf_real)NAN;
  cr_assert(isnan(pf_min(nan, 1)) && isnan(pf_min(1, nan)) && isnan(pf_max(nan, 1)) &&
            isnan(pf_max(1, nan)));
}

Test(author_math, outside_and_at_the_ends)
{
  const double inf = (double)INFINITY;
  cr_assert(value(FUNCTION(exp), inf) == inf);
  cr_assert(value(FUNCTION(exp), -inf) == 0);
  cr_assert(value(FUNCTION(exp), 1000) == inf);
  cr_assert(value(FUNCTION(exp), -1000) == 0);
  cr_assert(value(FUNCTION(exp), 0) == 1);
  /* what is below the smallest normal number comes gradually */
  const double tiny = is_single() ? -100 : -740;
  cr_assert(value(FUNCTION(exp), tiny) > 0 &&
            value(FUNCTION(exp), tiny) < (is_single() ? FLT_MIN : DBL_MIN));
  cr_assert(value(FUNCTION(log), 0) == -inf);
  cr_assert(value(FUNCTION(log), inf) == inf);
  cr_assert(isnan(value(FUNCTION(log), -1)));
  cr_assert(value(FUNCTION(log), 1) == 0);
  const double smallest = is_single() ? 0x1p-149 : 0x1p-1074; /* subnormal */
  cr_assert(fabs(value(FUNCTION(log), smallest) - log(smallest)) < 1e-4);
  cr_assert(value(FUNCTION(tanh), inf) == 1 && value(FUNCTION(tanh), -inf) == -1);
  cr_assert(value(FUNCTION(tanh), 50) == 1 && value(FUNCTION(tanh), -50) == -1);
  cr_assert(value(FUNCTION(tanh), 0) == 0);
  cr_assert(isnan(value(FUNCTION(sqrt), -1)));
}

Test(author_math, comparisons)
{
  cr_assert(pf_abs((pf_real)-1.5) == (pf_real)1.5 && pf_abs((pf_real)1.5) == (pf_real)1.5);
  cr_assert(pf_min(2, 3) == 2 && pf_min(3, 2) == 2 && pf_max(2, 3) == 3 && pf_max(3, 2) == 3);
  cr_assert(pf_step((pf_real)0.25) == 1 && pf_step(0) == 0 && pf_step(-2) == 0);
  cr_assert(value(FUNCTION(step), 0.5) == 1 && value(FUNCTION(step), -0.5) == 0 &&
            value(FUNCTION(abs), -3) == 3);
}
