#include "core/problem/problem.h"

#include "core/base/memory.h"
#include "core/settings/root_settings.h"

void pf_problem_free(pf_problem *problem)
{
  if (problem == NULL) {
    return;
  }
  pf_dataset_free(&problem->data);
  pf_dataset_free(&problem->fresh);
  pf_memory_free(problem->warm);
  pf_models_free(problem->models);
  pf_settings_free(problem->settings);
  pf_memory_free(problem);
}

pf_problem *pf_problem_share(const pf_problem *problem, uint64_t seed, pf_error *error)
{
  pf_problem *shared = pf_memory_need(1, sizeof *shared, error);
  if (shared == NULL) {
    return NULL;
  }
  *shared = (pf_problem){.config = problem->config,
                         .settings = problem->settings,
                         .models = problem->models,
                         .model = problem->model,
                         .seed = seed,
                         .warm = problem->warm,
                         .options = problem->options};
  return shared;
}

pf_status pf_problem_explain(const pf_problem *problem, pf_explained *out, pf_error *error)
{
  return pf_explain(problem->model, pf_dataset_longest(&problem->data), out, error);
}
