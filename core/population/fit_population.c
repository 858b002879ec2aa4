#include "core/population/fit_population.h"

#include "core/base/memory.h"
#include "core/marginal/marginal.h"
#include "core/population/scale.h"

#include <math.h>
#include <string.h>

/* One theta for all animals: where the population's fit starts. `problem` says so, and MUST outlive
 * the fit, whose layout refers to its data. */
static pf_status fit_shared(const pf_problem *problem, const pf_observer *observer, pf_fit **out,
                            pf_error *error)
{
  pf_fit *fit = NULL;
  const pf_status status = pf_estimate(problem, NULL, observer, &fit, error);
  if (status != PF_OK) {
    return status;
  }
  if (fit->groups[0].status != PF_OK && !fit->groups[0].interrupted) {
    const pf_status failed =
        pf_fail(error, PF_POINT_FAILED, "one theta for all animals: %s", fit->groups[0].error.text);
    pf_fit_free(problem, fit);
    return failed;
  }
  *out = fit;
  return PF_OK;
}

/* Every animal starts where all together ended. */
static pf_status start_animals(const pf_fit *shared, pf_fit *fit, pf_error *error)
{
  const pf_layout *all = shared->groups[0].layout;
  double *instances = pf_memory_need(all->n_instances, sizeof *instances, error);
  if (instances == NULL) {
    return PF_STOP;
  }
  pf_layout_instances(all, shared->groups[0].values, instances);
  for (size_t a = 0; a < fit->n_groups; a++) {
    pf_fit_group *group = &fit->groups[a];
    for (size_t k = 0; k < group->layout->n; k++) {
      const pf_parameter_instance *own = &group->layout->instances[group->layout->index[k]];
      const size_t recording = group->layout->recordings[own->recording];
      const size_t there = pf_layout_instance(
          all, pf_layout_recording(all, &all->data->recordings[recording]), own->parameter);
      group->values[k] = instances[there];
    }
    memcpy(group->values_start, group->values, group->layout->n * sizeof *group->values);
  }
  pf_memory_free(instances);
  return PF_OK;
}

/* A row of fit.csv: a population's fit has one, where it ended. */
static pf_status add_row(pf_fit_group *group, pf_error *error)
{
  const size_t n = group->layout->n;
  group->rows = pf_memory_need(1, sizeof *group->rows, error);
  group->row_values = pf_memory_need(n, sizeof *group->row_values, error);
  if (group->rows == NULL || group->row_values == NULL) {
    return PF_STOP;
  }
  group->n_rows = 1;
  group->rows[0] = (pf_fit_row){.epoch = group->optimum.iterations,
                                .objective = group->optimum.objective,
                                .data_term = group->optimum.objective,
                                .gradient_norm = NAN};
  memcpy(group->row_values, group->values, n * sizeof *group->values);
  return PF_OK;
}

/* The population's means in the parameters' own units, for those who report coefficients. */
static pf_status set_common(const pf_problem *problem, const pf_population_fit *found, pf_fit *fit,
                            pf_error *error)
{
  const pf_layout *layout = fit->groups[0].layout;
  const size_t n = problem->model->n_parameters;
  const bool bounded = problem->settings->population.scale == PF_POPULATION_BOUNDED;
  fit->common = pf_memory_need(n, sizeof *fit->common, error);
  if (fit->common == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; i < n; i++) {
    fit->common[i] = (pf_common_estimate){NAN, NAN, NAN, NAN, NAN};
  }
  for (size_t k = 0; k < layout->n; k++) {
    pf_common_estimate *to = &fit->common[layout->instances[layout->index[k]].parameter];
    const pf_scale scale = pf_scale_of(layout, k, bounded);
    const double beta = found->model.beta[k], slope = pf_scale_slope(scale, beta);
    const double variance =
        found->model.covariance[k * (found->model.n_covariates * layout->n) + k];
    double lower, upper;
    if (found->data.sharing[k] == PF_SHARING_SEPARATE) {
      continue;
    }
    pf_population_interval(found, 0, k, &lower, &upper);
    to->value = pf_scale_from_line(scale, beta);
    to->error = sqrt(variance) * slope;
    to->sd = found->model.sd[k] * slope;
    to->lower = pf_scale_from_line(scale, lower);
    to->upper = pf_scale_from_line(scale, upper);
  }
  return PF_OK;
}

