/* Building a model: which rule sits on which projection, which parameters there are, what is
 * evaluated when. */
#include "core/model/model.h"

#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/model/phases.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const pf_population *population_at(const pf_model *model, int64_t i)
{
  const pf_population_table *table = &model->declared.populations;
  return i < 0 ? NULL : pf_table_at(table->items, table->stride, table->count, (size_t)i);
}

static const pf_projection *projection_at(const pf_model *model, int64_t i)
{
  const pf_projection_table *table = &model->declared.projections;
  return i < 0 ? NULL : pf_table_at(table->items, table->stride, table->count, (size_t)i);
}

/* ---- the network ---- */

static pf_status check_populations(const pf_model *model, pf_error *error)
{
  const char *name = model->network->label;
  if (model->declared.populations.count == 0 ||
      (population_at(model, 0)->flags & PF_POPULATION_INPUT) == 0) {
    return pf_fail(error, PF_STOP,
                   "%s: its first population must be the input; this is a fault of the plugin",
                   name);
  }
  for (size_t p = 0; p < model->declared.populations.count; p++) {
    const pf_population *population = population_at(model, (int64_t)p);
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
  for (size_t q = 0; q < model->declared.projections.count; q++) {
    const pf_projection *projection = projection_at(model, (int64_t)q);
    const pf_population *pre = population_at(model, projection->pre);
    const pf_population *post = population_at(model, projection->post);
    if (pre == NULL || post == NULL || projection->post == 0 || projection->signal < 0 ||
        (size_t)projection->signal >= pre->signals.count) {
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
  for (size_t k = 0; k < model->declared.observables.count; k++) {
    const pf_observable *observable =
        pf_table_at(model->declared.observables.items, model->declared.observables.stride,
                    model->declared.observables.count, k);
    const pf_population *population = population_at(model, observable->population);
    if (population == NULL || observable->signal < 0 ||
        (size_t)observable->signal >= population->signals.count) {
      return pf_fail(error, PF_STOP, "%s: observable '%s' names a signal that does not exist", name,
                     observable->name);
    }
  }
  return PF_OK;
}

/* ---- the rules ---- */

static pf_status find_projection(const pf_model *model, const char *name, int64_t *index,
                                 pf_error *error)
{
  pf_text all = {0};
  *index = -1;
  for (size_t q = 0; q < model->declared.projections.count; q++) {
    const pf_projection *projection = projection_at(model, (int64_t)q);
    if ((projection->flags & PF_PROJECTION_PLASTIC) != 0) {
      pf_text_add(&all, "%s%s", all.length > 0 ? ", " : "", projection->name);
      *index = strcmp(projection->name, name) == 0 ? (int64_t)q : *index;
    }
  }
  pf_status status = PF_OK;
  if (*index < 0) {
    status = pf_fail(error, PF_STOP, "%s has no plastic projection '%s'; it has: %s",
                     model->network->label, name, all.text == NULL ? "none" : all.text);
  }
  pf_text_free(&all);
  return status;
}

/** The engine hands a rule one signal of either side: the one transmitted, and the activity. */
static pf_status check_rule(const pf_plastic *plastic, pf_error *error)
{
  const pf_rule_declaration *declared = &plastic->declared;
  const char *name = plastic->rule->label;
  const pf_rule_ops *ops = plastic->rule->plugin->rule;
  if (declared->traces.count > 0 &&
      (!PF_HAS(ops, pf_rule_ops, update_traces_vjp) || ops->update_traces == NULL ||
       ops->update_traces_vjp == NULL)) {
    return pf_fail(error, PF_STOP,
                   "%s keeps traces without `update_traces` and `update_traces_vjp`; this is a "
                   "fault of the plugin",
                   name);
  }
  for (size_t k = 0; k < declared->traces.count; k++) {
    const pf_trace *trace =
        pf_table_at(declared->traces.items, declared->traces.stride, declared->traces.count, k);
    if (trace->per > PF_PER_SYNAPSE || !isfinite(trace->initial)) {
      return pf_fail(error, PF_STOP,
                     "%s: trace '%s' is per %u and starts at %g; this is a fault of the plugin",
                     name, trace->name, (unsigned)trace->per, trace->initial);
    }
  }
  bool pre_is_activity =
      declared->pre_signals.count == 0 ||
      (declared->pre_signals.count == 1 && strcmp(declared->pre_signals.items[0], "activity") == 0);
  bool post_is_activity = declared->post_signals.count == 0 ||
                          (declared->post_signals.count == 1 &&
                           strcmp(declared->post_signals.items[0], "activity") == 0);
  if (!pre_is_activity || !post_is_activity) {
    return pf_fail(
        error, PF_STOP,
        "%s asks for signals other than activity, which this version's engine does not give", name);
  }
  for (size_t k = 0; k < declared->modulators.count; k++) {
    const pf_modulator *modulator = pf_table_at(
        declared->modulators.items, declared->modulators.stride, declared->modulators.count, k);
    if (modulator->per != PF_PER_NETWORK) {
      return pf_fail(
          error, PF_STOP,
          "%s: modulator '%s' has a value per unit, which this version's engine does not give",
          name, modulator->name);
    }
  }
  return PF_OK;
}

static int by_first(const void *a, const void *b)
{
  const pf_range *one = a, *other = b;
  return (one->first > other->first) - (one->first < other->first);
}

bool pf_plastic_has_row(const pf_plastic *plastic, int64_t i)
{
  for (size_t r = 0; r < plastic->n_ranges; r++) {
    if (i >= plastic->ranges[r].first && i < plastic->ranges[r].first + plastic->ranges[r].n) {
      return true;
    }
  }
  return false;
}

/** Rows that the rule acts on: all, or the ranges of the spec; no row may have two rules. */
static pf_status take_rows(const pf_model *model, pf_plastic *plastic, const pf_plastic_spec *spec,
                           pf_error *error)
{
  plastic->n_ranges = spec->n_ranges == 0 ? 1 : spec->n_ranges;
  plastic->ranges = pf_memory_need(plastic->n_ranges, sizeof *plastic->ranges, error);
  if (plastic->ranges == NULL) {
    return PF_STOP;
  }
  plastic->ranges[0] = (pf_range){0, plastic->n_post};
  for (size_t r = 0; r < spec->n_ranges; r++) {
    plastic->ranges[r] = spec->ranges[r];
    if (spec->ranges[r].first < 0 || spec->ranges[r].n < 1 ||
        spec->ranges[r].first >= plastic->n_post ||
        spec->ranges[r].n > plastic->n_post - spec->ranges[r].first) {
      return pf_fail(error, PF_STOP,
                     "projection '%s' has postsynaptic units 0 to %lld, found units %lld to %lld",
                     spec->projection, (long long)plastic->n_post - 1,
                     (long long)spec->ranges[r].first,
                     (long long)(spec->ranges[r].first + spec->ranges[r].n - 1));
    }
  }
  qsort(plastic->ranges, plastic->n_ranges, sizeof *plastic->ranges, by_first);
  for (const pf_plastic *other = model->plastic; other <= plastic; other++) {
    for (size_t r = 0; r < plastic->n_ranges && other->projection == plastic->projection; r++) {
      for (size_t o = 0; o < (other == plastic ? r : other->n_ranges); o++) {
        const pf_range *a = &plastic->ranges[r], *b = &other->ranges[o];
        if (a->first < b->first + b->n && b->first < a->first + a->n) {
          return pf_fail(error, PF_STOP,
                         "projection '%s' is given two rules for unit %lld, expected one",
                         spec->projection, (long long)(a->first > b->first ? a->first : b->first));
        }
      }
    }
  }
  return PF_OK;
}

static pf_status add_plastic(pf_model *model, const pf_plastic_spec *spec, pf_names channels,
                             pf_error *error)
{
  pf_plastic *plastic = &model->plastic[model->n_plastic++];
  plastic->rule = spec->rule;
  plastic->declared.size = sizeof plastic->declared;
  pf_status status = find_projection(model, spec->projection, &plastic->projection, error);
  if (status != PF_OK) {
    return status;
  }
  status = spec->rule->plugin->rule->declare(spec->rule->self, &plastic->declared, error);
  status = status == PF_OK ? check_rule(plastic, error) : status;
  if (status != PF_OK) {
    return status;
  }
  const pf_projection *projection = projection_at(model, plastic->projection);
  plastic->n_pre = population_at(model, projection->pre)->n;
  plastic->n_post = population_at(model, projection->post)->n;
  status = take_rows(model, plastic, spec, error);
  if (status != PF_OK) {
    return status;
  }
  for (size_t k = 0; k < plastic->declared.traces.count; k++) {
    const pf_trace *trace =
        pf_table_at(plastic->declared.traces.items, plastic->declared.traces.stride,
                    plastic->declared.traces.count, k);
    plastic->n_traces[trace->per]++;
  }
  plastic->eta = isnan(spec->eta) ? 1.0 / (double)plastic->n_pre : spec->eta;
  size_t n_modulators = plastic->declared.modulators.count;
  plastic->modulators = pf_memory_need(n_modulators, sizeof *plastic->modulators, error);
  if (plastic->modulators == NULL) {
    return PF_STOP;
  }
  for (size_t k = 0; k < n_modulators && status == PF_OK; k++) {
    const pf_modulator *modulator = pf_table_at(
        plastic->declared.modulators.items, plastic->declared.modulators.stride, n_modulators, k);
    const char *text = k == 0 ? spec->modulator : NULL;
    bool unused =
        plastic->declared.reads != 0 && (plastic->declared.reads & PF_READS_MODULATOR) == 0;
    if (text == NULL && unused) {
      text = "0"; /* a rule that reads no modulator needs no reward in the data */
    }
    status = pf_linear_parse(text == NULL ? modulator->fallback : text, channels,
                             &plastic->modulators[k], error);
  }
  return status;
}

/* ---- the losses ---- */

int64_t pf_model_observable(const pf_model *model, const char *name)
{
  const pf_observable_table *table = &model->declared.observables;
  bool alias = strcmp(name, "activity") == 0 && model->n_plastic > 0;
  for (size_t k = 0; k < table->count; k++) {
    const pf_observable *observable = pf_table_at(table->items, table->stride, table->count, k);
    if (strcmp(observable->name, name) == 0) {
      return (int64_t)k;
    }
  }
  for (size_t k = 0; k < table->count && alias; k++) {
    const pf_observable *observable = pf_table_at(table->items, table->stride, table->count, k);
    if (observable->population == projection_at(model, model->plastic[0].projection)->post &&
        observable->signal == 0) {
      return (int64_t)k;
    }
  }
  return -1;
}

static pf_status add_loss(pf_model *model, const pf_loss_spec *spec, pf_error *error)
{
  pf_loss_term *term = &model->losses[model->n_losses++];
  term->loss = spec->loss;
  term->weight = spec->weight;
  term->declared.size = sizeof term->declared;
  pf_status status = spec->loss->plugin->loss->declare(spec->loss->self, &term->declared, error);
  if (status != PF_OK) {
    return status;
  }
  size_t n = term->declared.observables.count;
  if (n < 1 || n > PF_LOSS_MAX_ARRAYS || term->declared.targets.count < 1 ||
      term->declared.targets.count > PF_LOSS_MAX_ARRAYS) {
    return pf_fail(error, PF_STOP,
                   "%s declares %zu observables and %zu targets, expected 1 to %d of each",
                   spec->loss->label, n, term->declared.targets.count, PF_LOSS_MAX_ARRAYS);
  }
  term->observables = pf_memory_need(n, sizeof *term->observables, error);
  if (term->observables == NULL) {
    return PF_STOP;
  }
  for (size_t k = 0; k < n; k++) {
    term->observables[k] = pf_model_observable(model, term->declared.observables.items[k]);
    if (term->observables[k] < 0) {
      pf_text all = {0};
      const pf_observable_table *table = &model->declared.observables;
      for (size_t o = 0; o < table->count; o++) {
        const pf_observable *observable = pf_table_at(table->items, table->stride, table->count, o);
        pf_text_add(&all, "%s%s", o > 0 ? ", " : "", observable->name);
      }
      status = pf_fail(error, PF_STOP, "%s needs the observable '%s'; %s has: %s",
                       spec->loss->label, term->declared.observables.items[k],
                       model->network->label, all.text == NULL ? "none" : all.text);
      pf_text_free(&all);
      return status;
    }
  }
  return PF_OK;
}

/* ---- parameters ---- */

static void add_parameters(pf_model *model, const pf_parameter_table *table, const char *owner)
{
  for (size_t k = 0; k < table->count; k++) {
    pf_model_parameter *parameter = &model->parameters[model->n_parameters++];
    /* a plugin built against another minor may declare fewer fields: the rest stays zero */
    size_t size =
        table->stride < sizeof parameter->declared ? table->stride : sizeof parameter->declared;
    memcpy(&parameter->declared, pf_table_at(table->items, table->stride, table->count, k), size);
    parameter->owner = owner;
  }
}

static pf_status gather_parameters(pf_model *model, const pf_plastic_spec *plastic,
                                   const pf_loss_spec *losses, pf_error *error)
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
    add_parameters(model, &model->plastic[p].declared.parameters, plastic[p].owner);
  }
  model->network_theta0 = model->n_parameters;
  add_parameters(model, &model->declared.parameters, "network");
  for (size_t k = 0; k < model->n_losses; k++) {
    model->losses[k].theta0 = model->n_parameters;
    add_parameters(model, &model->losses[k].declared.parameters, losses[k].owner);
  }
  return PF_OK;
}

pf_status pf_model_add_parameter(pf_model *model, const pf_parameter *declared, const char *owner,
                                 size_t *index, pf_error *error)
{
  pf_model_parameter *more = pf_memory_need(model->n_parameters + 1, sizeof *more, error);
  if (more == NULL) {
    return PF_STOP;
  }
  if (model->n_parameters > 0) {
    memcpy(more, model->parameters, model->n_parameters * sizeof *more);
  }
  more[model->n_parameters] = (pf_model_parameter){.declared = *declared, .owner = owner};
  pf_memory_free(model->parameters);
  model->parameters = more;
  *index = model->n_parameters++;
  model->start_theta0 = model->n_parameters; /* starting weights come after everything else */
  return PF_OK;
}

pf_status pf_model_forget(pf_model *model, double rate, pf_error *error)
{
  const pf_parameter forgetting = {
      .name = "forgetting",
      .unit = "1/h",
      .initial = rate,
      .value = rate,
      .lower = 0.0,
      .upper = INFINITY,
      .help = "rate at which weights are forgotten between sessions: w exp(-rate gap)"};
  const pf_status status =
      pf_model_add_parameter(model, &forgetting, "sessions", &model->forgetting_theta, error);
  model->forgets = model->forgets || status == PF_OK;
  return status;
}

pf_status pf_model_create(const pf_component *network, const pf_plastic_spec *plastic,
                          size_t n_plastic, const pf_loss_spec *losses, size_t n_losses,
                          uint32_t normalise, pf_names channels, pf_model **out, pf_error *error)
{
  pf_model *model = pf_memory_need(1, sizeof *model, error);
  if (model == NULL) {
    return PF_STOP;
  }
  model->network = network;
  model->normalise = normalise;
  model->declared.size = sizeof model->declared;
  model->plastic = pf_memory_need(n_plastic, sizeof *model->plastic, error);
  model->losses = pf_memory_need(n_losses, sizeof *model->losses, error);
  pf_status status = model->plastic == NULL || model->losses == NULL ? PF_STOP : PF_OK;
  status = status == PF_OK
               ? network->plugin->network->declare(network->self, &model->declared, error)
               : status;
  if (status == PF_OK) {
    model->masks = pf_memory_need(model->declared.projections.count, sizeof *model->masks, error);
    model->bounds = pf_memory_need(model->declared.projections.count, sizeof *model->bounds, error);
    model->starts = pf_memory_need(model->declared.projections.count, sizeof *model->starts, error);
    model->n_noise = model->declared.n_noise;
    status =
        model->masks == NULL || model->bounds == NULL || model->starts == NULL ? PF_STOP : PF_OK;
  }
  status = status == PF_OK ? check_populations(model, error) : status;
  status = status == PF_OK ? check_projections(model, error) : status;
  for (size_t p = 0; p < n_plastic && status == PF_OK; p++) {
    status = add_plastic(model, &plastic[p], channels, error);
  }
  for (size_t k = 0; k < n_losses && status == PF_OK; k++) {
    status = add_loss(model, &losses[k], error);
  }
  status = status == PF_OK ? gather_parameters(model, plastic, losses, error) : status;
  if (status == PF_OK) {
    model->phase = pf_memory_need(model->declared.populations.count, sizeof *model->phase, error);
    status = model->phase == NULL ? PF_STOP : PF_OK;
  }
  if (status != PF_OK) {
    pf_model_free(model);
    return status;
  }
  model->start_theta0 = model->n_parameters;
  pf_model_choose_phases(model);
  *out = model;
  return PF_OK;
}

void pf_model_free(pf_model *model)
{
  if (model == NULL) {
    return;
  }
  for (size_t p = 0; p < model->n_plastic; p++) {
    for (size_t k = 0;
         k < model->plastic[p].declared.modulators.count && model->plastic[p].modulators != NULL;
         k++) {
      pf_linear_free(&model->plastic[p].modulators[k]);
    }
    pf_memory_free(model->plastic[p].modulators);
    pf_memory_free(model->plastic[p].ranges);
  }
  for (size_t k = 0; k < model->n_losses; k++) {
    pf_memory_free(model->losses[k].observables);
  }
  for (size_t q = 0; model->masks != NULL && q < model->declared.projections.count; q++) {
    pf_memory_free(model->masks[q].connected);
    pf_memory_free(model->masks[q].changes);
  }
  for (size_t q = 0; model->bounds != NULL && q < model->declared.projections.count; q++) {
    pf_memory_free(model->bounds[q].lower);
    pf_memory_free(model->bounds[q].upper);
  }
  for (size_t q = 0; model->starts != NULL && q < model->declared.projections.count; q++) {
    pf_memory_free(model->starts[q].names);
  }
  pf_memory_free(model->starts);
  pf_memory_free(model->bounds);
  pf_memory_free(model->masks);
  pf_memory_free(model->plastic);
  pf_memory_free(model->losses);
  pf_memory_free(model->parameters);
  pf_memory_free(model->phase);
  pf_memory_free(model);
}

int64_t pf_model_n_input(const pf_model *model)
{
  return population_at(model, 0)->n;
}

int64_t pf_model_projection(const pf_model *model, const char *name, int64_t *n_post,
                            int64_t *n_pre)
{
  const pf_projection_table *projections = &model->declared.projections;
  const pf_population_table *populations = &model->declared.populations;
  for (size_t q = 0; q < projections->count; q++) {
    const pf_projection *projection =
        pf_table_at(projections->items, projections->stride, projections->count, q);
    if (strcmp(projection->name, name) == 0) {
      const pf_population *post = pf_table_at(populations->items, populations->stride,
                                              populations->count, (size_t)projection->post);
      const pf_population *pre = pf_table_at(populations->items, populations->stride,
                                             populations->count, (size_t)projection->pre);
      *n_post = post->n;
      *n_pre = pre->n;
      return (int64_t)q;
    }
  }
  return -1;
}

bool pf_model_has_traces(const pf_model *model)
{
  for (size_t p = 0; p < model->n_plastic; p++) {
    if (model->plastic[p].declared.traces.count > 0) {
      return true;
    }
  }
  return false;
}
