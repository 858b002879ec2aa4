/*
 * Optimisers on functions whose minima are known. Tolerances: lm ends where rounding does (1e-10
 * and better where H is regular); lbfgs and owlqn where progress is 1e-12 of F, so values are right
 * to about the root of that.
 */
#include "core/base/memory.h"
#include "core/base/random.h"
#include "tests/unit/optimise/functions.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static pf_optimum run(const pf_optimiser *optimiser, residuals *self, double *v)
{
  const pf_function function = residuals_function(self);
  const pf_optimiser_settings settings = test_settings();
  pf_error error = pf_error_none();
  pf_optimum out;
  cr_assert(optimiser->minimise(&function, &settings, NULL, v, &out, &error) == PF_OK, "%s",
            error.text);
  return out;
}

static void expect_near(const double *v, const double *expected, size_t n, double tolerance,
                        const char *what)
{
  for (size_t i = 0; i < n; i++) {
    cr_expect(fabs(v[i] - expected[i]) <= tolerance, "%s: value %zu is %.17g, expected %g", what, i,
              v[i], expected[i]);
  }
}

Test(optimisers, by_name)
{
  static const char *const names[] = {"lm", "lbfgs", "owlqn", "adam"};
  for (size_t i = 0; i < 4; i++) {
    cr_assert(pf_optimiser_find(names[i]) != NULL);
    cr_expect_str_eq(pf_optimiser_find(names[i])->name, names[i]);
  }
  cr_expect(pf_optimiser_find("sgd") == NULL);
}

Test(optimisers, rosenbrock)
{
  static const double minimum[] = {1.0, 1.0};
  static const struct {
    const pf_optimiser *optimiser;
    double tolerance;
    int64_t most; /* iterations; measured 20, 35, 35 */
  } cases[] = {{&pf_optimiser_lm, 1e-12, 40},
               {&pf_optimiser_lbfgs, 1e-7, 70},
               {&pf_optimiser_owlqn, 1e-7, 70}};
  for (size_t c = 0; c < 3; c++) {
    residuals self;
    double v[] = {-1.2, 1.0};
    residuals_start(&self, 2, 2, rosenbrock);
    const pf_optimum out = run(cases[c].optimiser, &self, v);
    expect_near(v, minimum, 2, cases[c].tolerance, cases[c].optimiser->name);
    cr_expect(out.converged && out.iterations <= cases[c].most, "%s: %lld iterations, %s",
              cases[c].optimiser->name, (long long)out.iterations, pf_reason_words(out.reason));
    cr_expect(fabs(out.start - 12.1) < 1e-13, "%.17g", out.start);
    cr_expect(out.evaluations == self.calls);
  }
}

/* H is singular at the minimum, where every method is slow: each step of Newton halves the
 * distance. */
Test(optimisers, powell_singular_function)
{
  residuals self;
  double v[] = {3.0, -1.0, 0.0, 1.0};
  residuals_start(&self, 4, 4, powell_singular);
  const pf_optimum out = run(&pf_optimiser_lm, &self, v);
  cr_expect(out.objective < 1e-18, "%g", out.objective);
  for (int i = 0; i < 4; i++) {
    cr_expect(fabs(v[i]) < 1e-4, "%g", v[i]);
  }
}

Test(optimisers, a_singular_matrix_everywhere)
{
  residuals self;
  double v[] = {10.0, 0.0, 0.0};
  residuals_start(&self, 3, 2, duplicate);
  const pf_optimum out = run(&pf_optimiser_lm, &self, v);
  cr_expect(out.converged);
  cr_expect(fabs(v[0] + v[1] - 3.0) < 1e-10 && fabs(v[2] - 1.0) < 1e-10, "%g %g %g", v[0], v[1],
            v[2]);
}

/* Unconstrained minimum (1, -2, 3, -4); with bounds the minimum satisfies the conditions of Karush,
 * Kuhn and Tucker. */
Test(optimisers, bounds_that_are_active_at_the_optimum)
{
  const pf_optimiser *const all[] = {&pf_optimiser_lm, &pf_optimiser_lbfgs};
  double found[2][4];
  for (size_t c = 0; c < 2; c++) {
    residuals self;
    double v[] = {0.5, 0.0, 0.0, 0.0};
    residuals_start(&self, 4, 6, linear_system);
    self.lower[1] = -1.0;
    self.lower[0] = 0.0;
    self.upper[0] = 0.75;
    self.upper[3] = 5.0;
    const pf_optimum out = run(all[c], &self, v);
    cr_expect(out.converged, "%s: %s", all[c]->name, pf_reason_words(out.reason));
    cr_expect(out.gradient_norm < (c == 0 ? 1e-13 : 1e-5), "%s: %g", all[c]->name,
              out.gradient_norm);
    memcpy(found[c], v, sizeof v);
  }
  cr_expect(found[0][0] == 0.75, "%.17g", found[0][0]); /* lm stands on the bound itself */
  expect_near(found[1], found[0], 4, 2e-3,
              "lbfgs against lm"); /* condition number 1e6: F agrees far better */
}

