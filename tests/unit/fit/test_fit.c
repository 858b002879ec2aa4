/* core/fit/run: passes, rows, threads, and fits that fail. */
#include "core/base/memory.h"
#include "core/engine/batch.h"
#include "core/fit/fit.h"
#include "core/fit/fit_groups.h"
#include "tests/unit/support/tiny_problem.h"
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static pf_fit *run(const pf_problem *problem)
{
  pf_error error = pf_error_none();
  pf_fit *fit = NULL;
  cr_assert(pf_fit_run(problem, NULL, NULL, NULL, &fit, &error) == PF_OK, "%s", error.text);
  return fit;
}

/* The same passes written out plainly, with an Adam of its own. */
static void plain_fit(const pf_problem *problem, size_t recording, double *theta,
                      double *first_mean)
{
  enum {
    N = 5,
    ALL = 9
  }; /* the rule's; with those that network and loss declare, and nobody frees */
  const pf_model *model = problem->model;
  pf_error error = pf_error_none();
  pf_workspace *workspace = NULL;
  pf_draw *draws[2] = {NULL, NULL};
  pf_batch *batches[2] = {NULL, NULL};
  double m[N] = {0};
  double v[N] = {0};
  int t = 0;
  cr_assert(model->n_parameters == ALL);
  cr_assert(pf_workspace_create(model, problem->data.recordings[recording].n_steps, &workspace,
                                &error) == PF_OK);
  for (int d = 0; d < 2; d++) {
    cr_assert(pf_problem_draw(problem, &(pf_draw_id){&problem->data, recording, d, false},
                              &draws[d], &error) == PF_OK);
    cr_assert(pf_batch_create(model, (const pf_draw *const *)&draws[d], 1, &batches[d], &error) ==
              PF_OK);
  }
  cr_assert(pf_fit_start(problem, recording, theta, &error) == PF_OK);
  for (int64_t epoch = 0; epoch < problem->settings->fit.epochs; epoch++) {
    for (int d = 0; d < 2; d++) {
      double g[ALL];
      double value = 0.0;
      t++;
      cr_assert(pf_batch_objective(batches[d], theta, (pf_workspaces){&workspace, 1}, &value, g,
                                   &error) == PF_OK);
      for (int i = 0; i < N; i++) {
        value += problem->options.l1 * fabs(theta[i]);
        g[i] += problem->options.l1 * (theta[i] > 0.0 ? 1.0 : (theta[i] < 0.0 ? -1.0 : 0.0));
      }
      *first_mean += epoch == 0 ? 0.5 * value : 0.0;
      for (int i = 0; i < N; i++) {
        m[i] = 0.9 * m[i] + 0.1 * g[i];
        v[i] = 0.999 * v[i] + 0.001 * g[i] * g[i];
        theta[i] -= problem->settings->fit.learning_rate * m[i] / (1.0 - pow(0.9, t)) /
                    (sqrt(v[i] / (1.0 - pow(0.999, t))) + 1e-8);
      }
    }
  }
  for (int d = 0; d < 2; d++) {
    pf_batch_free(batches[d]);
    pf_draw_free(model, draws[d]);
  }
  pf_workspace_free(workspace);
}

Test(fit_run, one_step_per_draw_in_order)
{
  tiny_problem tiny;
  double theta[9];
  double first_mean = 0.0;
  tiny_problem_create(&tiny, TINY_CHOICE, 2);
  tiny.problem.settings->fit.log_every = 1;
  tiny.problem.options.l1 = 0.02;
  pf_fit *fit = run(&tiny.problem);
  cr_assert(fit->n_groups == 2);
  plain_fit(&tiny.problem, 1, theta, &first_mean);
  for (int i = 0; i < 5; i++) {
    /* measured 2e-17: the two Adams round differently */
    cr_expect(fabs(fit->groups[1].values[i] - theta[i]) < 1e-14, "%g %g", fit->groups[1].values[i],
              theta[i]);
  }
  cr_expect(fit->groups[1].rows[1].epoch == 1);
  cr_expect(fabs(fit->groups[1].rows[1].objective - first_mean) < 1e-14);
  cr_expect(fit->groups[1].rows[1].data_term < fit->groups[1].rows[1].objective);
  /* two units of two draws: every pass, the start's, and the look at the last step */
  cr_expect(fit->n_gradients == 2 * 2 * (tiny.problem.settings->fit.epochs + 2), "%lld",
            (long long)fit->n_gradients);
  pf_fit_free(&tiny.problem, fit);
  tiny_problem_free(&tiny);
}

