/*
 * core/marginal: the marginal likelihood near its maximum as a smooth function of the values, with
 * the sd of the inputs' noise among them or not. Small data, so that the maximum need not be found:
 * where the draws were made is enough.
 */
#include "core/base/memory.h"
#include "core/fit/thread_workspaces.h"
#include "core/marginal/importance.h"
#include "core/marginal/input_sd.h"
#include "core/marginal/marginal.h"
#include "tests/unit/problem/problem_config.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { MOST_VALUES = 4 };

typedef struct rig {
  pf_problem *problem;
  pf_fit *fit;
  pf_fit_group *group;
  pf_thread_workspaces workspaces;
  pf_importance *importance;
  double factor[1];
  double v[MOST_VALUES];
} rig;

static pf_error error;

static void set_up(rig *r, const char *learns)
{
  const pf_observer observer = {0};
  *r = (rig){.factor = {1.0}};
  error = pf_error_none();
  r->problem = PROBLEM("likelihood=\"marginal\"", "marginal.particles=40", "marginal.draws=6",
                       "marginal.iterations=3", "source.input.draws=2", "fit.starts=1",
                       "fit.optimiser=\"lm\"", learns);
  cr_assert(pf_estimate(r->problem, NULL, &observer, &r->fit, &error) == PF_OK, "%s", error.text);
  r->group = &r->fit->groups[0];
  cr_assert(r->group->status == PF_OK && r->group->marginal != NULL, "%s", r->group->error.text);
  cr_assert(r->group->layout->n <= MOST_VALUES);
  memcpy(r->v, r->group->marginal->drawn_at, r->group->layout->n * sizeof *r->v);
  cr_assert(pf_thread_workspaces_create(r->problem->model, &r->problem->data, 1, &r->workspaces,
                                        &error) == PF_OK);
  const pf_importance_in in = {.problem = r->problem,
                               .group = r->group,
                               .factor = r->factor,
                               .workspaces = r->workspaces.items,
                               .n_workspaces = 1};
  cr_assert(pf_importance_create(&in, &r->importance, &error) == PF_OK, "%s", error.text);
}

static void tear_down(rig *r)
{
  pf_importance_free(r->importance);
  pf_thread_workspaces_free(&r->workspaces);
  pf_fit_free(r->problem, r->fit);
  problem_drop(r->problem);
}

static double value_at(const rig *r, const double *v, double *gradient)
{
  const pf_function *f = pf_importance_get(r->importance);
  double value = 0.0;
  cr_assert(f->value(f->self, v, &value, gradient, &error) == PF_OK, "%s", error.text);
  return value;
}

static double error_at(const rig *r, const double *v)
{
  double out = NAN;
  cr_assert(pf_importance_error(r->importance, v, &out, &error) == PF_OK, "%s", error.text);
  return out;
}

static double value_beside(rig *r, size_t k, double off)
{
  const double at = r->v[k];
  r->v[k] = at + off;
  const double found = value_at(r, r->v, NULL);
  r->v[k] = at;
  return found;
}

/* By five points: single precision needs steps so long that three are off by some per cent. */
static double slope(rig *r, size_t k, double step)
{
  const double near = value_beside(r, k, step) - value_beside(r, k, -step);
  const double far = value_beside(r, k, 2.0 * step) - value_beside(r, k, -2.0 * step);
  return (8.0 * near - far) / (12.0 * step);
}

/* Gradients away from where the draws were made, against differences. */
static void expect_gradient(rig *r)
{
  const size_t n = r->group->layout->n;
  const double h = sizeof(pf_real) == sizeof(double) ? 1e-4 : 1e-2;
  double gradient[MOST_VALUES];
  for (size_t k = 0; k < n; k++) {
    r->v[k] *= 1.05;
  }
  (void)value_at(r, r->v, gradient);
  for (size_t k = 0; k < n; k++) {
    const double difference = slope(r, k, h * (1.0 + fabs(r->v[k])));
    /* the sd's score is a difference over 1 % of it */
    cr_expect(fabs(gradient[k] - difference) < 0.01 * (0.1 + fabs(difference)), "%zu: %g for %g", k,
              gradient[k], difference);
  }
}

Test(importance, is_the_fits_likelihood_where_the_draws_were_made)
{
  rig r;
  set_up(&r, "seed=2");
  const double at = value_at(&r, r.v, NULL);
  cr_expect(fabs(at + r.group->marginal->log_likelihood) < 1e-9, "%.15g for %.15g", at,
            -r.group->marginal->log_likelihood);
  cr_expect(error_at(&r, r.v) < 1e-9);
  tear_down(&r);
}