/* minimise (v - c)^2 h / 2 + l1 |v| per value: the minimum is soft thresholding, known in closed
 * form */
static bool separable(const double *v, double *r, double *jacobian)
{
  static const double center[] = {2.0, -1.0, 0.3, -0.3, 4.0};
  static const double root[] = {1.0, 2.0, 1.0, 3.0, 0.5};
  for (int i = 0; i < 5; i++) {
    r[i] = root[i] * (v[i] - center[i]);
    jacobian[5 * i + i] = root[i];
  }
  return true;
}

Test(optimisers, an_l1_penalty_with_a_known_solution)
{
  static const double minimum[] = {1.5, -0.875, 0.0, -0.3 + 1.0 / 9.0, 0.0};
  const pf_optimiser *const all[] = {&pf_optimiser_lm, &pf_optimiser_owlqn};
  for (size_t c = 0; c < 2; c++) {
    residuals self;
    double v[] = {0.0, 1.0, -1.0, 0.1, 1.0};
    residuals_start(&self, 5, 5, separable);
    const double l1[] = {0.5, 0.5, 0.5, 1.0, 2.0};
    memcpy(self.l1, l1, sizeof l1);
    const pf_optimum out = run(all[c], &self, v);
    cr_expect(out.converged, "%s: %s", all[c]->name, pf_reason_words(out.reason));
    expect_near(v, minimum, 5, c == 0 ? 1e-13 : 1e-6, all[c]->name);
    cr_expect(v[2] == 0.0 && v[4] == 0.0, "%s: %g %g", all[c]->name, v[2], v[4]);
    cr_expect(out.gradient_norm < (c == 0 ? 1e-13 : 1e-5), "%s: %g", all[c]->name,
              out.gradient_norm);
  }
}

/* The same drawn to a centre c is the same problem in v - c. */
Test(optimisers, an_l1_penalty_may_have_another_centre)
{
  static const double center[] = {1.0, 0.0, 0.2, 0.0, 0.0};
  static const double minimum[] = {1.5, -0.875, 0.2, -0.3 + 1.0 / 9.0, 0.0};
  const pf_optimiser *const all[] = {&pf_optimiser_lm, &pf_optimiser_owlqn};
  for (size_t c = 0; c < 2; c++) {
    residuals self;
    double v[] = {0.0, 1.0, -1.0, 0.1, 1.0};
    pf_error error = pf_error_none();
    pf_optimum out;
    const pf_optimiser_settings settings = test_settings();
    residuals_start(&self, 5, 5, separable);
    const double l1[] = {0.5, 0.5, 0.5, 1.0, 2.0};
    memcpy(self.l1, l1, sizeof l1);
    pf_function function = residuals_function(&self);
    function.center = center;
    cr_assert(all[c]->minimise(&function, &settings, NULL, v, &out, &error) == PF_OK);
    cr_expect(out.converged);
    expect_near(v, minimum, 5, c == 0 ? 1e-13 : 1e-6, all[c]->name);
  }
}

/* L1 on a coupled problem: both methods agree, and what is 0 is exactly 0. */
Test(optimisers, an_l1_penalty_on_a_coupled_problem)
{
  double found[2][4];
  double objective[2];
  const pf_optimiser *const all[] = {&pf_optimiser_lm, &pf_optimiser_owlqn};
  for (size_t c = 0; c < 2; c++) {
    residuals self;
    double v[] = {0.5, -0.5, 0.5, -0.5};
    residuals_start(&self, 4, 6, linear_system);
    for (int i = 0; i < 4; i++) {
      self.l1[i] = 1e-2;
    }
    objective[c] = run(all[c], &self, v).objective;
    memcpy(found[c], v, sizeof v);
  }
  cr_expect(objective[0] <= objective[1] && objective[1] < 1.01 * objective[0], "%.17g %.17g",
            objective[0], objective[1]);
  int zeros = 0;
  for (int i = 0; i < 4; i++) {
    zeros += found[0][i] == 0.0;
  }
  cr_expect(zeros >= 1);
}

