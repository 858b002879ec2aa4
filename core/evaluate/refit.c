#include "core/evaluate/refit.h"

#include "core/base/memory.h"
#include "core/fit/group_objective.h"

#include <string.h>

/** Has the layout copies that are free: parameters of animals or experiments? */
static bool has_copies(const pf_layout *layout)
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

/** Draw d of recording r of the layout. */
static pf_status make_draw(work *self, size_t r, int64_t d, bool still, pf_error *error)
{
  const pf_layout *layout = self->unit.layout;
  pf_draw **draw = &self->unit.draws[self->unit.n_draws];
  const pf_status status = pf_problem_draw(
      self->problem, &(pf_draw_id){layout->data, layout->recordings[r], d, false}, draw, error);
  if (status != PF_OK) {
    return status;
  }
  self->unit.n_draws++;
  for (int64_t t = 0; still && t < (*draw)->n_steps; t++) {
    (*draw)->flags[t] &= ~(uint32_t)PF_STEP_PLASTIC;
  }
  return PF_OK;
}

/** The draws that a fit of these recordings sees. */
static pf_status make_draws(work *self, bool still, pf_error *error)
{
  const pf_layout *layout = self->unit.layout;
  const int64_t n_draws = self->problem->settings->draws;
  self->unit.draws =
      pf_memory_need(layout->n_recordings * (size_t)n_draws, sizeof *self->unit.draws, error);
  if (self->unit.draws == NULL) {
    return PF_STOP;
  }
  for (int64_t d = 0; d < n_draws; d++) {
    for (size_t r = 0; r < layout->n_recordings; r++) {
      const pf_status status = make_draw(self, r, d, still, error);
      if (status != PF_OK) {
        return status;
      }
    }
  }
  self->unit.n_recordings = layout->n_recordings;
  self->unit.recordings = layout->recordings;
  return PF_OK;
}

static pf_status make_workspaces(work *self, pf_error *error)
{
  const int64_t longest = pf_dataset_longest(self->unit.layout->data)->n_steps;
  const size_t n =
      self->problem->options.n_threads > 1 ? (size_t)self->problem->options.n_threads : 1;
  self->workspaces = pf_memory_need(n, sizeof *self->workspaces, error);
  if (self->workspaces == NULL) {
    return PF_STOP;
  }
  while (self->n_workspaces < n) {
    const pf_status status = pf_workspace_create(self->problem->model, longest,
                                                 &self->workspaces[self->n_workspaces], error);
    if (status != PF_OK) {
      return status;
    }
    self->n_workspaces++;
  }
  return PF_OK;
}

static void clear_work(work *self)
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

/** What is fitted again, from where. */
typedef struct start {
  const pf_layout *layout;
  const double *values; /**< [layout->n] */
  const bool *keep;     /**< [layout->n_instances] these keep their numbers */
  bool still;           /**< without plasticity */
} start;

/** The values [layout->n] that fit best, from those given. */
static pf_status minimise_values(const pf_problem *problem, pf_layout *layout, bool still,
                                 double *values, pf_error *error)
{
  char name[] = "a refit";
  work self = {.problem = problem,
               .unit = {.name = name, .layout = layout, .error = pf_error_none()}};
  pf_optimum optimum;
  const pf_optimiser_settings settings = pf_optimiser_defaults();
  pf_group_objective_in in = {
      .problem = problem, .layout = layout, .batches = &self.batches, .penalised = true};
  pf_status status = make_draws(&self, still, error);
  if (status != PF_OK) {
    goto done;
  }
  status = make_workspaces(&self, error);
  if (status != PF_OK) {
    goto done;
  }
  status = pf_group_batches_create(problem, &self.unit, true, &self.batches, error);
  if (status != PF_OK) {
    goto done;
  }
  in.workspaces = self.workspaces;
  in.n_workspaces = self.n_workspaces;
  status = pf_group_objective_create(&in, &self.function, error);
  if (status != PF_OK) {
    goto done;
  }
  status = pf_optimiser_lm.minimise(pf_group_objective_get(self.function), &settings, NULL, values,
                                    &optimum, error);
done:
  clear_work(&self);
  return status;
}

/** Freezes what is kept, fits the rest. */
static pf_status refit_values(const pf_problem *problem, const start *from, pf_refit *out,
                              pf_error *error)
{
  *out = (pf_refit){0};
  pf_status status = pf_layout_freeze(from->layout, from->values, from->keep, &out->layout, error);
  if (status != PF_OK) {
    return status;
  }
  double *instances = pf_memory_need(from->layout->n_instances, sizeof *instances, error);
  out->values = pf_memory_need(out->layout->n, sizeof *out->values, error);
  if (instances == NULL || out->values == NULL) {
    status = PF_STOP;
    goto done;
  }
  pf_layout_instances(from->layout, from->values, instances);
  pf_layout_values(out->layout, instances, out->values);
  if (out->layout->n > 0) {
    status = minimise_values(problem, out->layout, from->still, out->values, error);
  }
done:
  pf_memory_free(instances);
  if (status != PF_OK) {
    pf_refit_clear(out);
  }
  return status;
}

/* ---- what for ---- */

