#include "core/model/plastic.h"

#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/data/data_names.h"
#include "core/model/modulation.h"
#include "core/model/table_copy.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static pf_status find_projection(const pf_model *model, const char *name, int64_t *index,
                                 pf_error *error)
{
  pf_text all = {0};
  for (size_t q = 0; q < model->n_projections; q++) {
    const pf_projection *projection = &model->projections[q];
    if ((projection->flags & PF_PROJECTION_PLASTIC) == 0) {
      continue;
    }
    if (strcmp(projection->name, name) == 0) {
      *index = (int64_t)q;
      pf_text_free(&all);
      return PF_OK;
    }
    pf_text_add(&all, "%s%s", all.length > 0 ? ", " : "", projection->name);
  }
  (void)pf_fail(error, PF_STOP, "%s has no plastic projection '%s'; it has: %s",
                model->network->label, name, all.text == NULL ? "none" : all.text);
  pf_text_free(&all);
  return PF_STOP;
}

static pf_status check_traces(const pf_plastic *plastic, pf_error *error)
{
  const char *name = plastic->rule->label;
  const pf_rule_ops *ops = plastic->rule->plugin->rule;
  if (plastic->declared.traces.count > 0 &&
      (!PF_HAS(ops, pf_rule_ops, update_traces_vjp) || ops->update_traces == NULL ||
       ops->update_traces_vjp == NULL)) {
    return pf_fail(error, PF_STOP,
                   "%s keeps traces without `update_traces` and `update_traces_vjp`; this is a "
                   "fault of the plugin",
                   name);
  }
  for (size_t k = 0; k < plastic->declared.traces.count; k++) {
    const pf_trace *trace = &plastic->traces[k];
    if (trace->per > PF_PER_SYNAPSE || !isfinite(trace->initial)) {
      return pf_fail(error, PF_STOP,
                     "%s: trace '%s' is per %u and starts at %g; this is a fault of the plugin",
                     name, trace->name, (unsigned)trace->per, trace->initial);
    }
  }
  return PF_OK;
}

/* ---- what the rule sees of units ---- */

static const char *const host_signals[] = {
    [PF_SEEN_CHOICE] = "choice", [PF_SEEN_ERROR] = "error", [PF_SEEN_RECORDED] = "recorded"};

/** One side of the rule's projection. */
typedef struct side {
  const pf_model *model;
  const pf_plastic *plastic;
  int64_t population;
  bool is_post;
} side;

static side side_of(const pf_model *model, const pf_plastic *plastic, bool is_post)
{
  const pf_projection *projection = &model->projections[plastic->projection];
  return (side){.model = model,
                .plastic = plastic,
                .population = is_post ? projection->post : projection->pre,
                .is_post = is_post};
}

static const char *projection_of(const side *of)
{
  return of->model->projections[of->plastic->projection].name;
}

static pf_status fail_signal(const side *of, const char *name, pf_error *error)
{
  const pf_population *units = &of->model->populations[of->population];
  pf_text all = {0};
  for (size_t s = 0; s < units->signals.count; s++) {
    pf_text_add(&all, "%s, ", units->signals.items[s]);
  }
  (void)pf_fail(
      error, PF_STOP, "%s on '%s': its %s units have no signal '%s'; they have: %s%s",
      of->plastic->rule->label, projection_of(of), of->is_post ? "postsynaptic" : "presynaptic",
      name, all.text == NULL ? "" : all.text, of->is_post ? "choice, error, recorded" : "recorded");
  pf_text_free(&all);
  return PF_STOP;
}

/** The observable of these units with that name; NULL: it is not theirs. */
static const pf_observable *find_output(const side *of, const char *name)
{
  const int64_t o = pf_model_observable(of->model, name);
  return o >= 0 && of->model->observables[o].population == of->population
             ? &of->model->observables[o]
             : NULL;
}

/** Choices are of the units that choose, and their error is of the probability that these have. */
static pf_status check_outputs(const side *of, pf_seen_signal *seen, pf_error *error)
{
  const pf_plastic *plastic = of->plastic;
  const pf_observable *probability = find_output(of, "probability");
  if (seen->kind == PF_SEEN_RECORDED) {
    return PF_OK;
  }
  if (!of->is_post || (probability == NULL && find_output(of, "logit") == NULL)) {
    return pf_fail(error, PF_STOP,
                   "%s on '%s' sees the %s, but choices are made by other units; put the rule on "
                   "the projection onto the network's outputs",
                   plastic->rule->label, projection_of(of), host_signals[seen->kind]);
  }
  if (plastic->post.signed_choice && plastic->n_post > 1) {
    return pf_fail(error, PF_STOP,
                   "choice_code = \"signed\" is for one output, but '%s' leads to %lld; leave it "
                   "out: the choice is 1 for the option taken and 0 for the others",
                   projection_of(of), (long long)plastic->n_post);
  }
  if (seen->kind == PF_SEEN_CHOICE) {
    return PF_OK;
  }
  if (probability == NULL) {
    return pf_fail(error, PF_STOP,
                   "%s on '%s' sees the error, the choice minus its probability, but %s has no "
                   "observable 'probability'; give its last layer output = \"sigmoid\", or "
                   "\"softmax\" for several options",
                   plastic->rule->label, projection_of(of), of->model->network->label);
  }
  seen->signal = probability->signal;
  return PF_OK;
}

