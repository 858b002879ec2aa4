#include "core/problem/problem.h"

#include "core/base/memory.h"
#include "core/problem/build.h"

static const char *what_is_scored(const pf_problem *problem)
{
  if (problem->evaluate.animals > 0) {
    return "fresh animals";
  }
  return problem->evaluate.draws > 0 ? "fresh draws" : "fitted draws";
}

static pf_status create(pf_config *config, bool only_task, pf_problem **out, pf_error *error)
{
  pf_problem *problem = pf_memory_need(1, sizeof *problem, error);
  if (problem == NULL) {
    return PF_STOP;
  }
  uint32_t normalise = PF_NORMALISE_STEPS;
  int64_t animals = 1;
  problem->config = config;
  problem->only_task = only_task;
  pf_status status = pf_build_settings(problem, &normalise, error);
  status = status == PF_OK ? pf_build_models(problem, normalise, error) : status;
  status = status == PF_OK ? pf_build_source_keys(problem, &animals, error) : status;
  status = status == PF_OK ? pf_build_data(problem, animals, error) : status;
  if (!only_task) {
    status = status == PF_OK ? pf_build_budget(problem, error) : status;
    status = status == PF_OK ? pf_build_warm_start(problem, problem->warm_path, error) : status;
  }
  if (status == PF_OK) {
    problem->evaluated_on = pf_memory_string(what_is_scored(problem), error);
    status = problem->evaluated_on == NULL ? PF_STOP : PF_OK;
  }
  if (status != PF_OK) {
    pf_problem_free(problem);
    return status;
  }
  *out = problem;
  return PF_OK;
}

pf_status pf_problem_create(pf_config *config, pf_problem **out, pf_error *error)
{
  return create(config, false, out, error);
}

pf_status pf_problem_create_task(pf_config *config, pf_problem **out, pf_error *error)
{
  return create(config, true, out, error);
}

void pf_problem_free(pf_problem *problem)
{
  if (problem == NULL) {
    return;
  }
  pf_model_free(problem->model);
  pf_model_free(problem->teacher);
  pf_memory_free(problem->teacher_theta);
  pf_build_derived_free(problem);
  pf_memory_free((void *)problem->input_channels.items);
  pf_initial_file_free(problem->initial);
  pf_dataset_free(&problem->data);
  pf_dataset_free(&problem->fresh);
  for (size_t p = 0; problem->rules != NULL && p < problem->n_rules; p++) {
    pf_component_free(&problem->rules[p]);
  }
  for (size_t k = 0; problem->losses != NULL && k < problem->n_losses; k++) {
    pf_component_free(&problem->losses[k]);
  }
  for (size_t i = 0; problem->owners != NULL && i < problem->n_rules + problem->n_losses; i++) {
    pf_memory_free(problem->owners[i]);
  }
  pf_component_free(&problem->teacher_rule);
  pf_component_free(&problem->network);
  pf_component_free(&problem->source);
  pf_memory_free(problem->rules);
  pf_memory_free(problem->losses);
  pf_memory_free(problem->owners);
  for (size_t p = 0; problem->teacher_rules != NULL && p < problem->n_rules; p++) {
    pf_component_free(&problem->teacher_rules[p]);
  }
  pf_memory_free(problem->teacher_rules);
  pf_memory_free(problem->warm);
  pf_memory_free(problem->warm_path);
  pf_memory_free(problem->name);
  pf_memory_free(problem->out);
  pf_memory_free(problem->evaluated_on);
  pf_memory_free(problem->fit.optimiser);
  pf_registry_free(problem->registry);
  pf_memory_free(problem);
}