Test(fit_run, rows_are_the_start_every_so_often_and_the_last)
{
  static const int64_t epochs[] = {0, 3, 6, 7};
  tiny_problem tiny;
  tiny_problem_create(&tiny, TINY_CHOICE, 1);
  pf_fit *fit = run(&tiny.problem); /* 7 epochs, a row every 3 */
  const pf_fit_group *unit = &fit->groups[0];
  cr_assert(unit->n_rows == 4);
  for (int r = 0; r < 4; r++) {
    cr_expect(unit->rows[r].epoch == epochs[r]);
  }
  cr_expect(memcmp(unit->row_values, unit->values_start, 5 * sizeof(double)) == 0);
  cr_expect(memcmp(unit->row_values + 15, unit->values, 5 * sizeof(double)) == 0);
  cr_expect(strcmp(unit->name, "Fly1") == 0);
  pf_fit_free(&tiny.problem, fit);
  tiny_problem_free(&tiny);
}

Test(fit_run, same_bits_for_any_number_of_threads)
{
  for (int shared = 0; shared < 2; shared++) {
    double one[5 * 5];
    for (int n = 1; n <= 3; n++) {
      tiny_problem tiny;
      tiny_problem_create(&tiny, TINY_CHOICE, 5);
      tiny.problem.options.n_threads = n;
      tiny.problem.options.per = shared ? PF_FIT_SHARED : PF_FIT_PER_ANIMAL;
      tiny.problem.settings->fit.batch = shared ? PF_BATCH_FULL : PF_BATCH_DRAW;
      pf_fit *fit = run(&tiny.problem);
      cr_assert(fit->n_groups == (shared ? 1 : 5));
      for (size_t u = 0; u < fit->n_groups; u++) {
        if (n == 1) {
          memcpy(&one[5 * u], fit->groups[u].values, 5 * sizeof(double));
        }
        cr_expect(memcmp(&one[5 * u], fit->groups[u].values, 5 * sizeof(double)) == 0,
                  "%d threads, unit %zu", n, u);
      }
      pf_fit_free(&tiny.problem, fit);
      tiny_problem_free(&tiny);
    }
  }
}

Test(fit_run, shared_lists_draws_draw_by_draw)
{
  tiny_problem tiny;
  tiny_problem_create(&tiny, TINY_CHOICE, 3);
  tiny.problem.options.per = PF_FIT_SHARED;
  pf_fit *fit = run(&tiny.problem);
  cr_assert(fit->n_groups == 1);
  cr_assert(fit->groups[0].n_draws == 6);
  cr_expect(strcmp(fit->groups[0].name, "all") == 0);
  for (size_t k = 0; k < 6; k++) {
    cr_expect(fit->groups[0].draws[k]->recording == &tiny.problem.data.recordings[k % 3]);
  }
  pf_fit_free(&tiny.problem, fit);
  tiny_problem_free(&tiny);
}

Test(fit_run, fitting_lowers_the_objective)
{
  tiny_problem tiny;
  tiny_problem_create(&tiny, TINY_ACTIVITY, 2);
  tiny.problem.settings->fit.epochs = 100;
  tiny.problem.settings->fit.batch = PF_BATCH_FULL;
  pf_fit *fit = run(&tiny.problem);
  for (size_t u = 0; u < 2; u++) {
    const pf_fit_group *unit = &fit->groups[u];
    cr_expect(unit->rows[unit->n_rows - 1].objective < 0.5 * unit->rows[0].objective, "%g %g",
              unit->rows[0].objective, unit->rows[unit->n_rows - 1].objective);
  }
  pf_fit_free(&tiny.problem, fit);
  tiny_problem_free(&tiny);
}

