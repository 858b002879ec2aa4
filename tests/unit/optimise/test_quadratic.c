/* The step of lm: a quadratic model with bounds and L1, against its optimality conditions on random
 * problems. */
#include "core/base/memory.h"
#include "core/base/random.h"
#include "core/optimise/quadratic.h"

#include <criterion/criterion.h>
#include <math.h>

enum { N = 30 };

Test(quadratic, satisfies_the_conditions_of_optimality)
{
  pf_quadratic *quadratic = NULL;
  pf_error error = pf_error_none();
  cr_assert(pf_quadratic_create(N, &quadratic, &error) == PF_OK);
  int n_at_bound = 0;
  int n_zero = 0;
  for (uint32_t problem = 0; problem < 200; problem++) {
    double a[N * N], b[N * N], g[N], v[N], lower[N], upper[N], l1[N], x[N], u[4 * N];
    pf_random_normal((pf_stream){.seed = 1, .purpose = PF_RANDOM_TEST, .draw = problem}, 0, N * N,
                     a);
    pf_random_normal((pf_stream){.seed = 2, .purpose = PF_RANDOM_TEST, .draw = problem}, 0, N, g);
    pf_random_uniform((pf_stream){.seed = 3, .purpose = PF_RANDOM_TEST, .draw = problem}, 0, 4 * N,
                      u);
    for (int i = 0; i < N; i++) {
      for (int j = 0; j < N; j++) {
        b[N * i + j] = i == j ? 0.1 : 0.0;
        for (int k = 0; k < N / 2; k++) { /* half the rank: the rest is the 0.1 */
          b[N * i + j] += a[N * i + k] * a[N * j + k];
        }
      }
      lower[i] = u[i] < 0.3 ? -INFINITY : -0.5 * u[N + i];
      upper[i] = u[i] > 0.7 ? INFINITY : 0.5 * u[2 * N + i];
      l1[i] = i % 3 == 0 ? u[3 * N + i] : 0.0;
      v[i] = i % 4 == 0 ? 0.0 : i % 4 == 1 ? fmax(lower[i], -1.0) : fmin(upper[i], 0.3);
    }
    const pf_function function = {.n = N, .lower = lower, .upper = upper, .l1 = l1};
    cr_assert(pf_quadratic_solve(quadratic, &function, v, g, b, x));
    double slope[N];
    for (int i = 0; i < N; i++) {
      slope[i] = g[i];
      for (int j = 0; j < N; j++) {
        slope[i] += b[N * i + j] * (x[j] - v[j]);
      }
      cr_expect(x[i] >= lower[i] && x[i] <= upper[i]);
      n_at_bound += x[i] == lower[i] || x[i] == upper[i];
      n_zero += l1[i] > 0.0 && x[i] == 0.0;
    }
    cr_expect(pf_projected_gradient(&function, x, slope) < 1e-6, "problem %u: %g", problem,
              pf_projected_gradient(&function, x, slope));
  }
  cr_expect(n_at_bound > 500 && n_zero > 200, "%d held, %d zero: too few to test anything",
            n_at_bound, n_zero);
  pf_quadratic_free(quadratic);
}

Test(quadratic, says_when_the_matrix_is_not_positive_definite)
{
  static const double lower[] = {-INFINITY, -INFINITY}, upper[] = {INFINITY, INFINITY};
  static const double v[] = {0.0, 0.0}, g[] = {1.0, -1.0}, b[] = {1.0, 2.0, 2.0, 1.0};
  const pf_function function = {.n = 2, .lower = lower, .upper = upper};
  pf_quadratic *quadratic = NULL;
  pf_error error = pf_error_none();
  double x[2];
  cr_assert(pf_quadratic_create(2, &quadratic, &error) == PF_OK);
  cr_expect(!pf_quadratic_solve(quadratic, &function, v, g, b, x));
  pf_quadratic_free(quadratic);
}
