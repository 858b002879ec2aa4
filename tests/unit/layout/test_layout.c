/* core/layout/layout: what the optimiser sees of fixed and tied parameters, and a fit with both. */
#include "core/base/memory.h"
#include "core/fit/fit.h"
#include "core/fit/fit_groups.h"
#include "core/fit/objective.h"
#include "core/layout/layout.h"
#include "tests/unit/support/numbers.h"
#include "tests/unit/support/tiny_problem.h"
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static pf_model_parameter parameter(double lower, double upper, uint32_t flags)
{
  return (pf_model_parameter){
      .owner = "rules.a",
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

Test(layout, only_free_parameters_are_seen_and_ties_follow)
{
  pf_model_parameter five[5];
  pf_layout *layout = NULL;
  pf_error error = pf_error_none();
  make_five(five);
  five[2].declared.initial = 0.3;
  cr_assert(pf_layout_create(&(pf_layout_in){five, 5, NULL, NULL, 1}, &layout, &error) == PF_OK,
            "%s", error.text);
  cr_assert(layout->n == 2 && layout->n_instances == 5 && layout->index[0] == 0 &&
            layout->index[1] == 3);
  cr_expect(layout->lower[1] == -4.0 && layout->upper[1] == 4.0);
  const double values[] = {-1.0, 3.0};
  const double expected[] = {-1.0, -6.0, 0.3, 3.0, 1.5};
  double theta[5], instances[5], back[2];
  pf_layout_theta(layout, values, 0, theta);
  pf_layout_instances(layout, values, instances);
  for (int i = 0; i < 5; i++) {
    cr_expect(theta[i] == expected[i] && instances[i] == expected[i], "theta %d is %g", i,
              theta[i]);
  }
  pf_layout_values(layout, instances, back);
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

Test(layout, penalties_count_free_parameters_only)
{
  pf_model_parameter five[5];
  pf_layout *layout = NULL;
  pf_error error = pf_error_none();
  const double theta[] = {1.0, -4.0, 7.0, 2.0, 1.0};
  double gradient[5] = {0};
  make_five(five);
  cr_assert(pf_layout_create(&(pf_layout_in){five, 5, NULL, NULL, 1}, &layout, &error) == PF_OK,
            "%s", error.text);
  cr_expect(pf_penalty(layout, 5, 1.0, 0.0, theta, gradient) == 3.0);
  cr_expect(gradient[0] == 1.0 && gradient[1] == 0.0 && gradient[2] == 0.0 && gradient[3] == 1.0 &&
            gradient[4] == 0.0);
  pf_layout_free(layout);
}

/* Terms "1, w, x, r, x r": 1 is fixed, w is tied to x r. Every logged theta obeys. */
Test(layout, a_fit_keeps_to_its_ties)
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
  for (size_t u = 0; u < fit->n_groups; u++) {
    const pf_fit_group *unit = &fit->groups[u];
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

Test(layout, a_fit_starts_from_given_estimates)
{
  tiny_problem tiny;
  double cold[9], warm[9],
      given[14] = {0.1, NAN, 99.0, 0.4, 0.5, NAN, NAN, -0.1, NAN, 0.3, -0.4, -0.5, NAN, NAN};
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

/* ---- copies ---- */

enum { N_COPIED = 6, N_RECORDINGS = 4 };

/* 0 shared, 1 per animal, 2 per experiment, 3 = -1.7 times 1, 4 fixed (though per animal), 5 per
 * animal */
static void make_copied(pf_model_parameter *six)
{
  static const uint32_t scopes[] = {PF_SCOPE_SHARED, PF_SCOPE_ANIMAL,     PF_SCOPE_EXPERIMENT,
                                    PF_SCOPE_SHARED, PF_SCOPE_EXPERIMENT, PF_SCOPE_ANIMAL};
  for (int i = 0; i < N_COPIED; i++) {
    six[i] = parameter(-9.0, 9.0, i == 4 ? PF_PARAMETER_FIXED : 0);
    six[i].declared.scope = scopes[i];
    six[i].declared.initial = 0.37;
  }
  six[3].tied = true;
  six[3].tied_to = 1;
  six[3].factor = -1.7;
}

/* Recordings of animals a, b, a, b: of which the layout takes 3, 0, 1 in this order. */
static void make_data(pf_recording *recordings, pf_dataset *data)
{
  static char *const names[] = {"a", "b"};
  memset(recordings, 0, N_RECORDINGS * sizeof *recordings);
  for (size_t i = 0; i < N_RECORDINGS; i++) {
    recordings[i].animal = names[i % 2];
    recordings[i].animal_index = i % 2;
    recordings[i].experiment = i / 2;
  }
  *data = (pf_dataset){.recordings = recordings, .n = N_RECORDINGS};
}

/* f_r(theta) = 1/2 theta' A_r theta + cos(b_r' theta), its gradient and Hessian. */
static double function_of(size_t r, const double *theta, double *gradient, double *hessian)
{
  double a[N_COPIED][N_COPIED], b[N_COPIED], along = 0.0, value = 0.0;
  uint64_t numbers = 91 + r;
  for (int i = 0; i < N_COPIED; i++) {
    b[i] = numbers_normal(&numbers);
    along += b[i] * theta[i];
    for (int j = 0; j <= i; j++) {
      a[i][j] = a[j][i] = numbers_normal(&numbers);
    }
  }
  for (int i = 0; i < N_COPIED; i++) {
    gradient[i] = -sin(along) * b[i];
    for (int j = 0; j < N_COPIED; j++) {
      value += 0.5 * theta[i] * a[i][j] * theta[j];
      gradient[i] += a[i][j] * theta[j];
      hessian[i * N_COPIED + j] = a[i][j] - cos(along) * b[i] * b[j];
    }
  }
  return value + cos(along);
}

/* The sum over the layout's recordings, folded. */
static double folded(const pf_layout *layout, const double *values, double *gradient,
                     double *information)
{
  double instances[32] = {0.0}, value = 0.0;
  memset(information, 0, layout->n * layout->n * sizeof *information);
  for (size_t r = 0; r < layout->n_recordings; r++) {
    double theta[N_COPIED], g[N_COPIED], h[N_COPIED * N_COPIED];
    pf_layout_theta(layout, values, r, theta);
    value += function_of(r, theta, g, h);
    pf_layout_fold(layout, r, g, instances);
    pf_layout_fold_information(layout, r, (const size_t[]){0, 1, 2, 3, 4, 5}, N_COPIED, h,
                               information);
  }
  pf_layout_gradient(layout, instances, gradient);
  return value;
}

static void check_folding(const pf_layout *layout, const double *at)
{
  double values[16], gradient[16], information[256], unused[256], up[16], down[16];
  const double h = 1e-5;
  memcpy(values, at, layout->n * sizeof *values);
  (void)folded(layout, values, gradient, information);
  for (size_t k = 0; k < layout->n; k++) {
    values[k] = at[k] + h;
    const double above = folded(layout, values, up, unused);
    values[k] = at[k] - h;
    const double below = folded(layout, values, down, unused);
    values[k] = at[k];
    /* measured: below 1e-9 */
    cr_expect(fabs((above - below) / (2.0 * h) - gradient[k]) < 1e-7, "gradient %zu", k);
    for (size_t l = 0; l < layout->n; l++) {
      cr_expect(fabs((up[l] - down[l]) / (2.0 * h) - information[k * layout->n + l]) < 1e-7,
                "matrix %zu %zu", k, l);
    }
  }
}

Test(layout, copies_fold_as_differences_say)
{
  static const size_t chosen[] = {3, 0, 1};
  pf_model_parameter six[N_COPIED];
  pf_recording recordings[N_RECORDINGS];
  pf_dataset data;
  pf_layout *layout = NULL, *frozen = NULL;
  pf_error error = pf_error_none();
  make_copied(six);
  make_data(recordings, &data);
  cr_assert(pf_layout_create(&(pf_layout_in){six, N_COPIED, &data, chosen, 3}, &layout, &error) ==
                PF_OK,
            "%s", error.text);
  cr_assert(layout->n_animals == 2 && layout->n_instances == 1 + 2 + 3 + 2 + 1 + 2 &&
            layout->n == 1 + 2 + 3 + 2);
  cr_expect(pf_layout_recording(layout, &recordings[0]) == 1);
  cr_expect(pf_layout_recording(layout, &recordings[2]) == PF_LAYOUT_NONE);
  const double values[] = {0.3, -0.2, 0.9, 1.1, -0.7, 0.5, 0.05, -1.3};
  double theta[3][N_COPIED];
  for (size_t r = 0; r < 3; r++) {
    pf_layout_theta(layout, values, r, theta[r]);
    cr_expect(theta[r][0] == 0.3 && theta[r][4] == 0.37 && theta[r][3] == -1.7 * theta[r][1]);
    cr_expect(theta[r][2] == values[3 + r]);
  }
  /* recordings 3 and 1 are b's, 0 is a's; animals are numbered as they appear */
  cr_expect(theta[0][1] == -0.2 && theta[2][1] == -0.2 && theta[1][1] == 0.9);
  cr_expect(theta[0][5] == 0.05 && theta[2][5] == 0.05 && theta[1][5] == -1.3);
  const char *animal = NULL;
  int64_t experiment = 0;
  pf_layout_copy(layout, layout->first[1], &animal, &experiment);
  cr_expect(strcmp(animal, "b") == 0 && experiment == -1);
  pf_layout_copy(layout, layout->first[2], &animal, &experiment);
  cr_expect(strcmp(animal, "b") == 0 && experiment == 1);
  check_folding(layout, values);
  /* with the shared one and a's copies kept, so is what is tied to them */
  bool keep[16] = {false};
  keep[layout->first[0]] = keep[layout->first[1] + 1] = keep[layout->first[5] + 1] = true;
  cr_assert(pf_layout_freeze(layout, values, keep, &frozen, &error) == PF_OK, "%s", error.text);
  cr_assert(frozen->n == 5);
  const double fewer[] = {0.77, 1.1, -0.7, 0.5, -0.4};
  pf_layout_theta(frozen, fewer, 1, theta[1]);
  cr_expect(theta[1][0] == 0.3 && theta[1][1] == 0.9 && theta[1][3] == -1.7 * 0.9 &&
            theta[1][5] == -1.3);
  pf_layout_theta(frozen, fewer, 0, theta[0]);
  cr_expect(theta[0][1] == 0.77 && theta[0][3] == -1.7 * 0.77 && theta[0][5] == -0.4);
  check_folding(frozen, fewer);
  pf_layout_free(frozen);
  pf_layout_free(layout);
}
