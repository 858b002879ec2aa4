/* core/fit/adam: three steps against numbers worked out apart from the code, bounds. */
#include "core/base/memory.h"
#include "core/optimise/adam.h"
#include <criterion/criterion.h>
#include <math.h>

static const double nowhere_low[] = {-INFINITY, -INFINITY}, nowhere_high[] = {INFINITY, INFINITY};

static pf_adam *adam_for(const pf_optimiser_settings *settings, const double *lower,
                         const double *upper, size_t n)
{
  pf_error error = pf_error_none();
  pf_adam *adam = NULL;
  cr_assert(pf_adam_create(settings, lower, upper, n, &adam, &error) == PF_OK, "%s", error.text);
  return adam;
}

/*
 * theta0 = (0.5, -1.3), rate 0.1, gradients (2.385, -0.731), (-1.162, 0.442), (0.057, 3.914). The
 * expected numbers were computed with 50 digits (python, decimal) from optax's formula. With
 * epsilon 0.3 an epsilon inside the root, or one added before the bias correction, is off in the
 * second digit.
 */
static const double gradients[3][2] = {{2.385, -0.731}, {-1.162, 0.442}, {0.057, 3.914}};
static const double expected[3][2] = {{0.4111731843575418994, -1.229097963142580019},
                                      {0.3873572028991766228, -1.216527657430689288},
                                      {0.3683564847044547939, -1.269036245592107072}};

Test(fit_adam, three_steps_by_hand)
{
  const pf_optimiser_settings settings = {
      .learning_rate = 0.1, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 0.3};
  double theta[] = {0.5, -1.3};
  pf_adam *adam = adam_for(&settings, nowhere_low, nowhere_high, 2);
  for (int t = 0; t < 3; t++) {
    pf_adam_step(adam, theta, gradients[t]);
    for (int i = 0; i < 2; i++) { /* measured: the last bit or two */
      cr_expect(fabs(theta[i] - expected[t][i]) <= 4e-16 * fabs(expected[t][i]) + 1e-16,
                "step %d, parameter %d: %.17g, expected %.17g", t + 1, i, theta[i], expected[t][i]);
    }
  }
  pf_adam_free(adam);
}

Test(fit_adam, first_step_has_the_size_of_the_rate)
{
  const pf_optimiser_settings settings = pf_optimiser_defaults();
  const double gradient[] = {3.7e4, -2.1e-3};
  double theta[] = {0.25, 0.25};
  pf_adam *adam = adam_for(&settings, nowhere_low, nowhere_high, 2);
  pf_adam_step(adam, theta, gradient);
  cr_expect(fabs(theta[0] - 0.249) < 1e-12);
  cr_expect(fabs(theta[1] - 0.251) < 1e-8); /* epsilon shows: 1e-3 * 1e-8 / 2.1e-3 */
  pf_adam_free(adam);
}

Test(fit_adam, bounds_hold)
{
  const pf_optimiser_settings settings = {
      .learning_rate = 0.5, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8};
  const double lower[] = {0.0, -INFINITY}, upper[] = {INFINITY, 0.9};
  const double gradient[] = {1.0, -1.0};
  double theta[] = {0.2, 0.8};
  pf_adam *adam = adam_for(&settings, lower, upper, 2);
  pf_adam_step(adam, theta, gradient);
  cr_expect(theta[0] == 0.0);
  cr_expect(theta[1] == 0.9);
  pf_adam_free(adam);
}
