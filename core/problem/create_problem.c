/* A problem from a config: settings, then models, then data. */
#include "core/base/memory.h"
#include "core/base/memory_limit.h"
#include "core/model/terms.h"
#include "core/model_config/build_models.h"
#include "core/model_config/component_settings.h"
#include "core/optimise/optimiser.h"
#include "core/problem/data.h"
#include "core/problem/likelihood.h"
#include "core/problem/memory_budget.h"
#include "core/problem/warm_start.h"

#ifdef _OPENMP
#include <omp.h>
#endif

static int count_threads(int64_t asked)
{
  if (asked > 0) {
    return (int)asked;
  }
#ifdef _OPENMP
  return omp_get_max_threads();
#else
  return 1;
#endif
}

/** A source looks into its files here already. */
static pf_status create_models(pf_problem *problem, pf_error *error)
{
  const pf_settings *settings = problem->settings;
  const pf_memory_limit limit =
      pf_memory_limit_begin(settings->memory + PF_MEMORY_READING_OVERHEAD);
  const pf_status status =
      pf_models_create(problem->config, settings->plugin_path, &problem->models, error);
  pf_memory_limit_end(&limit);
  return status;
}

/* A penalty that nobody named is chosen where terms are many. */
static bool chooses_l1(const pf_problem *problem)
{
  const pf_fit_settings *fit = &problem->settings->fit;
  const pf_optimiser *optimiser = fit->optimiser == NULL ? NULL : pf_optimiser_find(fit->optimiser);
  const bool fixed_passes = optimiser != NULL && optimiser->fixed_passes;
  return fit->asks_auto || (fit->l1_text == NULL && !fixed_passes &&
                            pf_count_open_terms(problem->model) > PF_MANY_TERMS);
}

static pf_status create_settings_and_models(pf_problem *problem, bool only_task, pf_error *error)
{
  const pf_config *config = problem->config;
  if (pf_settings_create(config, &problem->settings, error) != PF_OK ||
      pf_memory_read(config, problem->settings, error) != PF_OK ||
      create_models(problem, error) != PF_OK ||
      pf_settings_read_components(problem->settings, problem->models, error) != PF_OK ||
      pf_models_build(problem->models, problem->settings, only_task, error) != PF_OK) {
    return PF_STOP;
  }
  return pf_settings_check_source(problem->settings, problem->models, error);
}

static pf_status create_data(pf_problem *problem, pf_error *error)
{
  const pf_status status = pf_data_create(problem, error);
  if (status != PF_OK) {
    return status;
  }
  return pf_memory_keep(problem, error) == PF_OK ? pf_warm_start(problem, error) : PF_STOP;
}

static pf_status create_parts(pf_problem *problem, bool only_task, pf_error *error)
{
  if (create_settings_and_models(problem, only_task, error) != PF_OK) {
    return PF_STOP;
  }
  const pf_settings *settings = problem->settings;
  problem->model = problem->models->model;
  problem->seed = settings->seed;
  problem->options = (pf_fit_options){.chooses_l1 = chooses_l1(problem),
                                      .l1 = settings->fit.l1,
                                      .l2 = settings->fit.l2,
                                      .n_threads = count_threads(settings->threads),
                                      .per = settings->fit.per};
  const pf_status status = pf_check_likelihood(problem, error);
  if (status != PF_OK || only_task) {
    return status;
  }
  return create_data(problem, error);
}

static pf_status create_problem(pf_config *config, bool only_task, pf_problem **out,
                                pf_error *error)
{
  pf_problem *problem = pf_memory_need(1, sizeof *problem, error);
  if (problem == NULL) {
    return PF_STOP;
  }
  problem->config = config;
  const pf_status status = create_parts(problem, only_task, error);
  if (status != PF_OK) {
    pf_problem_free(problem);
    return status;
  }
  *out = problem;
  return PF_OK;
}

pf_status pf_problem_create(pf_config *config, pf_problem **out, pf_error *error)
{
  return create_problem(config, false, out, error);
}

pf_status pf_problem_create_task(pf_config *config, pf_problem **out, pf_error *error)
{
  return create_problem(config, true, out, error);
}
