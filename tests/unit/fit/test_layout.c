/* core/fit/layout: what the optimiser sees of fixed and tied parameters, and a fit with both. */
#include "core/base/memory.h"
#include "core/fit/fit.h"
#include "core/fit/layout.h"
#include "core/fit/objective.h"
#include "core/fit/units.h"
#include "tests/unit/support/tiny_problem.h"
#include <criterion/criterion.h>
#include <math.h>

static pf_model_parameter parameter(double lower, double upper, uint32_t flags)
{
  return (pf_model_parameter){.owner = "rules.a",
                              .declared = {.name = "p", .lower = lower, .upper = upper, .flags = flags}};
}

/* 0 free, 1 = -2 * 3, 2 fixed, 3 free, 4 = 0.5 * 3 */
static void make_five(pf_model_parameter *five)
{
  for (int i = 0; i < 5; i++) {
    five[i] = parameter(-1.0 - i, 1.0 + i, i == 2 ? PF_PARAMETER_FIXED : 0);
  }
  five[1].tied = five[4].tied = true;
  five[1].tied_to = five[4].tied_to = 3;
  five[1].factor = -2.0;
  five[4].factor = 0.5;
}

Test(fit_layout, only_free_parameters_are_seen_and_ties_follow)
{
  pf_model_parameter five[5];
  pf_layout *layout = NULL;
  pf_error error = pf_error_none();
  make_five(five);
  five[2].declared.initial = 0.3;
  cr_assert(pf_layout_create(five, 5, NULL, NULL, 1, &layout, &error) == PF_OK, "%s", error.text);
  cr_assert(layout->n == 2 && layout->n_slots == 5 && layout->index[0] == 0 && layout->index[1] == 3);
  cr_expect(layout->lower[1] == -4.0 && layout->upper[1] == 4.0);
  const double values[] = {-1.0, 3.0};
  const double expected[] = {-1.0, -6.0, 0.3, 3.0, 1.5};
  double theta[5], slots[5], back[2];
  pf_layout_theta(layout, values, 0, theta);
  pf_layout_slots(layout, values, slots);
  for (int i = 0; i < 5; i++) {
    cr_expect(theta[i] == expected[i] && slots[i] == expected[i], "theta %d is %g", i, theta[i]);
  }
  pf_layout_values(layout, slots, back);
  cr_expect(back[0] == -1.0 && back[1] == 3.0);
  const double gradient[] = {1.0, 10.0, 100.0, 1000.0, 10000.0};
  double folded[5] = {0.0};
  double out[2];
  pf_layout_fold(layout, 0, gradient, folded);
  pf_layout_gradient(layout, folded, out);
  cr_expect(out[0] == 1.0);
  cr_expect(out[1] == 1000.0 - 2.0 * 10.0 + 0.5 * 10000.0);
  pf_layout_free(layout);
}

Test(fit_layout, penalties_count_free_parameters_only)
{
  pf_model_parameter five[5];
  pf_layout *layout = NULL;
  pf_error error = pf_error_none();
  const double theta[] = {1.0, -4.0, 7.0, 2.0, 1.0};
  double gradient[5] = {0};
  make_five(five);
  cr_assert(pf_layout_create(five, 5, NULL, NULL, 1, &layout, &error) == PF_OK, "%s", error.text);
  cr_expect(pf_penalty(layout, 5, 1.0, 0.0, theta, gradient) == 3.0);
  cr_expect(gradient[0] == 1.0 && gradient[1] == 0.0 && gradient[2] == 0.0 && gradient[3] == 1.0 && gradient[4] == 0.0);
  pf_layout_free(layout);
}

/* Terms "1, w, x, r, x r": 1 is fixed, w is tied to x r. Every logged theta obeys. */
Test(fit_layout, a_fit_keeps_to_its_ties)
{
  tiny_problem tiny;
  pf_fit *fit = NULL;
  pf_error error = pf_error_none();
  tiny_problem_create(&tiny, TINY_ACTIVITY, 2);
  cr_assert(tiny.problem.model->n_parameters <= 9);
  pf_model_parameter *parameters = tiny.problem.model->parameters;
  parameters[0].declared.flags |= PF_PARAMETER_FIXED;
  parameters[0].declared.initial = 0.011;
  parameters[0].declared.initial_sd = 0.0;
  parameters[1].tied = true;
  parameters[1].tied_to = 4;
  parameters[1].factor = -0.5;
  cr_assert(pf_fit_run(&tiny.problem, NULL, NULL, NULL, &fit, &error) == PF_OK, "%s", error.text);
  for (size_t u = 0; u < fit->n_units; u++) {
    const pf_fit_unit *unit = &fit->units[u];
    for (size_t r = 0; r < unit->n_rows; r++) {
      double theta[9];
      pf_layout_theta(unit->layout, &unit->row_values[r * unit->layout->n], 0, theta);
      cr_expect(theta[0] == 0.011);
      cr_expect(theta[1] == -0.5 * theta[4]);
    }
    cr_assert(unit->layout->n == 3); /* x, r, x r */
    cr_expect(unit->values[2] != unit->values_start[2]);
    cr_expect(unit->rows[unit->n_rows - 1].objective < unit->rows[0].objective);
  }
  pf_fit_free(&tiny.problem, fit);
  tiny_problem_free(&tiny);
}

static void start(const tiny_problem *tiny, size_t unit, double *theta)
{
  pf_error error = pf_error_none();
  cr_assert(pf_fit_start(&tiny->problem, unit, theta, &error) == PF_OK, "%s", error.text);
}

Test(fit_layout, a_fit_starts_from_given_estimates)
{
  tiny_problem tiny;
  double cold[9], warm[9], given[14] = {0.1, NAN, 99.0, 0.4, 0.5, NAN, NAN, -0.1, NAN, 0.3, -0.4, -0.5, NAN, NAN};
  tiny_problem_create(&tiny, TINY_ACTIVITY, 2);
  cr_assert(tiny.problem.model->n_parameters <= 9);
  pf_model_parameter *parameters = tiny.problem.model->parameters;
  parameters[2].declared.upper = 2.5;
  parameters[3].declared.flags |= PF_PARAMETER_FIXED;
  start(&tiny, 0, cold);
  tiny.problem.warm = given;
  start(&tiny, 0, warm);
  cr_expect(warm[0] == 0.1);
  cr_expect(warm[1] == cold[1]); /* the earlier run does not have it */
  cr_expect(warm[2] == 2.5);     /* within bounds */
  cr_expect(warm[3] == cold[3]); /* fixed stays */
  start(&tiny, 1, warm);
  cr_expect(warm[4] == -0.5);
  tiny.problem.warm = NULL;
  tiny_problem_free(&tiny);
}
