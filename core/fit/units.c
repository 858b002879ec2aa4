#include "core/fit/units.h"
#include "core/base/memory.h"
#include <string.h>

static int belongs(const pf_problem *problem, size_t recording, size_t unit)
{
  return problem->fit.per == PF_FIT_SHARED || problem->data.recordings[recording].animal_index == unit;
}

pf_status pf_unit_layout(const pf_problem *problem, size_t unit, pf_layout **out, pf_error *error)
{
  const pf_model *model = problem->model;
  size_t *recordings = pf_memory_need(problem->data.n, sizeof *recordings, error);
  size_t n = 0;
  if (recordings == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; i < problem->data.n; i++) {
    if (belongs(problem, i, unit)) {
      recordings[n++] = i;
    }
  }
  const pf_status status =
      pf_layout_create(model->parameters, model->n_parameters, &problem->data, recordings, n, out, error);
  pf_memory_free(recordings);
  return status;
}

pf_status pf_fit_start(const pf_problem *problem, size_t unit, double *theta, pf_error *error)
{
  pf_layout *layout = NULL;
  pf_status status = pf_unit_layout(problem, unit, &layout, error);
  if (status != PF_OK) {
    return status;
  }
  double *values = pf_memory_need(layout->n, sizeof *values, error);
  status = values == NULL ? PF_STOP : pf_problem_start(problem, unit, layout, values, error);
  if (status == PF_OK) {
    pf_layout_theta(layout, values, 0, theta);
  }
  pf_memory_free(values);
  pf_layout_free(layout);
  return status;
}

static pf_status allocate(const pf_problem *problem, size_t index, pf_fit_unit *unit, pf_error *error)
{
  const char *name = problem->fit.per == PF_FIT_SHARED ? "all" : problem->data.animals[index];
  for (size_t i = 0; i < problem->data.n; i++) {
    unit->n_recordings += belongs(problem, i, index) ? 1 : 0;
  }
  unit->name = pf_memory_string(name, error);
  unit->recordings = pf_memory_need(unit->n_recordings, sizeof *unit->recordings, error);
  unit->draws = pf_memory_need(unit->n_recordings * (size_t)problem->draws, sizeof(pf_draw *), error);
  if (unit->name == NULL || unit->recordings == NULL || unit->draws == NULL) {
    return PF_STOP;
  }
  size_t n = 0;
  for (size_t i = 0; i < problem->data.n; i++) {
    if (belongs(problem, i, index)) {
      unit->recordings[n++] = i;
    }
  }
  const pf_status status = pf_unit_layout(problem, index, &unit->layout, error);
  if (status != PF_OK) {
    return status;
  }
  const size_t n_values = unit->layout->n;
  unit->values = pf_memory_need(n_values, sizeof *unit->values, error);
  unit->values_start = pf_memory_need(n_values, sizeof *unit->values_start, error);
  return unit->values == NULL || unit->values_start == NULL ? PF_STOP : PF_OK;
}

static pf_status make_draws(const pf_problem *problem, pf_fit_unit *unit)
{
  for (int64_t d = 0; d < problem->draws; d++) {
    for (size_t r = 0; r < unit->n_recordings; r++) {
      const pf_status status = pf_problem_draw(problem, &problem->data, unit->recordings[r], d, false,
                                               &unit->draws[unit->n_draws], &unit->error);
      if (status != PF_OK) {
        return status;
      }
      unit->n_draws++;
    }
  }
  return PF_OK;
}

pf_status pf_fit_units_create(const pf_problem *problem, pf_fit *fit, pf_error *error)
{
  const size_t n = problem->fit.per == PF_FIT_SHARED ? 1 : problem->data.n_animals;
  if (problem->data.n == 0 || n == 0) {
    return pf_fail(error, PF_STOP, "the source gave no experiment, so there is nothing to fit");
  }
  fit->units = pf_memory_need(n, sizeof *fit->units, error);
  if (fit->units == NULL) {
    return PF_STOP;
  }
  fit->n_units = n;
  for (size_t u = 0; u < n; u++) {
    pf_fit_unit *unit = &fit->units[u];
    unit->error = pf_error_none();
    pf_status status = allocate(problem, u, unit, error);
    status = status == PF_OK ? pf_problem_start(problem, u, unit->layout, unit->values, error) : status;
    if (status != PF_OK) {
      return status;
    }
    if (unit->layout->n > 0) {
      memcpy(unit->values_start, unit->values, unit->layout->n * sizeof *unit->values);
    }
  }
  const int n_threads = problem->fit.n_threads > 1 ? problem->fit.n_threads : 1;
#pragma omp parallel for schedule(dynamic) num_threads(n_threads) if (n_threads > 1 && n > 1)
  for (size_t u = 0; u < n; u++) {
    fit->units[u].status = make_draws(problem, &fit->units[u]);
  }
  return PF_OK;
}

void pf_fit_free(const pf_problem *problem, pf_fit *fit)
{
  if (fit == NULL) {
    return;
  }
  for (size_t u = 0; u < fit->n_units; u++) {
    pf_fit_unit *unit = &fit->units[u];
    for (size_t d = 0; d < unit->n_draws; d++) {
      pf_draw_free(problem->model, unit->draws[d]);
    }
    pf_memory_free(unit->name);
    pf_memory_free(unit->recordings);
    pf_memory_free(unit->draws);
    pf_layout_free(unit->layout);
    pf_memory_free(unit->values);
    pf_memory_free(unit->values_start);
    for (size_t k = 0; unit->starts != NULL && k < unit->n_starts; k++) {
      pf_memory_free(unit->starts[k].from);
      pf_memory_free(unit->starts[k].values);
    }
    pf_memory_free(unit->starts);
    pf_memory_free(unit->rows);
    pf_memory_free(unit->row_values);
  }
  pf_memory_free(fit->units);
  pf_memory_free(fit);
}
