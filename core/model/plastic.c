#include "core/model/plastic.h"

#include "core/base/memory.h"
#include "core/base/text.h"
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

static bool is_activity_alone(pf_names signals)
{
  return signals.count == 0 || (signals.count == 1 && strcmp(signals.items[0], "activity") == 0);
}

/** The engine hands a rule one signal of either side: the one transmitted, and the activity. */
static pf_status check_rule(const pf_plastic *plastic, pf_error *error)
{
  const pf_rule_declaration *declared = &plastic->declared;
  const char *name = plastic->rule->label;
  const pf_status status = check_traces(plastic, error);
  if (status != PF_OK) {
    return status;
  }
  if (!is_activity_alone(declared->pre_signals) || !is_activity_alone(declared->post_signals)) {
    return pf_fail(
        error, PF_STOP,
        "%s asks for signals other than activity, which this version's engine does not give", name);
  }
  for (size_t k = 0; k < declared->modulators.count; k++) {
    if (plastic->modulator_info[k].per != PF_PER_NETWORK) {
      return pf_fail(
          error, PF_STOP,
          "%s: modulator '%s' has a value per unit, which this version's engine does not give",
          name, plastic->modulator_info[k].name);
    }
  }
  return PF_OK;
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

/* ---- modulators ---- */

static pf_status parse_modulators(pf_plastic *plastic, const char *first, pf_names channels,
                                  pf_error *error)
{
  const pf_rule_declaration *declared = &plastic->declared;
  const bool unused = declared->reads != 0 && (declared->reads & PF_READS_MODULATOR) == 0;
  plastic->modulators =
      pf_memory_need(declared->modulators.count, sizeof *plastic->modulators, error);
  if (plastic->modulators == NULL) {
    return PF_STOP;
  }
  for (size_t k = 0; k < declared->modulators.count; k++) {
    /* a rule that reads no modulator needs no reward in the data */
    const char *text = unused ? "0" : plastic->modulator_info[k].fallback;
    if (k == 0 && first != NULL) {
      text = first;
    }
    const pf_status status = pf_linear_parse(text, channels, &plastic->modulators[k], error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
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
  status = check_rule(plastic, error);
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
  return parse_modulators(plastic, spec->modulator, channels, error);
}

void pf_plastic_free(pf_plastic *plastic)
{
  if (plastic->modulators != NULL) {
    for (size_t k = 0; k < plastic->declared.modulators.count; k++) {
      pf_linear_free(&plastic->modulators[k]);
    }
  }
  pf_memory_free(plastic->modulators);
  pf_memory_free(plastic->modulator_info);
  pf_memory_free(plastic->traces);
  pf_memory_free(plastic->ranges);
}