/** The signal that the units transmit, which is their activity for a rule; of the postsynaptic
 * side the first. */
static int64_t activity_of(const side *of)
{
  return of->is_post ? 0 : of->model->projections[of->plastic->projection].signal;
}

static pf_status find_signal(const side *of, const char *name, pf_seen_signal *seen,
                             pf_error *error)
{
  const pf_names signals = of->model->populations[of->population].signals;
  *seen = (pf_seen_signal){.kind = PF_SEEN_NETWORK, .signal = activity_of(of)};
  if (pf_is_activity(name)) {
    return PF_OK;
  }
  for (size_t s = 0; s < signals.count; s++) {
    if (strcmp(signals.items[s], name) == 0) {
      seen->signal = (int64_t)s;
      return PF_OK;
    }
  }
  for (uint32_t kind = PF_SEEN_CHOICE; kind <= PF_SEEN_RECORDED; kind++) {
    if (strcmp(host_signals[kind], name) == 0) {
      seen->kind = kind;
      return check_outputs(of, seen, error);
    }
  }
  return fail_signal(of, name, error);
}

static pf_names declared_signals(const pf_plastic *plastic, bool is_post)
{
  static const char *const activity[] = {"activity"};
  const pf_names names = is_post ? plastic->declared.post_signals : plastic->declared.pre_signals;
  return names.count > 0 ? names : (pf_names){activity, 1};
}

/** The rule's signals of one side in its order; `named` stands for its "activity". */
static pf_status find_signals(const side *of, const char *named, pf_seen *out, pf_error *error)
{
  const pf_modulation *modulation = &of->plastic->modulation;
  const size_t n_modulators = of->is_post ? modulation->n_post : modulation->n_pre;
  const pf_names names = declared_signals(of->plastic, of->is_post);
  bool is_replaced = named == NULL;
  out->n_units = of->is_post ? of->plastic->n_post : of->plastic->n_pre;
  out->signals = pf_memory_need(names.count, sizeof *out->signals, error);
  if (out->signals == NULL) {
    return PF_STOP;
  }
  for (size_t s = 0; s < names.count; s++) {
    const bool is_activity = pf_is_activity(names.items[s]);
    const char *name = named != NULL && is_activity ? named : names.items[s];
    const pf_status status = find_signal(of, name, &out->signals[s], error);
    if (status != PF_OK) {
      return status;
    }
    is_replaced = is_replaced || is_activity;
  }
  if (!is_replaced) {
    return pf_fail(error, PF_STOP,
                   "%s = \"%s\" says what %s is, but %s reads no %s: it asks for its signals by "
                   "name; leave `%s` out",
                   of->is_post ? "post" : "pre", named, of->is_post ? "y" : "x",
                   of->plastic->rule->label, of->is_post ? "y" : "x", of->is_post ? "post" : "pre");
  }
  const pf_seen_signal *first = &out->signals[0];
  const bool is_plain =
      names.count == 1 && first->kind == PF_SEEN_NETWORK && first->signal == activity_of(of);
  /* modulators per unit lie as far apart as signals do: then signals are laid out anew */
  out->n = is_plain && n_modulators == 0 ? 0 : names.count;
  return PF_OK;
}

static const char *name_seen(const pf_model *model, const pf_plastic *plastic, bool is_post)
{
  const side of = side_of(model, plastic, is_post);
  const pf_seen *seen = is_post ? &plastic->post : &plastic->pre;
  const pf_names names = declared_signals(plastic, is_post);
  for (size_t s = 0; s < seen->n; s++) {
    const pf_seen_signal *signal = &seen->signals[s];
    if (!pf_is_activity(names.items[s])) {
      continue;
    }
    if (signal->kind != PF_SEEN_NETWORK) {
      return host_signals[signal->kind];
    }
    return signal->signal == activity_of(&of)
               ? NULL
               : model->populations[of.population].signals.items[signal->signal];
  }
  return NULL;
}

const char *pf_plastic_post(const pf_model *model, const pf_plastic *plastic)
{
  return name_seen(model, plastic, true);
}

const char *pf_plastic_pre(const pf_model *model, const pf_plastic *plastic)
{
  return name_seen(model, plastic, false);
}

/* ---- rows ---- */

static int compare_by_first(const void *a, const void *b)
{
  const pf_range *one = a, *other = b;
  return (one->first > other->first) - (one->first < other->first);
}

/** Does a range of `other` overlap one of the first n of `plastic`? *unit: the first shared one. */
static bool find_overlap(const pf_plastic *plastic, size_t n, const pf_range *range, int64_t *unit)
{
  for (size_t r = 0; r < n; r++) {
    const pf_range *own = &plastic->ranges[r];
    if (own->first < range->first + range->n && range->first < own->first + own->n) {
      *unit = own->first > range->first ? own->first : range->first;
      return true;
    }
  }
  return false;
}

