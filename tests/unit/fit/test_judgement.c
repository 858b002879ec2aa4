/*
 * core/fit/judgement: is the end of a fit better than no plasticity, and is it a maximum? On
 * functions of the five coefficients of the tiny problem's rule whose shape is known.
 */
#include "core/fit/judgement.h"

#include "core/base/memory.h"
#include "tests/unit/support/tiny_problem.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { N = 5 };

typedef struct shape {
  double minimum;  /**< of a bowl in every value */
  double separate; /**< observations that value 0 separates: sum of log(1 + exp(-v0)) */
} shape;

static pf_status shape_curvature(void *self, const double *v, double *f, double *gradient,
                                 double *h, pf_error *error)
{
  const shape *s = self;
  (void)error;
  *f = 0.0;
  memset(h, 0, N * N * sizeof *h);
  for (int i = s->separate > 0.0 ? 1 : 0; i < N; i++) {
    const double off = v[i] - s->minimum;
    *f += 0.5 * off * off;
    gradient[i] = off;
    h[i * N + i] = 1.0;
  }
  if (s->separate > 0.0) {
    const double p = 1.0 / (1.0 + exp(v[0]));
    *f += s->separate * log1p(exp(-v[0]));
    gradient[0] = -s->separate * p;
    h[0] = s->separate * p * (1.0 - p);
  }
  return PF_OK;
}

static pf_status shape_value(void *self, const double *v, double *f, double *gradient,
                             pf_error *error)
{
  double g[N], h[N * N];
  (void)gradient;
  return shape_curvature(self, v, f, g, h, error);
}

typedef struct judged {
  tiny_problem tiny;
  pf_fit *fit;
  pf_fit_group *group;
  pf_function function;
  shape shape;
  pf_judgement is;
  double better[N];
} judged;

static void start(judged *j, shape of)
{
  pf_error error = pf_error_none();
  tiny_problem_create(&j->tiny, TINY_CHOICE, 1);
  j->fit = pf_memory_need(1, sizeof *j->fit, &error);
  cr_assert(j->fit != NULL && pf_fit_groups_create(&j->tiny.problem, j->fit, &error) == PF_OK, "%s",
            error.text);
  j->group = &j->fit->groups[0];
  cr_assert(j->group->layout->n == N);
  j->shape = of;
  j->function = (pf_function){.self = &j->shape,
                              .n = N,
                              .lower = j->group->layout->lower,
                              .upper = j->group->layout->upper,
                              .value = shape_value,
                              .curvature = shape_curvature};
}

/** Judge a fit that ended at `v` [N] and began there. */
static void judge_at(judged *j, const double *v)
{
  pf_error error = pf_error_none();
  memcpy(j->group->values, v, N * sizeof *v);
  memcpy(j->group->values_start, v, N * sizeof *v);
  cr_assert(shape_value(&j->shape, v, &j->group->optimum.objective, NULL, &error) == PF_OK);
  j->is = (pf_judgement){.better = j->better};
  cr_assert(pf_fit_judge(&j->tiny.problem, j->group, &j->function, &j->is, &error) == PF_OK, "%s",
            error.text);
}

static void finish(judged *j)
{
  pf_fit_free(&j->tiny.problem, j->fit);
  tiny_problem_free(&j->tiny);
}

Test(judgement, nothing_to_say_of_the_minimum_of_a_bowl)
{
  judged j;
  start(&j, (shape){.minimum = 1.0});
  judge_at(&j, (const double[N]){1.0, 1.0, 1.0, 1.0, 1.0});
  cr_expect(!j.is.runs_off && !j.is.worse_than_null && !j.is.has_better);
  finish(&j);
}

/* Without plasticity the rule's values are 0, the minimum of this bowl. One value off by d costs
 * d^2 / 2: 0.02 nats at 0.2, 0.005 at 0.1, where 0.01 is a change. */
Test(judgement, worse_than_without_plasticity)
{
  judged j;
  start(&j, (shape){.minimum = 0.0});
  judge_at(&j, (const double[N]){0.2, 0.0, 0.0, 0.0, 0.0});
  cr_expect(j.is.worse_than_null && j.is.has_better);
  for (int i = 0; i < N; i++) {
    cr_expect(j.is.better[i] == 0.0);
  }
  judge_at(&j, (const double[N]){0.1, 0.0, 0.0, 0.0, 0.0});
  cr_expect(!j.is.worse_than_null);
  j.function.nats = 4.0; /* the same, 0.02 nats */
  judge_at(&j, (const double[N]){0.1, 0.0, 0.0, 0.0, 0.0});
  cr_expect(j.is.worse_than_null);
  finish(&j);
}

