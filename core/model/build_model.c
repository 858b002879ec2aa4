#include "core/model/build_model.h"

#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/model/phases.h"
#include "core/model/table_copy.h"

#include <string.h>

/* ---- the network ---- */

static const pf_population *population_at(const pf_model *model, int64_t p)
{
  return p < 0 || p >= (int64_t)model->n_populations ? NULL : &model->populations[p];
}

static bool has_signal(const pf_population *population, int64_t signal)
{
  return population != NULL && signal >= 0 && (size_t)signal < population->signals.count;
}

static pf_status check_populations(const pf_model *model, pf_error *error)
{
  const char *name = model->network->label;
  if (model->n_populations == 0 || (model->populations[0].flags & PF_POPULATION_INPUT) == 0) {
    return pf_fail(error, PF_STOP,
                   "%s: its first population must be the input; this is a fault of the plugin",
                   name);
  }
  for (size_t p = 0; p < model->n_populations; p++) {
    const pf_population *population = &model->populations[p];
    if (population->n < 1 || population->signals.count < 1) {
      return pf_fail(
          error, PF_STOP,
          "%s: population '%s' has %lld units and %zu signals, expected at least one of each", name,
          population->name, (long long)population->n, population->signals.count);
    }
    if (p > 0 && (population->flags & PF_POPULATION_INPUT) != 0) {
      return pf_fail(error, PF_STOP, "%s: population '%s' is a second input, expected one", name,
                     population->name);
    }
    if (population->n_state < 0 || (p == 0 && population->n_state > 0)) {
      return pf_fail(error, PF_STOP, "%s: population '%s' has %lld state variables, expected %s",
                     name, population->name, (long long)population->n_state,
                     p == 0 ? "none of an input" : "0 or more");
    }
  }
  return PF_OK;
}

static pf_status check_projections(const pf_model *model, pf_error *error)
{
  const char *name = model->network->label;
  for (size_t q = 0; q < model->n_projections; q++) {
    const pf_projection *projection = &model->projections[q];
    if (!has_signal(population_at(model, projection->pre), projection->signal) ||
        population_at(model, projection->post) == NULL || projection->post == 0) {
      return pf_fail(error, PF_STOP,
                     "%s: projection '%s' joins populations or signals that do not exist", name,
                     projection->name);
    }
    if (projection->when != PF_PRE_PREVIOUS && projection->pre >= projection->post) {
      return pf_fail(error, PF_STOP,
                     "%s: projection '%s' leads back within a step; populations must be listed so "
                     "that it leads to a "
                     "later one, or it must transmit the activity of the step before; this is a "
                     "fault of the plugin",
                     name, projection->name);
    }
  }
  for (size_t k = 0; k < model->n_observables; k++) {
    const pf_observable *observable = &model->observables[k];
    if (!has_signal(population_at(model, observable->population), observable->signal)) {
      return pf_fail(error, PF_STOP, "%s: observable '%s' names a signal that does not exist", name,
                     observable->name);
    }
  }
  return PF_OK;
}

static pf_status copy_tables(pf_model *model, pf_error *error)
{
  const pf_network_declaration *declared = &model->declared;
  model->populations =
      pf_table_copy(declared->populations.items, declared->populations.stride,
                    declared->populations.count, sizeof *model->populations, error);
  model->projections =
      pf_table_copy(declared->projections.items, declared->projections.stride,
                    declared->projections.count, sizeof *model->projections, error);
  model->observables =
      pf_table_copy(declared->observables.items, declared->observables.stride,
                    declared->observables.count, sizeof *model->observables, error);
  if (model->populations == NULL || model->projections == NULL || model->observables == NULL) {
    return PF_STOP;
  }
  model->n_populations = declared->populations.count;
  model->n_projections = declared->projections.count;
  model->n_observables = declared->observables.count;
  return PF_OK;
}

static pf_status declare_network(pf_model *model, pf_error *error)
{
  model->declared.size = sizeof model->declared;
  pf_status status =
      model->network->plugin->network->declare(model->network->self, &model->declared, error);
  if (status != PF_OK) {
    return status;
  }
  status = copy_tables(model, error);
  if (status != PF_OK) {
    return status;
  }
  status = check_populations(model, error);
  if (status != PF_OK) {
    return status;
  }
  status = check_projections(model, error);
  if (status != PF_OK) {
    return status;
  }
  model->n_noise = model->declared.n_noise;
  model->masks = pf_memory_need(model->n_projections, sizeof *model->masks, error);
  model->bounds = pf_memory_need(model->n_projections, sizeof *model->bounds, error);
  model->starts = pf_memory_need(model->n_projections, sizeof *model->starts, error);
  model->phase = pf_memory_need(model->n_populations, sizeof *model->phase, error);
  return model->masks == NULL || model->bounds == NULL || model->starts == NULL ||
                 model->phase == NULL
             ? PF_STOP
             : PF_OK;
}

/* ---- the losses ---- */

static pf_status fail_observable(const pf_model *model, const char *label, const char *name,
                                 pf_error *error)
{
  pf_text all = {0};
  for (size_t o = 0; o < model->n_observables; o++) {
    pf_text_add(&all, "%s%s", o > 0 ? ", " : "", model->observables[o].name);
  }
  (void)pf_fail(error, PF_STOP, "%s needs the observable '%s'; %s has: %s", label, name,
                model->network->label, all.text == NULL ? "none" : all.text);
  pf_text_free(&all);
  return PF_STOP;
}