/* An animal with infinite inputs cannot be simulated; the others are fitted as if it were not
 * there. */
Test(fit_run, a_fit_that_fails_is_marked_and_the_others_finish)
{
  for (int n_threads = 1; n_threads <= 2; n_threads++) {
    tiny_problem tiny;
    tiny_problem_create(&tiny, TINY_CHOICE, 3);
    tiny.problem.options.n_threads = n_threads;
    pf_fit *good = run(&tiny.problem);
    pf_recording *recording = &tiny.problem.data.recordings[1];
    for (int64_t i = 0; i < recording->n_steps * recording->n_input; i++) {
      recording->cue[i] *= INFINITY;
    }
    pf_fit *fit = run(&tiny.problem);
    cr_expect(fit->n_failed == 1);
    cr_expect(fit->groups[1].status > 0);
    cr_expect(strstr(fit->groups[1].error.text, "epoch") != NULL, "%s", fit->groups[1].error.text);
    for (int i = 0; i < 5; i++) {
      cr_expect(isfinite(fit->groups[1].values[i]));
    }
    for (size_t u = 0; u < 3; u += 2) {
      cr_expect(fit->groups[u].status == PF_OK);
      cr_expect(memcmp(fit->groups[u].values, good->groups[u].values, 5 * sizeof(double)) == 0);
    }
    pf_fit_free(&tiny.problem, fit);
    pf_fit_free(&tiny.problem, good);
    tiny_problem_free(&tiny);
  }
}

Test(fit_run, a_step_to_where_nothing_has_a_value_is_taken_back)
{
  tiny_problem tiny;
  tiny_problem_create(&tiny, TINY_CHOICE, 1);
  tiny.problem.settings->fit.learning_rate =
      1e200; /* one step, and x r with such a coefficient overflows */
  pf_fit *fit = run(&tiny.problem);
  cr_expect(fit->n_failed == 0 && fit->groups[0].optimum.n_backs > 0);
  cr_expect(pf_fit_verdict(&fit->groups[0]) == PF_FIT_PASSES_DONE);
  cr_expect(isfinite(fit->groups[0].optimum.objective));
  pf_fit_free(&tiny.problem, fit);
  tiny_problem_free(&tiny);
}

Test(fit_run, nothing_to_fit_is_an_error)
{
  tiny_problem tiny;
  pf_error error = pf_error_none();
  pf_fit *fit = NULL;
  tiny_problem_create(&tiny, TINY_CHOICE, 0);
  cr_expect(pf_fit_run(&tiny.problem, NULL, NULL, NULL, &fit, &error) == PF_STOP);
  cr_expect(fit == NULL);
  cr_expect(strstr(error.text, "nothing to fit") != NULL, "%s", error.text);
  tiny_problem_free(&tiny);
}

typedef struct told {
  int calls;
  double last;
} told;

static void tell(void *payload, double done, const char *what)
{
  told *t = payload;
  cr_expect(strcmp(what, "fitting") == 0);
  cr_expect(done >= t->last && done <= 1.0);
  t->last = done;
  t->calls++;
}

Test(fit_run, progress_starts_at_nothing_and_ends_at_all)
{
  tiny_problem tiny;
  pf_error error = pf_error_none();
  pf_fit *fit = NULL;
  told t = {0};
  tiny_problem_create(&tiny, TINY_CHOICE, 2);
  cr_assert(pf_fit_run(&tiny.problem, tell, NULL, &t, &fit, &error) == PF_OK);
  cr_expect(t.calls >= 2);
  cr_expect(t.last == 1.0);
  pf_fit_free(&tiny.problem, fit);
  tiny_problem_free(&tiny);
}

