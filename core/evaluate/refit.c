#include "core/evaluate/refit.h"

#include "core/base/memory.h"
#include "core/fit/group_objective.h"

#include <string.h>

bool pf_refit_has_copies(const pf_layout *layout)
{
  for (size_t k = 0; k < layout->n; k++) {
    if (layout->scope[layout->instances[layout->index[k]].parameter] != PF_SCOPE_SHARED) {
      return true;
    }
  }
  return false;
}

void pf_refit_clear(pf_refit *refit)
{
  pf_layout_free(refit->layout);
  pf_memory_free(refit->values);
  *refit = (pf_refit){0};
}

/* ---- one fit ---- */

/** What it takes; zeroed before. */
typedef struct work {
  const pf_problem *problem;
  pf_fit_group unit; /* a stand-in: draws and layout */
  pf_group_batches batches;
  pf_group_objective *function;
  pf_workspace **workspaces;
  size_t n_workspaces;
} work;

/** The draws that a fit of these recordings sees. */
static pf_status make_draws(work *self, bool still, pf_error *error)
{
  const pf_problem *problem = self->problem;
  const pf_layout *layout = self->unit.layout;
  self->unit.draws = pf_memory_need(layout->n_recordings * (size_t)problem->settings->draws,
                                    sizeof *self->unit.draws, error);
  pf_status status = self->unit.draws == NULL ? PF_STOP : PF_OK;
  for (int64_t d = 0; d < problem->settings->draws; d++) {
    for (size_t r = 0; r < layout->n_recordings && status == PF_OK; r++) {
      pf_draw **draw = &self->unit.draws[self->unit.n_draws];
      status = pf_problem_draw(problem, layout->data, layout->recordings[r], d, false, draw, error);
      self->unit.n_draws += status == PF_OK ? 1 : 0;
      for (int64_t t = 0; still && status == PF_OK && t < (*draw)->n_steps; t++) {
        (*draw)->flags[t] &= ~(uint32_t)PF_STEP_PLASTIC;
      }
    }
  }
  self->unit.n_recordings = layout->n_recordings;
  self->unit.recordings = layout->recordings;
  return status;
}

static pf_status make_workspaces(work *self, pf_error *error)
{
  const pf_dataset *data = self->unit.layout->data;
  const size_t n =
      self->problem->options.n_threads > 1 ? (size_t)self->problem->options.n_threads : 1;
  self->workspaces = pf_memory_need(n, sizeof *self->workspaces, error);
  pf_status status = self->workspaces == NULL ? PF_STOP : PF_OK;
  for (size_t t = 0; t < n && status == PF_OK; t++) {
    status = pf_workspace_create(self->problem->model, pf_dataset_longest(data)->n_steps,
                                 &self->workspaces[t], error);
    self->n_workspaces += status == PF_OK ? 1 : 0;
  }
  return status;
}

static void clear(work *self)
{
  pf_group_objective_free(self->function);
  pf_group_batches_clear(&self->batches);
  for (size_t d = 0; d < self->unit.n_draws; d++) {
    pf_draw_free(self->problem->model, self->unit.draws[d]);
  }
  pf_memory_free(self->unit.draws);
  for (size_t t = 0; t < self->n_workspaces; t++) {
    pf_workspace_free(self->workspaces[t]);
  }
  pf_memory_free(self->workspaces);
}

/** The values [layout->n] that fit best, from those given. */
static pf_status minimise(const pf_problem *problem, pf_layout *layout, bool still, double *values,
                          pf_error *error)
{
  char name[] = "a refit";
  work self = {.problem = problem,
               .unit = {.name = name, .layout = layout, .error = pf_error_none()}};
  pf_optimum optimum;
  const pf_optimiser_settings settings = pf_optimiser_defaults();
  pf_status status = make_draws(&self, still, error);
  status = status == PF_OK ? make_workspaces(&self, error) : status;
  status = status == PF_OK
               ? pf_group_batches_create(problem, &self.unit, true, &self.batches, error)
               : status;
  const pf_group_objective_in in = {.problem = problem,
                                    .layout = layout,
                                    .batches = &self.batches,
                                    .penalised = true,
                                    .workspaces = self.workspaces,
                                    .n_workspaces = self.n_workspaces};
  status = status == PF_OK ? pf_group_objective_create(&in, &self.function, error) : status;
  status = status == PF_OK ? pf_optimiser_lm.minimise(pf_group_objective_get(self.function),
                                                      &settings, NULL, values, &optimum, error)
                           : status;
  clear(&self);
  return status;
}

/** Freezes what `keep` says, fits the rest. */
static pf_status refit(const pf_problem *problem, const pf_layout *layout, const double *values,
                       const bool *keep, bool still, pf_refit *out, pf_error *error)
{
  *out = (pf_refit){0};
  pf_status status = pf_layout_freeze(layout, values, keep, &out->layout, error);
  if (status != PF_OK) {
    return status;
  }
  double *instances = pf_memory_need(layout->n_instances, sizeof *instances, error);
  out->values = pf_memory_need(out->layout->n, sizeof *out->values, error);
  status = instances == NULL || out->values == NULL ? PF_STOP : PF_OK;
  if (status == PF_OK) {
    pf_layout_instances(layout, values, instances);
    pf_layout_values(out->layout, instances, out->values);
    status = out->layout->n > 0 ? minimise(problem, out->layout, still, out->values, error) : PF_OK;
  }
  pf_memory_free(instances);
  if (status != PF_OK) {
    pf_refit_clear(out);
  }
  return status;
}