enum { N_TRIALS = 400, N_REGRESSORS = 3 };

/* Logistic regression by Fisher scoring: not a sum of squares. */
typedef struct regression {
  double x[N_TRIALS][N_REGRESSORS], y[N_TRIALS];
} regression;

static pf_status logistic(void *self, const double *v, double *f, double *g, double *h,
                          pf_error *error)
{
  const regression *data = self;
  (void)error;
  *f = 0.0;
  memset(g, 0, N_REGRESSORS * sizeof *g);
  for (size_t i = 0; h != NULL && i < N_REGRESSORS * N_REGRESSORS; i++) {
    h[i] = 0.0;
  }
  for (size_t t = 0; t < N_TRIALS; t++) {
    double z = 0.0;
    for (size_t i = 0; i < N_REGRESSORS; i++) {
      z += v[i] * data->x[t][i];
    }
    const double p = 1.0 / (1.0 + exp(-z));
    *f += (log1p(exp(-fabs(z))) + fmax(z, 0.0) - data->y[t] * z) / N_TRIALS;
    for (size_t i = 0; i < N_REGRESSORS; i++) {
      g[i] += (p - data->y[t]) * data->x[t][i] / N_TRIALS;
      for (size_t j = 0; h != NULL && j < N_REGRESSORS; j++) {
        h[i * N_REGRESSORS + j] += p * (1.0 - p) * data->x[t][i] * data->x[t][j] / N_TRIALS;
      }
    }
  }
  return PF_OK;
}

static pf_status logistic_value(void *self, const double *v, double *f, double *g, pf_error *error)
{
  double unused[N_REGRESSORS];
  return logistic(self, v, f, g != NULL ? g : unused, NULL, error);
}

Test(optimisers, logistic_regression_by_fisher_scoring)
{
  static regression data;
  static const double truth[] = {0.5, -1.0, 2.0};
  static const double lower[] = {-INFINITY, -INFINITY, -INFINITY};
  static const double upper[] = {INFINITY, INFINITY, INFINITY};
  pf_random_normal((pf_stream){.seed = 3, .purpose = PF_RANDOM_TEST}, 0, N_TRIALS * N_REGRESSORS,
                   &data.x[0][0]);
  pf_random_uniform((pf_stream){.seed = 4, .purpose = PF_RANDOM_TEST}, 0, N_TRIALS, data.y);
  for (size_t t = 0; t < N_TRIALS; t++) {
    const double z = truth[0] * data.x[t][0] + truth[1] * data.x[t][1] + truth[2] * data.x[t][2];
    data.y[t] = data.y[t] < 1.0 / (1.0 + exp(-z)) ? 1.0 : 0.0;
  }
  const pf_function function = {.self = &data,
                                .n = N_REGRESSORS,
                                .lower = lower,
                                .upper = upper,
                                .value = logistic_value,
                                .curvature = logistic,
                                .noise = 1e-14};
  const pf_optimiser_settings settings = test_settings();
  double v[N_REGRESSORS] = {0.0, 0.0, 0.0};
  pf_error error = pf_error_none();
  pf_optimum out;
  cr_assert(pf_optimiser_lm.minimise(&function, &settings, NULL, v, &out, &error) == PF_OK);
  cr_expect(out.converged && out.iterations <= 12, "%lld: %s", (long long)out.iterations,
            pf_reason_words(out.reason));
  cr_expect(out.gradient_norm < 1e-9, "%g", out.gradient_norm);
  expect_near(v, truth, 3, 0.5, "logistic regression"); /* standard errors are about 0.15 */
}

Test(optimisers, a_saddle_is_left)
{
  residuals self;
  double v[] = {0.0, 1.0}; /* on the ridge: every step of lm stays on it */
  residuals_start(&self, 2, 2, saddle);
  const pf_optimum out = run(&pf_optimiser_lm, &self, v);
  cr_expect(out.n_saddles >= 1);
  cr_expect(out.converged && out.objective < 1e-20, "%g", out.objective);
  cr_expect(fabs(fabs(v[0]) - 1.0) < 1e-10, "%g", v[0]);
}

Test(optimisers, steps_that_overflow_shrink)
{
  const pf_optimiser *const all[] = {&pf_optimiser_lm, &pf_optimiser_lbfgs, &pf_optimiser_owlqn};
  for (size_t c = 0; c < 3; c++) {
    residuals self;
    double v[] = {0.01};
    residuals_start(&self, 1, 60, overflowing);
    const pf_optimum out = run(all[c], &self, v);
    cr_expect(out.converged, "%s: %s", all[c]->name, pf_reason_words(out.reason));
    cr_expect(fabs(v[0] + 0.3) < (c == 0 ? 1e-10 : 1e-5), "%s: %.17g", all[c]->name, v[0]);
  }
}