/** No row may have two rules. */
static pf_status check_overlaps(const pf_model *model, const pf_plastic *plastic,
                                const char *projection, pf_error *error)
{
  for (const pf_plastic *other = model->plastic; other <= plastic; other++) {
    if (other->projection != plastic->projection) {
      continue;
    }
    for (size_t r = 0; r < plastic->n_ranges; r++) {
      int64_t unit = 0;
      if (find_overlap(other, other == plastic ? r : other->n_ranges, &plastic->ranges[r], &unit)) {
        return pf_fail(error, PF_STOP,
                       "projection '%s' is given two rules for unit %lld, expected one", projection,
                       (long long)unit);
      }
    }
  }
  return PF_OK;
}

/** Rows that the rule acts on: all, or the ranges of the spec. */
static pf_status set_ranges(const pf_model *model, pf_plastic *plastic, const pf_plastic_spec *spec,
                            pf_error *error)
{
  plastic->n_ranges = spec->n_ranges == 0 ? 1 : spec->n_ranges;
  plastic->ranges = pf_memory_need(plastic->n_ranges, sizeof *plastic->ranges, error);
  if (plastic->ranges == NULL) {
    return PF_STOP;
  }
  plastic->ranges[0] = (pf_range){0, plastic->n_post};
  for (size_t r = 0; r < spec->n_ranges; r++) {
    const pf_range range = spec->ranges[r];
    if (range.first < 0 || range.n < 1 || range.first >= plastic->n_post ||
        range.n > plastic->n_post - range.first) {
      return pf_fail(error, PF_STOP,
                     "projection '%s' has postsynaptic units 0 to %lld, found units %lld to %lld",
                     spec->projection, (long long)plastic->n_post - 1, (long long)range.first,
                     (long long)(range.first + range.n - 1));
    }
    plastic->ranges[r] = range;
  }
  qsort(plastic->ranges, plastic->n_ranges, sizeof *plastic->ranges, compare_by_first);
  return check_overlaps(model, plastic, spec->projection, error);
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

/* ---- the whole ---- */

static pf_status declare_rule(pf_plastic *plastic, pf_error *error)
{
  pf_rule_declaration *declared = &plastic->declared;
  declared->size = sizeof *declared;
  const pf_status status =
      plastic->rule->plugin->rule->declare(plastic->rule->self, declared, error);
  if (status != PF_OK) {
    return status;
  }
  plastic->traces = pf_table_copy(declared->traces.items, declared->traces.stride,
                                  declared->traces.count, sizeof *plastic->traces, error);
  plastic->modulator_info =
      pf_table_copy(declared->modulators.items, declared->modulators.stride,
                    declared->modulators.count, sizeof *plastic->modulator_info, error);
  return plastic->traces == NULL || plastic->modulator_info == NULL ? PF_STOP : PF_OK;
}

pf_status pf_plastic_add(pf_model *model, const pf_plastic_spec *spec, pf_names channels,
                         pf_error *error)
{
  pf_plastic *plastic = &model->plastic[model->n_plastic++];
  plastic->rule = spec->rule;
  pf_status status = find_projection(model, spec->projection, &plastic->projection, error);
  if (status != PF_OK) {
    return status;
  }
  status = declare_rule(plastic, error);
  if (status != PF_OK) {
    return status;
  }
  status = check_traces(plastic, error);
  if (status != PF_OK) {
    return status;
  }
  const pf_projection *projection = &model->projections[plastic->projection];
  plastic->n_pre = model->populations[projection->pre].n;
  plastic->n_post = model->populations[projection->post].n;
  plastic->eta = isnan(spec->eta) ? 1.0 / (double)plastic->n_pre : spec->eta;
  for (size_t k = 0; k < plastic->declared.traces.count; k++) {
    plastic->n_traces[plastic->traces[k].per]++;
  }
  status = set_ranges(model, plastic, spec, error);
  if (status != PF_OK) {
    return status;
  }
  const pf_modulation_spec modulation = {.first = spec->modulator,
                                         .compartments = spec->compartments,
                                         .n_compartments = spec->n_compartments};
  status = pf_modulation_make(plastic, &modulation, channels, error);
  if (status != PF_OK) {
    return status;
  }
  const side pre = side_of(model, plastic, false), post = side_of(model, plastic, true);
  plastic->post.signed_choice = spec->signed_choice;
  status = find_signals(&post, spec->post, &plastic->post, error);
  if (status != PF_OK) {
    return status;
  }
  return find_signals(&pre, spec->pre, &plastic->pre, error);
}

void pf_plastic_free(pf_plastic *plastic)
{
  pf_modulation_free(plastic);
  pf_memory_free(plastic->modulator_info);
  pf_memory_free(plastic->traces);
  pf_memory_free(plastic->ranges);
  pf_memory_free(plastic->post.signals);
  pf_memory_free(plastic->pre.signals);
}