/* ---- what for ---- */

/** Numbers of the shared slots as the unit has them, of copies where a fit would start. */
static pf_status start_values(const pf_problem *problem, const pf_fit_group *unit,
                              pf_layout *layout, double *values, bool *keep, pf_error *error)
{
  double *instances = pf_memory_need(layout->n_instances, sizeof *instances, error);
  double *known = pf_memory_need(unit->layout->n_instances, sizeof *known, error);
  pf_status status = instances == NULL || known == NULL
                         ? PF_STOP
                         : pf_problem_start(problem, 0, layout, values, error);
  if (status == PF_OK) {
    pf_layout_instances(layout, values, instances);
    pf_layout_instances(unit->layout, unit->values, known);
    for (size_t s = 0; s < layout->n_instances; s++) {
      const size_t i = layout->instances[s].parameter;
      keep[s] = layout->scope[i] == PF_SCOPE_SHARED;
      instances[s] = keep[s] ? known[unit->layout->first[i]] : instances[s];
    }
    pf_layout_keep(layout, instances);
    pf_layout_values(layout, instances, values);
  }
  pf_memory_free(instances);
  pf_memory_free(known);
  return status;
}

pf_status pf_refit_data(const pf_problem *problem, const pf_fit_group *unit, const pf_dataset *data,
                        pf_refit *out, pf_error *error)
{
  const pf_model *model = problem->model;
  pf_layout *layout = NULL;
  *out = (pf_refit){0};
  if (!pf_refit_has_copies(unit->layout)) {
    return PF_OK;
  }
  size_t *all = pf_memory_need(data->n, sizeof *all, error);
  for (size_t i = 0; all != NULL && i < data->n; i++) {
    all[i] = i;
  }
  pf_status status = all == NULL ? PF_STOP
                                 : pf_layout_create(model->parameters, model->n_parameters, data,
                                                    all, data->n, &layout, error);
  pf_memory_free(all);
  if (status != PF_OK) {
    return status;
  }
  bool *keep = pf_memory_need(layout->n_instances, sizeof *keep, error);
  double *values = pf_memory_need(layout->n, sizeof *values, error);
  status = keep == NULL || values == NULL
               ? PF_STOP
               : start_values(problem, unit, layout, values, keep, error);
  status = status == PF_OK ? refit(problem, layout, values, keep, false, out, error) : status;
  pf_memory_free(keep);
  pf_memory_free(values);
  pf_layout_free(layout);
  return status;
}

pf_status pf_refit_missing(const pf_problem *problem, pf_fit_group *unit, const bool *missing,
                           pf_error *error)
{
  pf_refit found = {0};
  bool *keep = pf_memory_need(unit->layout->n_instances, sizeof *keep, error);
  double *instances = pf_memory_need(unit->layout->n_instances, sizeof *instances, error);
  pf_status status = keep == NULL || instances == NULL ? PF_STOP : PF_OK;
  for (size_t s = 0; status == PF_OK && s < unit->layout->n_instances; s++) {
    keep[s] = !missing[s];
  }
  status = status == PF_OK ? refit(problem, unit->layout, unit->values, keep, false, &found, error)
                           : status;
  if (status == PF_OK) {
    pf_layout_instances(found.layout, found.values, instances);
    pf_layout_values(unit->layout, instances, unit->values);
  }
  pf_refit_clear(&found);
  pf_memory_free(keep);
  pf_memory_free(instances);
  return status;
}

pf_status pf_refit_null(const pf_problem *problem, const pf_layout *layout, const double *values,
                        pf_refit *out, pf_error *error)
{
  const pf_model *model = problem->model;
  *out = (pf_refit){0};
  bool *keep = pf_memory_need(layout->n_instances, sizeof *keep, error);
  bool any = false;
  for (size_t s = 0; keep != NULL && s < layout->n_instances; s++) {
    const size_t i = layout->instances[s].parameter;
    const bool of_loss = model->n_losses > 0 && i >= model->losses[0].theta0 &&
                         i < model->losses[model->n_losses - 1].theta0 +
                                 model->losses[model->n_losses - 1].declared.parameters.count;
    const bool of_network =
        i >= model->network_theta0 && i < model->network_theta0 + model->declared.parameters.count;
    keep[s] =
        !(of_network || of_loss || i >= model->start_theta0); /* rules, and what the host forgets */
    any = any || (!keep[s] && layout->instances[s].value != PF_LAYOUT_NONE);
  }
  pf_status status = keep == NULL ? PF_STOP : PF_OK;
  status = status == PF_OK && any ? refit(problem, layout, values, keep, true, out, error) : status;
  pf_memory_free(keep);
  return status;
}