Test(importance, knows_less_the_further_away)
{
  rig r;
  set_up(&r, "seed=2");
  const double at = r.v[0];
  r.v[0] = at + 0.05 * (1.0 + fabs(at));
  const double near = error_at(&r, r.v);
  r.v[0] = at + 0.5 * (1.0 + fabs(at));
  const double far = error_at(&r, r.v);
  cr_expect(near > 0.0 && far > 2.0 * near, "%g, %g", near, far);
  tear_down(&r);
}

Test(importance, has_the_gradient_of_its_value)
{
  rig r;
  set_up(&r, "seed=2");
  expect_gradient(&r);
  tear_down(&r);
}

Test(importance, has_the_gradient_of_the_sd_of_inputs)
{
  rig r;
  set_up(&r, "source.input.learn_sd=true");
  cr_assert(pf_input_sd_instance(r.problem, r.group->layout, 0) != NULL);
  expect_gradient(&r);
  tear_down(&r);
}

Test(importance, has_a_curvature_that_is_symmetric_and_definite)
{
  rig r;
  double f = 0.0, gradient[MOST_VALUES], h[MOST_VALUES * MOST_VALUES];
  set_up(&r, "seed=2");
  const pf_function *function = pf_importance_get(r.importance);
  const size_t n = r.group->layout->n;
  cr_assert(function->curvature(function->self, r.v, &f, gradient, h, &error) == PF_OK);
  cr_assert(n == 2);
  cr_expect(fabs(h[1] - h[2]) <= 1e-6 * fabs(h[1]));
  cr_expect(h[0] > 0.0 && h[0] * h[3] > h[1] * h[2], "%g %g %g", h[0], h[1], h[3]);
  tear_down(&r);
}

/* ---- the sd of the inputs ---- */

Test(input_sd, moves_inputs_and_back)
{
  rig r;
  pf_input_sd sd;
  set_up(&r, "source.input.learn_sd=true");
  pf_fit_group *group = r.group;
  const pf_parameter_instance *own = pf_input_sd_instance(r.problem, group->layout, 0);
  cr_assert(pf_input_sd_create(r.problem, group, group->n_draws, r.v, &sd, &error) == PF_OK);
  const double x = (double)group->draws[0]->input[0];
  const pf_recording *recording = &r.problem->data.recordings[group->recordings[0]];
  const double cue = r.problem->settings->input.mean * recording->cue[0];
  r.v[own->value] *= 2.0;
  pf_input_sd_move(r.problem, group, group->draws, group->n_draws, r.v, &sd);
  cr_expect(fabs((double)group->draws[0]->input[0] - (cue + 2.0 * (x - cue))) < 1e-6);
  r.v[own->value] *= 0.5;
  pf_input_sd_move(r.problem, group, group->draws, group->n_draws, r.v, &sd);
  cr_expect(fabs((double)group->draws[0]->input[0] - x) < 1e-6);
  pf_input_sd_clear(&sd);
  tear_down(&r);
}

Test(input_sd, is_the_root_mean_square_of_noise_after_an_EM_step)
{
  rig r;
  double sum = 0.0, n = 0.0;
  set_up(&r, "source.input.learn_sd=true");
  const pf_fit_group *group = r.group;
  const pf_parameter_instance *own = pf_input_sd_instance(r.problem, group->layout, 0);
  for (size_t d = 0; d < group->n_draws; d++) {
    const pf_draw *draw = group->draws[d];
    const pf_recording *of = draw->recording;
    for (int64_t t = 0; t < draw->n_steps; t++) {
      for (int64_t j = 0; j < of->n_input; j++) {
        const double off = (double)draw->input[t * draw->ld_input + j] -
                           r.problem->settings->input.mean * of->cue[t * of->n_input + j];
        sum += off * off;
        n += 1.0;
      }
    }
  }
  pf_input_sd_update(r.problem, group, group->n_draws, r.v);
  cr_expect(fabs(own->factor * r.v[own->value] - sqrt(sum / n)) < 1e-6, "%g for %g",
            own->factor * r.v[own->value], sqrt(sum / n));
  tear_down(&r);
}

Test(input_sd, is_nothing_where_it_is_not_fitted)
{
  rig r;
  pf_input_sd sd;
  set_up(&r, "seed=2");
  cr_expect(pf_input_sd_instance(r.problem, r.group->layout, 0) == NULL);
  cr_assert(pf_input_sd_create(r.problem, r.group, r.group->n_draws, r.v, &sd, &error) == PF_OK);
  cr_expect(sd.score == NULL);
  pf_input_sd_clear(&sd);
  tear_down(&r);
}