Test(optimisers, a_start_that_overflows_is_pulled_towards_0)
{
  const pf_optimiser *const all[] = {&pf_optimiser_lm, &pf_optimiser_lbfgs};
  for (size_t c = 0; c < 2; c++) {
    residuals self;
    double v[] = {2.0};
    residuals_start(&self, 1, 60, overflowing);
    const pf_optimum out = run(all[c], &self, v);
    cr_expect(out.n_shrunk > 0 && out.n_failed > 0);
    cr_expect(fabs(v[0] + 0.3) < (c == 0 ? 1e-10 : 1e-5), "%s: %.17g", all[c]->name, v[0]);
  }
}

Test(optimisers, an_objective_that_is_no_number_anywhere_is_one_clear_line)
{
  const pf_optimiser *const all[] = {&pf_optimiser_lm, &pf_optimiser_lbfgs, &pf_optimiser_owlqn};
  for (size_t c = 0; c < 3; c++) {
    residuals self;
    double v[] = {2.0, 3.0};
    residuals_start(&self, 2, 2, never);
    const pf_function function = residuals_function(&self);
    const pf_optimiser_settings settings = test_settings();
    pf_error error = pf_error_none();
    pf_optimum out;
    cr_expect(all[c]->minimise(&function, &settings, NULL, v, &out, &error) == PF_POINT_FAILED);
    cr_expect_str_eq(error.text, "w is not finite at v0 = 2");
    cr_expect(out.reason == PF_REASON_FAILED && !out.converged);
    cr_expect(v[0] == 2.0 && v[1] == 3.0);
    cr_expect(self.calls <= 202);
  }
}

Test(optimisers, stop_of_an_op_is_passed_on)
{
  const pf_optimiser *const all[] = {&pf_optimiser_lm, &pf_optimiser_lbfgs, &pf_optimiser_owlqn};
  for (size_t c = 0; c < 3; c++) {
    for (int after = 1; after < 12; after++) {
      residuals self;
      double v[] = {-1.2, 1.0};
      residuals_start(&self, 2, 2, rosenbrock);
      self.stop_after = after;
      const pf_function function = residuals_function(&self);
      const pf_optimiser_settings settings = test_settings();
      pf_error error = pf_error_none();
      pf_optimum out;
      cr_expect(all[c]->minimise(&function, &settings, NULL, v, &out, &error) == PF_STOP);
      cr_expect_str_eq(error.text, "the disk is full");
      cr_expect(self.calls == after + 1, "%s: %d calls", all[c]->name, self.calls);
      cr_expect(out.reason == PF_REASON_FAILED);
    }
  }
}

typedef struct watcher {
  int asked, stop_at, told;
  double last;
} watcher;

static bool stop(void *payload)
{
  watcher *w = payload;
  return ++w->asked >= w->stop_at;
}

static void tell(void *payload, const pf_iterate *at)
{
  watcher *w = payload;
  cr_expect(at->iteration == w->told);
  cr_expect(at->objective <= w->last, "%g after %g", at->objective, w->last);
  w->last = at->objective;
  w->told++;
}

Test(optimisers, interrupted_they_keep_the_best)
{
  const pf_optimiser *const all[] = {&pf_optimiser_lm, &pf_optimiser_lbfgs, &pf_optimiser_owlqn};
  for (size_t c = 0; c < 3; c++) {
    residuals self;
    double v[] = {-1.2, 1.0};
    watcher w = {.stop_at = 6, .last = INFINITY};
    residuals_start(&self, 2, 2, rosenbrock);
    const pf_function function = residuals_function(&self);
    const pf_optimiser_settings settings = test_settings();
    const pf_watch watch = {.payload = &w, .stop = stop, .iterate = tell};
    pf_error error = pf_error_none();
    pf_optimum out;
    cr_expect(all[c]->minimise(&function, &settings, &watch, v, &out, &error) == PF_OK);
    cr_expect(out.reason == PF_REASON_INTERRUPTED && !out.converged);
    cr_expect(w.told == (int)out.iterations + 1);
    double f = 0.0;
    cr_expect(function.value(&self, v, &f, NULL, &error) == PF_OK);
    cr_expect(f == out.objective && f < out.start, "%s: %.17g %.17g", all[c]->name, f,
              out.objective);
  }
}