/* Somebody stopped it: the animals' last values are kept, from which init.theta goes on. */
static void mark_interrupted(pf_fit *fit, const char *when)
{
  for (size_t a = 0; a < fit->n_groups; a++) {
    pf_fit_group *group = &fit->groups[a];
    group->interrupted = true;
    group->optimum.reason = PF_REASON_INTERRUPTED;
    group->status = pf_fail(&group->error, PF_POINT_FAILED, "%s", when);
  }
  fit->n_failed = fit->n_interrupted = fit->n_groups;
}

/* What is fitted, and how much each animal counts. */
typedef struct population_job {
  const pf_problem *problem;
  const double *weights; /* NULL: all alike */
  const pf_observer *observer;
} population_job;

static pf_status fit_animals(const population_job *job, pf_fit *fit, pf_animal_population *out,
                             pf_error *error)
{
  const pf_problem *problem = job->problem;
  pf_status status =
      pf_population_covariates_create(problem, fit->groups[0].layout, &out->covariates, error);
  if (status != PF_OK) {
    return status;
  }
  const pf_population_design design =
      pf_population_design_of(problem, &out->covariates, job->weights);
  status = pf_population_run(problem, &design, job->observer, fit, &out->fit, error);
  if (status != PF_OK) {
    return status;
  }
  if (out->fit->interrupted) {
    mark_interrupted(fit, "interrupted in a round of the population fit");
    return PF_OK;
  }
  for (size_t a = 0; a < fit->n_groups; a++) {
    if (add_row(&fit->groups[a], error) != PF_OK) {
      return PF_STOP;
    }
  }
  return set_common(problem, out->fit, fit, error);
}

/* Animals start where an earlier run ended (init.theta), else at one theta for all. */
static pf_status fit_from_start(const population_job *job, pf_fit *fit, pf_animal_population *out,
                                pf_error *error)
{
  const pf_problem *problem = job->problem;
  pf_problem together = *problem;
  pf_fit *shared = NULL;
  together.options.per = PF_FIT_SHARED;
  pf_status status = pf_fit_groups_create(problem, fit, error);
  if (status != PF_OK) {
    return status;
  }
  if (problem->warm != NULL) {
    return fit_animals(job, fit, out, error);
  }
  status = fit_shared(&together, job->observer, &shared, error);
  if (status != PF_OK) {
    return status;
  }
  fit->n_gradients = shared->n_gradients;
  status = start_animals(shared, fit, error);
  if (status == PF_OK && shared->n_interrupted > 0) {
    mark_interrupted(fit, "interrupted in the fit of one theta for all animals");
  } else if (status == PF_OK) {
    status = fit_animals(job, fit, out, error);
  }
  pf_fit_free(&together, shared);
  return status;
}

pf_status pf_fit_population(const pf_problem *problem, const pf_observer *observer, pf_fit **out,
                            pf_animal_population **population, pf_error *error)
{
  return pf_fit_weighted_population(problem, NULL, observer, out, population, error);
}

pf_status pf_fit_weighted_population(const pf_problem *problem, const double *weights,
                                     const pf_observer *observer, pf_fit **out,
                                     pf_animal_population **population, pf_error *error)
{
  const population_job job = {problem, weights, observer};
  const double started = pf_clock_seconds();
  if (problem->data.n_animals == 1) {
    return pf_fail(error, PF_STOP,
                   "fit.per = \"population\" needs several animals, and the data "
                   "have one: fit.per = \"animal\" fits it");
  }
  pf_fit *fit = pf_memory_need(1, sizeof *fit, error);
  pf_animal_population *made = pf_memory_need(1, sizeof *made, error);
  pf_status status = PF_STOP;
  if (fit != NULL && made != NULL) {
    status = fit_from_start(&job, fit, made, error);
  }
  if (status == PF_OK) {
    fit->seconds = pf_clock_seconds() - started;
    fit->n_gradients += made->fit != NULL ? made->fit->n_evaluations : 0;
    *out = fit;
    fit = NULL;
  }
  if (status == PF_OK && (*out)->n_interrupted == 0) {
    *population = made;
    made = NULL;
  }
  pf_fit_free(problem, fit);
  pf_fit_population_free(made);
  return status;
}

void pf_fit_population_free(pf_animal_population *population)
{
  if (population == NULL) {
    return;
  }
  pf_population_covariates_clear(&population->covariates);
  pf_population_fit_free(population->fit);
  pf_memory_free(population);
}
