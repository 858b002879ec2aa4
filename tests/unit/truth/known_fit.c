#include "tests/unit/truth/known_fit.h"

#include "core/base/memory.h"

#include <criterion/criterion.h>
#include <math.h>

void known_fit_create(known_fit *known, int n_animals)
{
  pf_error error = pf_error_none();
  tiny_problem_create(&known->tiny, TINY_CHOICE, n_animals);
  pf_problem *problem = &known->tiny.problem;
  problem->settings->intervals.level = 0.95;
  known->fit = pf_memory_need(1, sizeof *known->fit, &error);
  cr_assert(known->fit != NULL && pf_fit_groups_create(problem, known->fit, &error) == PF_OK, "%s",
            error.text);
  known->inference = (pf_inference){.n_groups = known->fit->n_groups, .level = 0.95};
  pf_inference_group *groups = pf_memory_need(known->fit->n_groups, sizeof *groups, &error);
  cr_assert(groups != NULL);
  known->inference.groups = groups;
  for (size_t u = 0; u < known->fit->n_groups; u++) {
    pf_fit_group *group = &known->fit->groups[u];
    cr_assert(group->layout->n == KNOWN_N);
    group->optimum.reason = PF_REASON_PROGRESS;
    group->optimum.converged = true;
    groups[u].group = group;
    groups[u].n = KNOWN_N;
    groups[u].verdict = pf_memory_need(KNOWN_N, sizeof *groups[u].verdict, &error);
    groups[u].note = pf_memory_need(KNOWN_N, sizeof *groups[u].note, &error);
    pf_intervals *intervals = &groups[u].methods[groups[u].main];
    intervals->there = true;
    intervals->se = pf_memory_need(KNOWN_N, sizeof(double), &error);
    intervals->lower = pf_memory_need(KNOWN_N, sizeof(double), &error);
    intervals->upper = pf_memory_need(KNOWN_N, sizeof(double), &error);
    cr_assert(groups[u].verdict != NULL && groups[u].note != NULL && intervals->se != NULL &&
              intervals->lower != NULL && intervals->upper != NULL);
    for (int k = 0; k < KNOWN_N; k++) {
      groups[u].verdict[k] = PF_IDENTIFIED;
      known_fit_set(known, (int)u, k, 0.0, NAN);
    }
  }
}

void known_fit_set(known_fit *known, int u, int k, double value, double se)
{
  pf_inference_group *of = &known->inference.groups[u];
  known->fit->groups[u].values[k] = value;
  of->methods[of->main].se[k] = se;
  of->methods[of->main].lower[k] = value - 1.959963984540054 * se;
  of->methods[of->main].upper[k] = value + 1.959963984540054 * se;
}

void known_fit_free(known_fit *known)
{
  for (size_t u = 0; u < known->inference.n_groups; u++) {
    pf_inference_forget(&known->inference.groups[u]);
  }
  pf_memory_free(known->inference.groups);
  pf_fit_free(&known->tiny.problem, known->fit);
  tiny_problem_free(&known->tiny);
}