Test(optimisers, iterations_and_evaluations_are_limited)
{
  const pf_optimiser *const all[] = {&pf_optimiser_lm, &pf_optimiser_lbfgs, &pf_optimiser_owlqn};
  for (size_t c = 0; c < 3; c++) {
    residuals self;
    residuals_start(&self, 2, 2, rosenbrock);
    const pf_function function = residuals_function(&self);
    pf_optimiser_settings settings = test_settings();
    pf_error error = pf_error_none();
    pf_optimum out;
    double v[] = {-1.2, 1.0};
    settings.iterations = 3;
    cr_expect(all[c]->minimise(&function, &settings, NULL, v, &out, &error) == PF_OK);
    cr_expect(out.reason == PF_REASON_ITERATIONS && out.iterations == 3 && !out.converged);
    settings.iterations = 500;
    settings.evaluations = 7;
    double other[] = {-1.2, 1.0};
    cr_expect(all[c]->minimise(&function, &settings, NULL, other, &out, &error) == PF_OK);
    cr_expect(out.reason == PF_REASON_EVALUATIONS && out.evaluations <= 40 && !out.converged);
  }
}

Test(optimisers, what_one_cannot_do_is_refused_with_another_named)
{
  residuals self;
  double v[] = {0.5, 0.5};
  pf_error error = pf_error_none();
  pf_optimum out;
  const pf_optimiser_settings settings = test_settings();
  residuals_start(&self, 2, 2, rosenbrock);
  self.l1[1] = 0.1;
  pf_function function = residuals_function(&self);
  cr_expect(pf_optimiser_lbfgs.minimise(&function, &settings, NULL, v, &out, &error) == PF_STOP);
  cr_expect(strstr(error.text, "choose lm, owlqn or adam") != NULL, "%s", error.text);
  error = pf_error_none();
  self.lower[0] = 0.0;
  cr_expect(pf_optimiser_owlqn.minimise(&function, &settings, NULL, v, &out, &error) == PF_STOP);
  cr_expect(strstr(error.text, "choose lm") != NULL, "%s", error.text);
  error = pf_error_none();
  function.curvature = NULL;
  cr_expect(pf_optimiser_lm.minimise(&function, &settings, NULL, v, &out, &error) == PF_STOP);
  cr_expect(strstr(error.text, "choose lbfgs, owlqn or adam") != NULL, "%s", error.text);
}

/* ---- products instead of a matrix ---- */

/* A chain of residuals v_i - v_{i-1}^2 / 2 - 1 / 2 ...: 500 values, minimum 0 at all ones. */
static bool chain(const double *v, double *r, double *jacobian)
{
  enum { N = 500 };
  for (int i = 0; i < N; i++) {
    const double before = i > 0 ? v[i - 1] : 1.0;
    r[i] = v[i] - 0.25 * before * before - 0.75;
    jacobian[N * i + i] = 1.0;
    if (i > 0) {
      jacobian[N * i + i - 1] = -0.5 * before;
    }
  }
  return true;
}

static pf_status chain_product(void *self, const double *v, const double *direction, double *out,
                               pf_error *error)
{
  const residuals *s = self;
  (void)error;
  memset(out, 0, s->n * sizeof *out);
  for (size_t i = 0; i < s->n; i++) {
    const double slope = i > 0 ? -0.5 * v[i - 1] : 0.0;
    const double image = direction[i] + (i > 0 ? slope * direction[i - 1] : 0.0);
    out[i] += image;
    if (i > 0) {
      out[i - 1] += slope * image;
    }
  }
  return PF_OK;
}

Test(optimisers, products_alone_do_where_values_are_many)
{
  static residuals self;
  static double v[500];
  residuals_start(&self, 500, 500, chain);
  for (int i = 0; i < 500; i++) {
    v[i] = 0.0;
  }
  self.upper[7] = 0.9; /* an active bound */
  pf_function function = residuals_function(&self);
  const pf_optimiser_settings settings = test_settings();
  pf_error error = pf_error_none();
  pf_optimum out;
  function.curvature = NULL;
  function.l1 = NULL;
  function.product = chain_product;
  cr_assert(pf_optimiser_lm.minimise(&function, &settings, NULL, v, &out, &error) == PF_OK, "%s",
            error.text);
  cr_expect(out.converged && out.iterations < 60, "%lld: %s", (long long)out.iterations,
            pf_reason_words(out.reason));
  cr_expect(v[7] == 0.9);
  cr_expect(out.gradient_norm < 1e-6, "%g", out.gradient_norm);
  cr_expect(fabs(v[499] - 1.0) < 1e-6, "%.17g", v[499]);
}
