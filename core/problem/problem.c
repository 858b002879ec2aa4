#include "core/problem/problem.h"

#include "core/base/memory.h"
#include "core/problem/build.h"

static const char *what_is_scored(const pf_problem *problem)
{
  if (problem->settings->evaluate.animals > 0) {
    return "fresh animals";
  }
  return problem->settings->evaluate.draws > 0 ? "fresh draws" : "fitted draws";
}

static pf_status create(pf_config *config, bool only_task, pf_problem **out, pf_error *error)
{
  pf_problem *problem = pf_memory_need(1, sizeof *problem, error);
  if (problem == NULL) {
    return PF_STOP;
  }
  problem->settings = pf_memory_need(1, sizeof *problem->settings, error);
  problem->models = pf_memory_need(1, sizeof *problem->models, error);
  if (problem->settings == NULL || problem->models == NULL) {
    pf_memory_free(problem->settings);
    pf_memory_free(problem->models);
    pf_memory_free(problem);
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
    status = status == PF_OK ? pf_build_warm_start(problem, problem->settings->warm_path, error)
                             : status;
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
  pf_model_free(problem->models->teacher);
  pf_memory_free(problem->models->teacher_theta);
  pf_build_derived_free(problem);
  pf_memory_free((void *)problem->settings->input_channels.items);
  pf_initial_file_free(problem->initial);
  pf_dataset_free(&problem->data);
  pf_dataset_free(&problem->fresh);
  for (size_t p = 0; problem->models->rules != NULL && p < problem->models->n_rules; p++) {
    pf_component_free(&problem->models->rules[p]);
  }
  for (size_t k = 0; problem->models->losses != NULL && k < problem->models->n_losses; k++) {
    pf_component_free(&problem->models->losses[k]);
  }
  for (size_t i = 0;
       problem->models->owners != NULL && i < problem->models->n_rules + problem->models->n_losses;
       i++) {
    pf_memory_free(problem->models->owners[i]);
  }
  pf_component_free(&problem->models->teacher_rule);
  pf_component_free(&problem->models->network);
  pf_component_free(&problem->models->source);
  pf_memory_free(problem->models->rules);
  pf_memory_free(problem->models->losses);
  pf_memory_free(problem->models->owners);
  for (size_t p = 0; problem->models->teacher_rules != NULL && p < problem->models->n_rules; p++) {
    pf_component_free(&problem->models->teacher_rules[p]);
  }
  pf_memory_free(problem->models->teacher_rules);
  pf_memory_free(problem->warm);
  pf_memory_free(problem->settings->warm_path);
  pf_memory_free(problem->settings->name);
  pf_memory_free(problem->settings->out);
  pf_memory_free(problem->evaluated_on);
  pf_memory_free(problem->settings->fit.optimiser);
  pf_registry_free(problem->registry);
  pf_memory_free(problem->settings);
  pf_memory_free(problem->models);
  pf_memory_free(problem);
}