static pf_status add_loss(pf_model *model, const pf_loss_spec *spec, pf_error *error)
{
  pf_loss_term *term = &model->losses[model->n_losses++];
  term->loss = spec->loss;
  term->weight = spec->weight;
  term->declared.size = sizeof term->declared;
  const pf_status status =
      spec->loss->plugin->loss->declare(spec->loss->self, &term->declared, error);
  if (status != PF_OK) {
    return status;
  }
  const pf_names *names = &term->declared.observables;
  const size_t n_targets = term->declared.targets.count;
  if (names->count < 1 || names->count > PF_LOSS_MAX_ARRAYS || n_targets < 1 ||
      n_targets > PF_LOSS_MAX_ARRAYS) {
    return pf_fail(error, PF_STOP,
                   "%s declares %zu observables and %zu targets, expected 1 to %d of each",
                   spec->loss->label, names->count, n_targets, PF_LOSS_MAX_ARRAYS);
  }
  term->observables = pf_memory_need(names->count, sizeof *term->observables, error);
  if (term->observables == NULL) {
    return PF_STOP;
  }
  for (size_t k = 0; k < names->count; k++) {
    term->observables[k] = pf_model_observable(model, names->items[k]);
    if (term->observables[k] < 0) {
      return fail_observable(model, spec->loss->label, names->items[k], error);
    }
  }
  return PF_OK;
}

/* ---- parameters ---- */

static void append_declared(pf_model *model, const pf_parameter_table *table, const char *owner)
{
  for (size_t k = 0; k < table->count; k++) {
    pf_model_parameter *parameter = &model->parameters[model->n_parameters++];
    /* a plugin built against another minor may declare fewer fields: the rest stays zero */
    const size_t size =
        table->stride < sizeof parameter->declared ? table->stride : sizeof parameter->declared;
    memcpy(&parameter->declared, pf_table_at(table->items, table->stride, table->count, k), size);
    parameter->owner = owner;
  }
}

static pf_status gather_parameters(pf_model *model, const pf_model_spec *spec, pf_error *error)
{
  size_t count = model->declared.parameters.count;
  for (size_t p = 0; p < model->n_plastic; p++) {
    count += model->plastic[p].declared.parameters.count;
  }
  for (size_t k = 0; k < model->n_losses; k++) {
    count += model->losses[k].declared.parameters.count;
  }
  model->parameters = pf_memory_need(count, sizeof *model->parameters, error);
  if (model->parameters == NULL) {
    return PF_STOP;
  }
  for (size_t p = 0; p < model->n_plastic; p++) {
    model->plastic[p].theta0 = model->n_parameters;
    append_declared(model, &model->plastic[p].declared.parameters, spec->plastic[p].owner);
  }
  model->network_theta0 = model->n_parameters;
  append_declared(model, &model->declared.parameters, "network");
  for (size_t k = 0; k < model->n_losses; k++) {
    model->losses[k].theta0 = model->n_parameters;
    append_declared(model, &model->losses[k].declared.parameters, spec->losses[k].owner);
  }
  model->start_theta0 = model->n_parameters;
  return PF_OK;
}

/* ---- the whole ---- */

static pf_status build_model(pf_model *model, const pf_model_spec *spec, pf_error *error)
{
  pf_status status = declare_network(model, error);
  if (status != PF_OK) {
    return status;
  }
  model->plastic = pf_memory_need(spec->n_plastic, sizeof *model->plastic, error);
  model->losses = pf_memory_need(spec->n_losses, sizeof *model->losses, error);
  if (model->plastic == NULL || model->losses == NULL) {
    return PF_STOP;
  }
  for (size_t p = 0; p < spec->n_plastic; p++) {
    status = pf_plastic_add(model, &spec->plastic[p], spec->channels, error);
    if (status != PF_OK) {
      return status;
    }
  }
  for (size_t k = 0; k < spec->n_losses; k++) {
    status = add_loss(model, &spec->losses[k], error);
    if (status != PF_OK) {
      return status;
    }
  }
  pf_model_choose_phases(model);
  return gather_parameters(model, spec, error);
}

pf_status pf_model_create(const pf_model_spec *spec, pf_model **out, pf_error *error)
{
  pf_model *model = pf_memory_need(1, sizeof *model, error);
  if (model == NULL) {
    return PF_STOP;
  }
  model->network = spec->network;
  model->normalisation = spec->normalisation;
  const pf_status status = build_model(model, spec, error);
  if (status != PF_OK) {
    pf_model_free(model);
    return status;
  }
  *out = model;
  return PF_OK;
}

void pf_model_free(pf_model *model)
{
  if (model == NULL) {
    return;
  }
  for (size_t p = 0; p < model->n_plastic; p++) {
    pf_plastic_free(&model->plastic[p]);
  }
  for (size_t k = 0; k < model->n_losses; k++) {
    pf_memory_free(model->losses[k].observables);
  }
  if (model->masks != NULL && model->bounds != NULL && model->starts != NULL) {
    for (size_t q = 0; q < model->n_projections; q++) {
      pf_memory_free(model->masks[q].connected);
      pf_memory_free(model->masks[q].changes);
      pf_memory_free(model->bounds[q].lower);
      pf_memory_free(model->bounds[q].upper);
      pf_memory_free(model->starts[q].names);
    }
  }
  pf_memory_free(model->starts);
  pf_memory_free(model->bounds);
  pf_memory_free(model->masks);
  pf_memory_free(model->plastic);
  pf_memory_free(model->losses);
  pf_memory_free(model->parameters);
  pf_memory_free(model->phase);
  pf_memory_free(model->populations);
  pf_memory_free(model->projections);
  pf_memory_free(model->observables);
  pf_memory_free(model);
}
