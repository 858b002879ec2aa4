#include "core/fit/fit_groups.h"

#include "core/base/array.h"
#include "core/base/memory.h"

#include <string.h>

const char *pf_fit_verdict_words(uint32_t verdict)
{
  static const char *const words[] = {
      [PF_FIT_CONVERGED] = "converged",
      [PF_FIT_PASSES_DONE] = "passes done",
      [PF_FIT_NOT_CONVERGED] = "not converged",
      [PF_FIT_SEPARATION] = "separation",
      [PF_FIT_FAILED] = "failed",
      [PF_FIT_WORSE_THAN_NULL] = "worse than no plasticity",
  };
  return verdict < sizeof words / sizeof words[0] ? words[verdict] : "unknown";
}

uint32_t pf_fit_verdict(const pf_fit_group *group)
{
  if (group->status != PF_OK) {
    return PF_FIT_FAILED;
  }
  if (group->optimum.reason == PF_REASON_PASSES) {
    return PF_FIT_PASSES_DONE;
  }
  if (group->runs_off) {
    return PF_FIT_SEPARATION;
  }
  if (group->worse_than_null) {
    return PF_FIT_WORSE_THAN_NULL;
  }
  return group->optimum.converged ? PF_FIT_CONVERGED : PF_FIT_NOT_CONVERGED;
}

/* Indices of the group's recordings, [*n]; NULL: no memory. */
static size_t *list_recordings(const pf_problem *problem, size_t group, size_t *n, pf_error *error)
{
  const pf_dataset *data = &problem->data;
  const bool all = problem->options.per == PF_FIT_SHARED;
  size_t *recordings =
      pf_memory_need(all ? data->n : pf_dataset_count(data, group), sizeof *recordings, error);
  *n = 0;
  if (recordings == NULL) {
    return NULL;
  }
  for (size_t i = all ? 0 : pf_dataset_first(data, group); i < data->n;
       i = all ? i + 1 : pf_dataset_next(data, i)) {
    recordings[(*n)++] = i;
  }
  return recordings;
}

pf_status pf_group_layout(const pf_problem *problem, size_t group, pf_layout **out, pf_error *error)
{
  const pf_model *model = problem->model;
  size_t n = 0;
  size_t *recordings = list_recordings(problem, group, &n, error);
  if (recordings == NULL) {
    return PF_STOP;
  }
  const pf_status status = pf_layout_create(
      &(pf_layout_in){model->parameters, model->n_parameters, &problem->data, recordings, n}, out,
      error);
  pf_memory_free(recordings);
  return status;
}

pf_status pf_fit_start(const pf_problem *problem, size_t group, double *theta, pf_error *error)
{
  pf_layout *layout = NULL;
  pf_status status = pf_group_layout(problem, group, &layout, error);
  if (status != PF_OK) {
    return status;
  }
  double *values = pf_memory_need(layout->n, sizeof *values, error);
  status = values == NULL ? PF_STOP : pf_problem_start(problem, group, layout, values, error);
  if (status == PF_OK) {
    pf_layout_theta(layout, values, 0, theta);
  }
  pf_memory_free(values);
  pf_layout_free(layout);
  return status;
}

/* Everything of a group but its draws; its values are at their start. */
static pf_status create_group(const pf_problem *problem, size_t index, pf_fit_group *group,
                              pf_error *error)
{
  const bool shared = problem->options.per == PF_FIT_SHARED;
  group->error = pf_error_none();
  group->name = pf_memory_string(shared ? "all" : problem->data.animals[index], error);
  group->recordings = list_recordings(problem, index, &group->n_recordings, error);
  group->draws = pf_memory_need(group->n_recordings * (size_t)problem->settings->draws,
                                sizeof(pf_draw *), error);
  if (group->name == NULL || group->recordings == NULL || group->draws == NULL) {
    return PF_STOP;
  }
  pf_status status = pf_group_layout(problem, index, &group->layout, error);
  if (status != PF_OK) {
    return status;
  }
  const size_t n = group->layout->n;
  group->values = pf_memory_need(n, sizeof *group->values, error);
  group->values_start = pf_memory_need(n, sizeof *group->values_start, error);
  if (group->values == NULL || group->values_start == NULL) {
    return PF_STOP;
  }
  status = pf_problem_start(problem, index, group->layout, group->values, error);
  if (status == PF_OK) {
    memcpy(group->values_start, group->values, n * sizeof *group->values);
  }
  return status;
}

