/*
 * core/infer on a whole problem: information against differences of gradients, what may not be
 * inferred, and threads. Standard errors against regressions are in tests/e2e/inference.py.
 */
#include "core/base/memory.h"
#include "core/infer/improve.h"
#include "core/intervals/interval_method.h"
#include "core/uncertainty/evidence.h"
#include "tests/unit/support/tiny_problem.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

typedef struct run {
  tiny_problem tiny;
  pf_fit *fit;
  pf_inference *inference;
} run;

static void infer(run *r)
{
  pf_error error = pf_error_none();
  cr_assert(pf_infer(&r->tiny.problem, r->fit, &(pf_observer){0}, &r->inference, &error) == PF_OK,
            "%s", error.text);
}

static void want(pf_problem *problem, const char *method, bool wanted)
{
  const uint32_t m = pf_interval_method_find(method);
  cr_assert(m < PF_N_INTERVAL_METHODS && strcmp(pf_interval_method_name(m), method) == 0);
  problem->settings->intervals.methods[m] = wanted;
}

static void start(run *r, enum tiny_loss loss, int n_animals, int n_threads)
{
  pf_error error = pf_error_none();
  tiny_problem_create(&r->tiny, loss, n_animals);
  pf_problem *problem = &r->tiny.problem;
  pf_memory_free(problem->settings->fit.optimiser);
  problem->settings->fit.optimiser = pf_memory_string("lm", &error);
  problem->settings->fit.iterations = 200;
  problem->settings->fit.tolerance_nats = 1e-8;
  problem->options.n_threads = n_threads;
  problem->settings->intervals =
      (pf_interval_settings){.level = 0.9, .block = 5, .rank_tolerance = 1e-11, .max_values = 100};
  want(problem, "fisher", true);
  want(problem, "sandwich", true);
  cr_assert(pf_fit_run(problem, NULL, NULL, NULL, &r->fit, &error) == PF_OK, "%s", error.text);
}

static void finish(run *r)
{
  pf_inference_free(r->inference);
  pf_fit_free(&r->tiny.problem, r->fit);
  tiny_problem_free(&r->tiny);
}

/* Where the model is right and there is no noise, the Gauss-Newton matrix is the Hessian: of SSE /
 * 2, as sigma is not to be told. Differences are taken in double precision only: rounding of floats
 * over a step of 1e-4 hides them. */
Test(infer, information_against_differences_of_gradients)
{
  run r = {0};
  pf_error error = pf_error_none();
  start(&r, TINY_ACTIVITY, 1, 1);
  pf_fit_group *unit = &r.fit->groups[0];
  const size_t n = unit->layout->n;
  const double truth[5] = {0.0, 0.0, -0.05, 0.0, 1.0}; /* 1, r, w, x, x r */
  cr_assert(n == 5);
  memcpy(unit->values, truth, sizeof truth);
  unit->optimum.converged = true;
  infer(&r);
  const pf_inference_group *out = &r.inference->groups[0];
  cr_assert(out->why == NULL, "%s", out->why);
  const pf_intervals *fisher = &out->methods[pf_interval_method_find("fisher")];
  cr_expect(!fisher->there && fisher->why != NULL);
  cr_expect(out->verdict[0] == PF_IDENTIFIED && out->verdict[4] == PF_IDENTIFIED);

  pf_workspace *workspace = NULL;
  pf_evidence evidence;
  pf_group_objective *function = NULL;
  cr_assert(pf_workspace_create(r.tiny.problem.model, unit->draws[0]->n_steps, &workspace,
                                &error) == PF_OK);
  cr_assert(pf_evidence_create(&r.tiny.problem, unit, unit->values, (pf_workspaces){&workspace, 1},
                               &evidence, &error) == PF_OK);
  const pf_group_objective_in in = {.problem = &r.tiny.problem,
                                    .layout = unit->layout,
                                    .batches = &evidence.batches,
                                    .workspaces = &workspace,
                                    .n_workspaces = 1};
  cr_assert(pf_group_objective_create(&in, &function, &error) == PF_OK);
  const pf_function *f = pf_group_objective_get(function);
  for (size_t k = 0; k < n && sizeof(pf_real) == sizeof(double); k++) {
    const double step = 1e-4;
    double up[5], down[5], v[5], value = 0.0;
    memcpy(v, truth, sizeof v);
    v[k] = truth[k] + step;
    cr_assert(f->value(f->self, v, &value, up, &error) == PF_OK);
    v[k] = truth[k] - step;
    cr_assert(f->value(f->self, v, &value, down, &error) == PF_OK);
    for (size_t j = 0; j < n; j++) {
      const double found = out->information[k * n + j];
      const double expected = (up[j] - down[j]) / (2.0 * step);
      const double size = sqrt(out->information[k * n + k] * out->information[j * n + j]);
      cr_expect(fabs(found - expected) < 1e-4 * size, "%zu %zu: %g, by differences %g", k, j, found,
                expected);
    }
  }
  pf_group_objective_free(function);
  pf_evidence_clear(&evidence);
  pf_workspace_free(workspace);
  finish(&r);
}