Test(judgement, no_null_where_a_bound_excludes_it)
{
  judged j;
  start(&j, (shape){.minimum = 0.0});
  j.group->layout->lower[0] = 0.1;
  judge_at(&j, (const double[N]){0.2, 0.0, 0.0, 0.0, 0.0});
  cr_expect(!j.is.worse_than_null);
  finish(&j);
}

/* 20 observations that value 0 predicts without an error: at 6 each still costs exp(-6) nats, and
 * the more the value grows the fewer. */
Test(judgement, a_likelihood_that_rises_without_end)
{
  const double end[N] = {6.0, 1.0, 1.0, 1.0, 1.0};
  judged j;
  start(&j, (shape){.minimum = 1.0, .separate = 20.0});
  judge_at(&j, end);
  cr_expect(j.is.runs_off && !j.is.worse_than_null);
  j.tiny.problem.options.l2 = 0.1; /* with a penalty there is a maximum */
  judge_at(&j, end);
  cr_expect(!j.is.runs_off);
  finish(&j);
}

/* The same at a bound that the value may not pass: the likelihood has its maximum there. */
Test(judgement, a_bound_is_an_end)
{
  judged j;
  start(&j, (shape){.minimum = 1.0, .separate = 20.0});
  j.group->layout->upper[0] = 6.0;
  judge_at(&j, (const double[N]){6.0, 1.0, 1.0, 1.0, 1.0});
  cr_expect(!j.is.runs_off);
  finish(&j);
}

/* A direction is followed only where it leads more than 3 spreads away: at v0 = 6 some 9. */
Test(judgement, what_is_near_is_not_followed)
{
  double scale[N] = {1.0, 1.0, 1.0, 1.0, 1.0};
  judged j;
  start(&j, (shape){.minimum = 1.0, .separate = 20.0});
  j.function.scale = scale;
  j.function.cells = 4.0; /* a spread is 2 */
  judge_at(&j, (const double[N]){6.0, 1.0, 1.0, 1.0, 1.0});
  cr_expect(j.is.runs_off);
  j.function.cells = 16.0; /* a spread is 4, and 9 / 4 < 3 */
  judge_at(&j, (const double[N]){6.0, 1.0, 1.0, 1.0, 1.0});
  cr_expect(!j.is.runs_off);
  finish(&j);
}

/* Where a fit stopped on a slope, the look along a direction comes across a better point. */
Test(judgement, a_better_point_is_handed_back)
{
  judged j;
  start(&j, (shape){.minimum = 3.0});
  judge_at(&j, (const double[N]){3.0, 3.0, 3.0, 3.0, 1.0});
  cr_expect(!j.is.worse_than_null && j.is.has_better);
  cr_expect(fabs(j.is.better[4] - 3.0) < 2.0, "%g", j.is.better[4]);
  finish(&j);
}

/* The order of what is said of a fit: what it is not comes before what it is. */
Test(judgement, verdict_of_a_group)
{
  pf_fit_group group = {.status = PF_OK, .optimum = {.reason = PF_REASON_PROGRESS}};
  cr_expect(pf_fit_verdict(&group) == PF_FIT_NOT_CONVERGED && !pf_fit_claims(&group));
  group.optimum.converged = true;
  cr_expect(pf_fit_verdict(&group) == PF_FIT_CONVERGED && pf_fit_claims(&group));
  group.worse_than_null = true;
  cr_expect(pf_fit_verdict(&group) == PF_FIT_WORSE_THAN_NULL && !pf_fit_claims(&group));
  group.runs_off = true;
  cr_expect(pf_fit_verdict(&group) == PF_FIT_SEPARATION);
  group.optimum.reason = PF_REASON_PASSES;
  cr_expect(pf_fit_verdict(&group) == PF_FIT_PASSES_DONE && !pf_fit_claims(&group));
  group.status = PF_POINT_FAILED;
  cr_expect(pf_fit_verdict(&group) == PF_FIT_FAILED);
  cr_expect_str_eq(pf_fit_verdict_words(PF_FIT_SEPARATION), "separation");
  cr_expect_str_eq(pf_fit_verdict_words(PF_FIT_WORSE_THAN_NULL), "worse than no plasticity");
  cr_expect_str_eq(pf_fit_verdict_words(77), "unknown");
}

/* A value that grew until its curvature is 0 to the last bit: there is no direction of small
 * curvature to look along, but without it the objective is worse. */
Test(judgement, a_value_that_has_grown_until_nothing_changes_is_separation)
{
  judged j;
  start(&j, (shape){.minimum = 0.0, .separate = 10.0});
  const double scale[N] = {1.0, 1.0, 1.0, 1.0, 1.0};
  j.function.scale = scale;
  judge_at(&j, (const double[N]){800.0, 0.0, 0.0, 0.0, 0.0});
  cr_expect(j.is.runs_off);
  cr_expect_eq(j.is.runs_off_most, 0u);
  finish(&j);
}