/** Numbers of the shared instances as the unit has them, of copies where a fit would start. */
static pf_status start_values(const pf_problem *problem, const pf_fit_group *unit,
                              pf_layout *layout, double *values, bool *keep, pf_error *error)
{
  double *instances = pf_memory_need(layout->n_instances, sizeof *instances, error);
  double *known = pf_memory_need(unit->layout->n_instances, sizeof *known, error);
  pf_status status = PF_STOP;
  if (instances == NULL || known == NULL) {
    goto done;
  }
  status = pf_problem_start(problem, 0, layout, values, error);
  if (status != PF_OK) {
    goto done;
  }
  pf_layout_instances(layout, values, instances);
  pf_layout_instances(unit->layout, unit->values, known);
  for (size_t s = 0; s < layout->n_instances; s++) {
    const size_t i = layout->instances[s].parameter;
    keep[s] = layout->scope[i] == PF_SCOPE_SHARED;
    instances[s] = keep[s] ? known[unit->layout->first[i]] : instances[s];
  }
  pf_layout_keep(layout, instances);
  pf_layout_values(layout, instances, values);
done:
  pf_memory_free(instances);
  pf_memory_free(known);
  return status;
}

/** A layout of all recordings of some data. */
static pf_status lay_out(const pf_model *model, const pf_dataset *data, pf_layout **out,
                         pf_error *error)
{
  size_t *all = pf_memory_need(data->n, sizeof *all, error);
  if (all == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; i < data->n; i++) {
    all[i] = i;
  }
  const pf_status status = pf_layout_create(
      &(pf_layout_in){model->parameters, model->n_parameters, data, all, data->n}, out, error);
  pf_memory_free(all);
  return status;
}

static pf_status refuse_marginal(pf_error *error)
{
  return pf_fail_key(error, PF_POINT_FAILED, "likelihood",
                     "likelihood = \"marginal\" cannot yet fit an animal's own parameters to data "
                     "that the fit has not seen; let all parameters be shared, or use \"mean\"");
}

pf_status pf_refit_data(const pf_problem *problem, const pf_fit_group *unit, const pf_dataset *data,
                        pf_refit *out, pf_error *error)
{
  pf_layout *layout = NULL;
  *out = (pf_refit){0};
  if (!has_copies(unit->layout)) {
    return PF_OK;
  }
  if (problem->settings->marginal.kind == PF_LIKELIHOOD_MARGINAL) {
    return refuse_marginal(error);
  }
  pf_status status = lay_out(problem->model, data, &layout, error);
  if (status != PF_OK) {
    return status;
  }
  bool *keep = pf_memory_need(layout->n_instances, sizeof *keep, error);
  double *values = pf_memory_need(layout->n, sizeof *values, error);
  if (keep == NULL || values == NULL) {
    status = PF_STOP;
    goto done;
  }
  status = start_values(problem, unit, layout, values, keep, error);
  if (status == PF_OK) {
    status = refit_values(problem, &(start){layout, values, keep, false}, out, error);
  }
done:
  pf_memory_free(keep);
  pf_memory_free(values);
  pf_layout_free(layout);
  return status;
}

pf_status pf_refit_missing(const pf_problem *problem, pf_fit_group *unit, const bool *missing,
                           pf_error *error)
{
  const pf_layout *layout = unit->layout;
  pf_refit found = {0};
  pf_status status = PF_STOP;
  if (problem->settings->marginal.kind == PF_LIKELIHOOD_MARGINAL) {
    return refuse_marginal(error);
  }
  bool *keep = pf_memory_need(layout->n_instances, sizeof *keep, error);
  double *instances = pf_memory_need(layout->n_instances, sizeof *instances, error);
  if (keep == NULL || instances == NULL) {
    goto done;
  }
  for (size_t s = 0; s < layout->n_instances; s++) {
    keep[s] = !missing[s];
  }
  status = refit_values(problem, &(start){layout, unit->values, keep, false}, &found, error);
  if (status == PF_OK) {
    pf_layout_instances(found.layout, found.values, instances);
    pf_layout_values(layout, instances, unit->values);
  }
done:
  pf_refit_clear(&found);
  pf_memory_free(keep);
  pf_memory_free(instances);
  return status;
}

/** Is it a parameter of the rules, or of what the host forgets? */
static bool is_of_plasticity(const pf_model *model, size_t i)
{
  const pf_loss_term *last = model->n_losses > 0 ? &model->losses[model->n_losses - 1] : NULL;
  const bool of_loss = last != NULL && i >= model->losses[0].theta0 &&
                       i < last->theta0 + last->declared.parameters.count;
  const bool of_network =
      i >= model->network_theta0 && i < model->network_theta0 + model->declared.parameters.count;
  return !(of_network || of_loss || i >= model->start_theta0);
}

pf_status pf_refit_null(const pf_problem *problem, const pf_layout *layout, const double *values,
                        pf_refit *out, pf_error *error)
{
  *out = (pf_refit){0};
  bool *keep = pf_memory_need(layout->n_instances, sizeof *keep, error);
  bool any = false;
  if (keep == NULL) {
    return PF_STOP;
  }
  for (size_t s = 0; s < layout->n_instances; s++) {
    keep[s] = is_of_plasticity(problem->model, layout->instances[s].parameter);
    any = any || (!keep[s] && layout->instances[s].value != PF_LAYOUT_NONE);
  }
  const pf_status status =
      any ? refit_values(problem, &(start){layout, values, keep, true}, out, error) : PF_OK;
  pf_memory_free(keep);
  return status;
}