Test(infer, same_bits_on_any_number_of_threads)
{
  run one = {0}, three = {0};
  start(&one, TINY_CHOICE, 4, 1);
  start(&three, TINY_CHOICE, 4, 3);
  infer(&one);
  infer(&three);
  for (size_t u = 0; u < 4; u++) {
    const pf_inference_group *a = &one.inference->groups[u], *b = &three.inference->groups[u];
    cr_assert(a->n == 5 && b->n == 5 && (a->why == NULL) == (b->why == NULL));
    if (a->why == NULL) {
      cr_expect(memcmp(a->covariance, b->covariance, 25 * sizeof(double)) == 0);
      for (size_t m = 0; m < 2; m++) {
        cr_assert(a->methods[m].there && b->methods[m].there);
        cr_expect(memcmp(a->methods[m].se, b->methods[m].se, 5 * sizeof(double)) == 0);
      }
    }
  }
  finish(&one);
  finish(&three);
}

Test(infer, nothing_from_a_fit_that_did_not_converge_nor_a_penalised_one)
{
  run r = {0};
  start(&r, TINY_CHOICE, 2, 1);
  r.fit->groups[0].optimum.converged = false;
  infer(&r);
  cr_expect(r.inference->groups[0].why != NULL &&
            strstr(r.inference->groups[0].why, "did not converge") != NULL);
  pf_inference_free(r.inference);
  r.inference = NULL;
  r.fit->groups[0].optimum.converged = true;
  r.tiny.problem.options.l2 = 0.1;
  infer(&r);
  for (size_t u = 0; u < 2; u++) {
    cr_expect(r.inference->groups[u].why != NULL &&
              strstr(r.inference->groups[u].why, "penalty") != NULL);
    cr_expect(r.inference->groups[u].covariance == NULL);
  }
  pf_inference_free(r.inference);
  r.inference = NULL;
  want(&r.tiny.problem, "fisher", false);
  want(&r.tiny.problem, "sandwich", false);
  infer(&r);
  cr_expect(r.inference->n_groups == 0);
  finish(&r);
}

/* Each method has a descriptor under its name, in the order of the names. */
Test(infer, methods_have_descriptors)
{
  bool asked[PF_N_INTERVAL_METHODS];
  const pf_interval_settings automatic = {.automatic = true};
  pf_infer_methods(&automatic, asked);
  for (uint32_t m = 0; m < PF_N_INTERVAL_METHODS; m++) {
    cr_expect(strcmp(pf_interval_methods[m]->name, pf_interval_method_name(m)) == 0);
    cr_expect(pf_interval_methods[m]->compute != NULL);
    cr_expect(asked[m] == pf_interval_methods[m]->joins_automatic);
  }
  cr_expect(pf_interval_method_find("wald") == PF_N_INTERVAL_METHODS);
  cr_expect(strcmp(pf_interval_method_name(PF_N_INTERVAL_METHODS), "") == 0);
}

/* What was forgotten is inferred again, to the same bits; what was not stays as it is. */
Test(infer, again_where_it_was_forgotten)
{
  run r = {0};
  double before[5];
  start(&r, TINY_CHOICE, 2, 1);
  infer(&r);
  pf_inference_group *groups = r.inference->groups;
  const double *kept = groups[1].covariance;
  cr_assert(groups[0].n == 5 && groups[0].why == NULL && kept != NULL);
  memcpy(before, groups[0].covariance, sizeof before);
  pf_inference_forget(&groups[0]);
  cr_assert(groups[0].group == NULL && groups[0].covariance == NULL);
  infer(&r);
  cr_assert(r.inference->groups == groups && groups[1].covariance == kept);
  cr_expect(memcmp(before, groups[0].covariance, sizeof before) == 0);
  finish(&r);
}

/* A profile that falls below the fit hands its point back: the fit is not touched, and gets better
 * from there. */
Test(infer, a_better_optimum_is_handed_back)
{
  run r = {0};
  pf_error error = pf_error_none();
  const pf_observer nobody = {0};
  start(&r, TINY_CHOICE, 1, 1);
  pf_fit_group *group = &r.fit->groups[0];
  const double objective = group->optimum.objective;
  double off[5];
  for (size_t k = 0; k < 5; k++) { /* no optimum, though it says so */
    off[k] = group->values[k] *= 0.5;
  }
  group->optimum.objective = INFINITY;
  want(&r.tiny.problem, "profile", true);
  infer(&r);
  const pf_inference_group *out = &r.inference->groups[0];
  cr_assert(out->better != NULL && out->why != NULL);
  cr_expect(memcmp(off, group->values, sizeof off) == 0);
  pf_inference_free(r.inference);
  r.inference = NULL;
  cr_assert(pf_infer_and_improve(&r.tiny.problem, r.fit, &nobody, &r.inference, &error) == PF_OK,
            "%s", error.text);
  out = &r.inference->groups[0];
  cr_expect(group->n_improved >= 1 && out->better == NULL && out->why == NULL, "%s", out->why);
  cr_expect(group->optimum.converged && group->optimum.objective < objective + 1e-9, "%g, was %g",
            group->optimum.objective, objective);
  cr_expect(out->n_warnings > 0 && out->is_global);
  finish(&r);
}

Test(infer, words)
{
  cr_expect(strcmp(pf_verdict_words(PF_IDENTIFIED), "identified") == 0);
  cr_expect(strcmp(pf_verdict_words(PF_PRACTICALLY_NOT), "practically not identified") == 0);
  cr_expect(
      strcmp(pf_verdict_words(PF_NOT_IDENTIFIED_BY_DESIGN), "not identified by this design") == 0);
}
