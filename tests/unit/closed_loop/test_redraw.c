/* Targets drawn anew: as often as the model says, and with the noise it says. */
#include "core/base/memory.h"
#include "core/closed_loop/redraw.h"
#include "core/engine/simulation.h"
#include "tests/unit/support/tiny_problem.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { N_AGAIN = 4000 };

typedef struct bench {
  tiny_problem tiny;
  pf_draw *draws[2];
  pf_workspace *workspace;
  double theta[16];
} bench;

static void set_up(bench *b, enum tiny_loss loss)
{
  pf_error error = pf_error_none();
  tiny_problem_create(&b->tiny, loss, 1);
  const pf_problem *problem = &b->tiny.problem;
  static const double of_rule[5] = {0.002, -0.1, 0.015, 0.01,
                                    0.04}; /* probabilities well between 0 and 1 */
  cr_assert_leq(problem->model->n_parameters, 16);
  for (size_t i = 0; i < problem->model->n_parameters; i++) {
    b->theta[i] = i < 5 ? of_rule[i] : problem->model->parameters[i].declared.initial;
  }
  for (int64_t d = 0; d < 2; d++) {
    cr_assert_eq(
        pf_problem_draw(problem, &(pf_draw_id){&problem->data, 0, d, false}, &b->draws[d], &error),
        PF_OK);
  }
  cr_assert_eq(pf_workspace_create(problem->model, problem->data.recordings[0].n_steps,
                                   &b->workspace, &error),
               PF_OK);
}

static void tear_down(bench *b)
{
  for (int d = 0; d < 2; d++) {
    pf_draw_free(b->tiny.problem.model, b->draws[d]);
  }
  pf_workspace_free(b->workspace);
  tiny_problem_free(&b->tiny);
}

static double observable(const bench *b, size_t d, const char *name, int64_t t, int64_t i)
{
  const pf_model *model = b->tiny.problem.model;
  pf_error error = pf_error_none();
  int64_t n = 0, ld = 0;
  cr_assert_eq(pf_forward(&(const pf_simulation){model, b->draws[d], b->theta, {&b->workspace, 1}},
                          0, PF_STEP_FIT, NULL, &error),
               PF_OK);
  return (double)pf_workspace_observable(b->workspace, pf_model_observable(model, name), &n,
                                         &ld)[t * ld + i];
}

Test(redraw, choices_come_as_often_as_their_probability_says)
{
  bench b;
  pf_redraw redraw;
  pf_draw *copy = NULL;
  pf_error error = pf_error_none();
  double sums[4] = {0};
  static const int64_t steps[4] = {0, 7, 20, 39};
  set_up(&b, TINY_CHOICE);
  const pf_model *model = b.tiny.problem.model;
  const pf_real before = b.draws[0]->targets[0][0][7];
  b.draws[0]->targets[0][0][20] = (pf_real)NAN;
  cr_assert_eq(pf_redraw_create(&(pf_redraw_in){model, (const pf_draw *const *)b.draws, 2, b.theta,
                                                NULL, b.workspace},
                                &redraw, &error),
               PF_OK, "%s", error.text);
  cr_assert_eq(redraw.n_values[0], 2);
  cr_assert_eq(pf_redraw_copy(model, b.draws[0], &copy, &error), PF_OK);
  for (uint32_t k = 0; k < N_AGAIN; k++) {
    const pf_stream stream = {.seed = 5, .purpose = PF_RANDOM_REDRAW, .draw = k};
    cr_assert_eq(pf_redraw_targets(&redraw, stream, copy, &error), PF_OK);
    for (int i = 0; i < 4; i++) {
      sums[i] += (double)copy->targets[0][0][steps[i]];
    }
  }
  for (int i = 0; i < 4; i++) {
    const double p = 0.5 * (observable(&b, 0, "probability", steps[i], 0) +
                            observable(&b, 1, "probability", steps[i], 0));
    const double found = sums[i] / (double)N_AGAIN;
    if (i == 2) {
      cr_expect(isnan(found), "what is missing stays missing");
    } else { /* four binomial standard errors */
      cr_expect_float_eq(found, p, 4.0 * sqrt(p * (1.0 - p) / (double)N_AGAIN),
                         "step %lld: %g, expected %g", (long long)steps[i], found, p);
    }
  }
  cr_expect_eq(b.draws[0]->targets[0][0][7], before, "the original is left alone");
  pf_redraw_free(model, copy);
  pf_redraw_clear(&redraw);
  tear_down(&b);
}

Test(redraw, activities_are_normal_around_the_models)
{
  bench b;
  pf_redraw redraw;
  pf_draw *copy = NULL;
  pf_error error = pf_error_none();
  const double variance = 0.09;
  double sum = 0.0, squares = 0.0;
  set_up(&b, TINY_ACTIVITY);
  const pf_model *model = b.tiny.problem.model;
  cr_assert_eq(pf_redraw_create(&(pf_redraw_in){model, (const pf_draw *const *)b.draws, 1, b.theta,
                                                &variance, b.workspace},
                                &redraw, &error),
               PF_OK, "%s", error.text);
  cr_assert_eq(pf_redraw_copy(model, b.draws[0], &copy, &error), PF_OK);
  const double mean = observable(&b, 0, "activity", 11, 1);
  for (uint32_t k = 0; k < N_AGAIN; k++) {
    const pf_stream stream = {.seed = 5, .purpose = PF_RANDOM_REDRAW, .draw = k};
    cr_assert_eq(pf_redraw_targets(&redraw, stream, copy, &error), PF_OK);
    const double off = (double)copy->targets[0][0][11 * 3 + 1] - mean;
    sum += off;
    squares += off * off;
  }
  cr_expect_float_eq(sum / N_AGAIN, 0.0, 4.0 * 0.3 / sqrt(N_AGAIN));
  cr_expect_float_eq(squares / N_AGAIN, variance, 4.0 * variance * sqrt(2.0 / N_AGAIN));
  pf_redraw_free(model, copy);
  pf_redraw_clear(&redraw);
  tear_down(&b);
}

Test(redraw, refuses_what_is_no_count)
{
  bench b;
  pf_redraw redraw;
  pf_error error = pf_error_none();
  set_up(&b, TINY_CHOICE);
  b.draws[0]->targets[0][0][3] = (pf_real)0.5;
  cr_expect_eq(
      pf_redraw_create(&(pf_redraw_in){b.tiny.problem.model, (const pf_draw *const *)b.draws, 1,
                                       b.theta, NULL, b.workspace},
                       &redraw, &error),
      PF_POINT_FAILED);
  cr_expect(strstr(error.text, "0.5 is recorded") != NULL, "%s", error.text);
  tear_down(&b);
}