typedef struct stopper {
  int asked, stop_at; /* the ask that is answered with yes, from 1 */
} stopper;

static bool stop(void *payload)
{
  stopper *s = payload;
  return ++s->asked >= s->stop_at;
}

/* Two draws a pass, one step each; asked once before each, and at the start too. */
Test(fit_run, interrupted_it_keeps_the_last_theta_that_was_looked_at)
{
  tiny_problem tiny;
  tiny_problem_create(&tiny, TINY_CHOICE, 1);
  pf_error error = pf_error_none();
  pf_fit *stopped = NULL;
  stopper s = {.stop_at = 6}; /* two at the start, two in epoch 1, the second of epoch 2 */
  tiny.problem.settings->fit.epochs = 10;
  tiny.problem.settings->draws = 2;
  tiny.problem.settings->fit.batch = PF_BATCH_DRAW;
  cr_assert(pf_fit_run(&tiny.problem, NULL, stop, &s, &stopped, &error) == PF_OK, "%s", error.text);
  cr_expect(s.asked == 6);
  cr_expect(stopped->n_failed == 1 && stopped->n_interrupted == 1 &&
            stopped->groups[0].interrupted);
  cr_expect(stopped->groups[0].status == PF_POINT_FAILED);
  cr_expect_str_eq(stopped->groups[0].error.text, "interrupted in epoch 2 of 10");
  tiny.problem.settings->fit.epochs = 1;
  pf_fit *whole = run(&tiny.problem);
  cr_expect(whole->n_interrupted == 0 && !whole->groups[0].interrupted);
  cr_expect(memcmp(stopped->groups[0].values, whole->groups[0].values, 5 * sizeof(double)) == 0);
  cr_expect(
      memcmp(stopped->groups[0].values, stopped->groups[0].values_start, 5 * sizeof(double)) != 0);
  pf_fit_free(&tiny.problem, whole);
  pf_fit_free(&tiny.problem, stopped);
  tiny_problem_free(&tiny);
}

Test(fit_run, interrupted_it_leaves_finished_units_alone)
{
  tiny_problem tiny;
  tiny_problem_create(&tiny, TINY_CHOICE, 3);
  pf_error error = pf_error_none();
  pf_fit *stopped = NULL;
  tiny.problem.settings->fit.epochs = 4;
  tiny.problem.settings->draws = 1;
  tiny.problem.options.n_threads = 1;
  stopper s = {.stop_at = 1 + 4 + 1 + 2}; /* in epoch 2 of the second unit */
  cr_assert(pf_fit_run(&tiny.problem, NULL, stop, &s, &stopped, &error) == PF_OK, "%s", error.text);
  cr_expect(stopped->n_interrupted == 2);
  cr_expect(stopped->groups[0].status == PF_OK && !stopped->groups[0].interrupted);
  cr_expect_str_eq(stopped->groups[1].error.text, "interrupted in epoch 2 of 4");
  cr_expect_str_eq(stopped->groups[2].error.text, "interrupted in epoch 0 of 4");
  cr_expect(
      memcmp(stopped->groups[2].values, stopped->groups[2].values_start, 5 * sizeof(double)) == 0);
  pf_fit *whole = run(&tiny.problem);
  cr_expect(memcmp(stopped->groups[0].values, whole->groups[0].values, 5 * sizeof(double)) == 0);
  pf_fit_free(&tiny.problem, whole);
  pf_fit_free(&tiny.problem, stopped);
  tiny_problem_free(&tiny);
}

static void take_lm(tiny_problem *tiny, int64_t draws)
{
  pf_error error = pf_error_none();
  pf_fit_settings *fit = &tiny->problem.settings->fit;
  pf_memory_free(fit->optimiser);
  fit->optimiser = pf_memory_string("lm", &error);
  fit->iterations = 200;
  fit->tolerance_nats = 1e-8;
  fit->starts = 1;
  fit->spread = 1.0;
  tiny->problem.settings->draws = draws;
}