/* Adds draws until there are `n` of each recording, for which there is room. */
static pf_status make_draws(const pf_problem *problem, pf_fit_group *group, int64_t n)
{
  const size_t n_recordings = group->n_recordings;
  while (group->n_draws < (size_t)n * n_recordings) {
    const size_t r = group->n_draws % n_recordings, d = group->n_draws / n_recordings;
    const pf_status status = pf_problem_draw(
        problem, &(pf_draw_id){&problem->data, group->recordings[r], (int64_t)d, false},
        &group->draws[group->n_draws], &group->error);
    if (status != PF_OK) {
      return status;
    }
    group->n_draws++;
  }
  return PF_OK;
}

pf_status pf_group_set_draws(const pf_problem *problem, pf_fit_group *group, int64_t n)
{
  const size_t wanted = (size_t)n * group->n_recordings;
  pf_draw **room = pf_memory_need(wanted, sizeof *room, &group->error);
  if (room == NULL) {
    return PF_STOP;
  }
  while (group->n_draws > wanted) {
    pf_draw_free(problem->model, group->draws[--group->n_draws]);
  }
  memcpy(room, group->draws, group->n_draws * sizeof *room);
  pf_memory_free(group->draws);
  group->draws = room;
  return make_draws(problem, group, n);
}

pf_status pf_fit_groups_create(const pf_problem *problem, pf_fit *fit, pf_error *error)
{
  const size_t n = problem->options.per == PF_FIT_SHARED ? 1 : problem->data.n_animals;
  if (problem->data.n == 0 || n == 0) {
    return pf_fail(error, PF_STOP, "the source gave no experiment, so there is nothing to fit");
  }
  fit->groups = pf_memory_need(n, sizeof *fit->groups, error);
  if (fit->groups == NULL) {
    return PF_STOP;
  }
  fit->n_groups = n;
  for (size_t u = 0; u < n; u++) {
    const pf_status status = create_group(problem, u, &fit->groups[u], error);
    if (status != PF_OK) {
      return status;
    }
  }
  const int n_threads = problem->options.n_threads > 1 ? problem->options.n_threads : 1;
#pragma omp parallel for schedule(dynamic) num_threads(n_threads) if (n_threads > 1 && n > 1)
  for (size_t u = 0; u < n; u++) {
    fit->groups[u].status = make_draws(problem, &fit->groups[u], problem->settings->draws);
  }
  return PF_OK;
}

void pf_fit_free(const pf_problem *problem, pf_fit *fit)
{
  if (fit == NULL) {
    return;
  }
  for (size_t u = 0; u < fit->n_groups; u++) {
    pf_fit_group *group = &fit->groups[u];
    for (size_t d = 0; d < group->n_draws; d++) {
      pf_draw_free(problem->model, group->draws[d]);
    }
    pf_memory_free(group->name);
    pf_memory_free(group->recordings);
    pf_memory_free(group->draws);
    pf_layout_free(group->layout);
    pf_memory_free(group->values);
    pf_memory_free(group->values_start);
    for (size_t k = 0; group->starts != NULL && k < group->n_starts; k++) {
      pf_memory_free(group->starts[k].from);
      pf_memory_free(group->starts[k].values);
    }
    pf_memory_free(group->starts);
    pf_memory_free(group->rows);
    pf_memory_free(group->row_values);
    if (group->marginal != NULL) {
      pf_memory_free(group->marginal->information);
      pf_memory_free(group->marginal->drawn_at);
      pf_memory_free(group->marginal);
    }
  }
  pf_memory_free(fit->groups);
  pf_memory_free(fit->common);
  pf_memory_free(fit);
}

pf_status pf_fit_group_append_rows(pf_fit_group *group, const pf_fit_row *rows, size_t n,
                                   const double *values, pf_error *error)
{
  const size_t width = group->layout->n;
  pf_array all = pf_array_of(sizeof(pf_fit_row)), all_values = pf_array_of(sizeof(double));
  if (pf_array_append_all(&all, group->rows, group->n_rows, error) != PF_OK ||
      pf_array_append_all(&all, rows, n, error) != PF_OK ||
      pf_array_append_all(&all_values, group->row_values, group->n_rows * width, error) != PF_OK ||
      pf_array_append_all(&all_values, values, n * width, error) != PF_OK) {
    pf_array_free(&all);
    pf_array_free(&all_values);
    return PF_STOP;
  }
  pf_memory_free(group->rows);
  pf_memory_free(group->row_values);
  group->rows = pf_array_take(&all, &group->n_rows);
  group->row_values = pf_array_take(&all_values, NULL);
  return PF_OK;
}