/* Many draws begin with few, unless evaluations are limited: the same optimum, in fewer steps with
 * all of them. */
Test(fit_run, few_draws_lead_to_the_optimum_of_all)
{
  pf_fit *fits[2];
  tiny_problem tiny;
  tiny_problem_create(&tiny, TINY_CHOICE, 1);
  take_lm(&tiny, 15);
  for (int plain = 0; plain < 2; plain++) {
    tiny.problem.settings->fit.evaluations = plain ? 1000 : 0;
    fits[plain] = run(&tiny.problem);
    const pf_fit_group *unit = &fits[plain]->groups[0];
    cr_assert(unit->status == PF_OK && unit->optimum.converged);
    cr_expect((int64_t)unit->n_rows == unit->optimum.iterations + 1);
    cr_expect(unit->rows[0].objective == unit->optimum.start);
    cr_expect(memcmp(unit->row_values, unit->values_start, 5 * sizeof(double)) == 0);
    for (size_t r = 0; r < unit->n_rows; r++) {
      cr_expect(unit->rows[r].epoch == (int64_t)r);
    }
  }
  const pf_fit_group *few = &fits[0]->groups[0], *all = &fits[1]->groups[0];
  cr_expect(fabs(few->optimum.start - all->optimum.start) < 1e-6 * all->optimum.start);
  cr_expect(few->optimum.curvatures < all->optimum.curvatures, "%lld, %lld",
            (long long)few->optimum.curvatures, (long long)all->optimum.curvatures);
  const double room = sizeof(pf_real) == sizeof(double) ? 1e-9 : 1e-5;
  cr_expect(fabs(few->optimum.objective - all->optimum.objective) < room, "%.3g apart",
            few->optimum.objective - all->optimum.objective);
  pf_fit_free(&tiny.problem, fits[0]);
  pf_fit_free(&tiny.problem, fits[1]);
  tiny_problem_free(&tiny);
}

/* From a better point a fit goes on, and what it finds is taken; from one that leads nowhere
 * better, it is not. */
Test(fit_run, improves_from_a_better_point)
{
  tiny_problem tiny;
  pf_error error = pf_error_none();
  tiny_problem_create(&tiny, TINY_CHOICE, 1);
  take_lm(&tiny, 2);
  pf_fit *whole = run(&tiny.problem);
  tiny.problem.settings->fit.iterations = 1;
  pf_fit *stopped = run(&tiny.problem);
  tiny.problem.settings->fit.iterations = 200;
  pf_fit_group *unit = &stopped->groups[0];
  const pf_optimum before = unit->optimum;
  const size_t n_rows = unit->n_rows;
  cr_assert(!before.converged && before.objective > whole->groups[0].optimum.objective);
  for (int again = 0; again < 2; again++) { /* the second time there is nothing better */
    cr_assert(pf_fit_improve(&tiny.problem, unit, whole->groups[0].values, &(pf_observer){0},
                             &error) == PF_OK);
    cr_expect(unit->n_improved == 1);
    cr_expect(unit->optimum.converged);
    /* to the rounding of F in single precision */
    const double best = whole->groups[0].optimum.objective;
    cr_expect(unit->optimum.objective <= best + (sizeof(pf_real) == 4 ? 1e-6 * fabs(best) : 0.0));
    cr_expect(unit->n_rows > n_rows &&
              unit->rows[n_rows].epoch == unit->rows[n_rows - 1].epoch + 1);
    cr_expect(memcmp(unit->row_values + (unit->n_rows - 1) * 5, unit->values, 5 * sizeof(double)) ==
              0);
    cr_expect((int64_t)unit->n_rows == unit->optimum.iterations + 1);
    cr_expect(memcmp(unit->starts[unit->best].values, unit->values, 5 * sizeof(double)) == 0);
  }
  pf_fit_free(&tiny.problem, whole);
  pf_fit_free(&tiny.problem, stopped);
  tiny_problem_free(&tiny);
}
