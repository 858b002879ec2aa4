#include "core/model_config/channels.h"

#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/data/linear.h"
#include "core/settings/source_settings.h"

#include <string.h>

static bool is_among(pf_names names, const char *name)
{
  for (size_t i = 0; i < names.count; i++) {
    if (strcmp(names.items[i], name) == 0) {
      return true;
    }
  }
  return false;
}

static pf_status declare_source(const pf_models *models, pf_source_declaration *out,
                                pf_error *error)
{
  *out = (pf_source_declaration){.size = sizeof *out};
  return models->source.plugin->source->declare(models->source.self, out, error);
}

pf_status pf_channel_names(const pf_models *models, const pf_settings *settings, bool live,
                           pf_names *out, pf_error *error)
{
  pf_source_declaration declared;
  if (declare_source(models, &declared, error) != PF_OK) {
    return PF_STOP;
  }
  const pf_names own = declared.channels;
  const char **names = pf_memory_need(own.count + 1 + settings->n_derived, sizeof *names, error);
  if (names == NULL) {
    return PF_STOP;
  }
  size_t n = 0;
  for (size_t i = 0; i < own.count; i++) {
    names[n++] = own.items[i];
  }
  if (is_among(own, "reward") && !is_among(own, "expected_reward")) {
    names[n++] = "expected_reward";
  }
  for (size_t k = 0; k < settings->n_derived; k++) {
    if (!live || pf_derived_is_live(&settings->derived[k], (pf_names){names, n})) {
      names[n++] = settings->derived[k].name;
    }
  }
  *out = (pf_names){names, n};
  return PF_OK;
}

pf_status pf_modulator_names(const pf_models *models, const pf_settings *settings, bool live,
                             pf_names *out, pf_error *error)
{
  pf_source_declaration declared;
  pf_names channels = {0};
  if (declare_source(models, &declared, error) != PF_OK ||
      pf_channel_names(models, settings, live, &channels, error) != PF_OK) {
    return PF_STOP;
  }
  const bool has_choice = is_among(declared.targets, "choice") && !is_among(channels, "choice");
  const char **names = pf_memory_need(channels.count + 1, sizeof *names, error);
  for (size_t i = 0; names != NULL && i < channels.count; i++) {
    names[i] = channels.items[i];
  }
  pf_memory_free((void *)channels.items);
  if (names == NULL) {
    return PF_STOP;
  }
  names[channels.count] = "choice";
  *out = (pf_names){names, channels.count + (has_choice ? 1 : 0)};
  return PF_OK;
}

static pf_status unknown_channel(const pf_derived *derived, pf_names known, pf_error *error)
{
  const char *nearest = pf_text_nearest(derived->of, known);
  pf_text line = {0};
  pf_text_add(&line, "there is no channel '%s' to derive '%s' from", derived->of, derived->name);
  if (nearest != NULL) {
    pf_text_add(&line, "; did you mean '%s'", nearest);
  }
  pf_text_add(&line, "; the data have: ");
  for (size_t k = 0; k < known.count; k++) {
    pf_text_add(&line, "%s%s", k > 0 ? ", " : "", known.items[k]);
  }
  (void)pf_fail(error, PF_STOP, "%s%s", line.text == NULL ? "out of memory" : line.text,
                known.count == 0 ? "none" : "");
  pf_text_free(&line);
  return PF_STOP;
}

/** A sum of products: does it read what is there, and no choice of its own step? */
static pf_status check_products(const pf_derived *derived, const pf_source_declaration *declared,
                                pf_names known, pf_error *error)
{
  const size_t n_targets = pf_derived_is_past(derived) ? declared->targets.count : 0;
  const char **names = pf_memory_need(known.count + n_targets, sizeof *names, error);
  pf_linear linear = {0};
  if (names == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; i < known.count; i++) {
    names[i] = known.items[i];
  }
  for (size_t i = 0; i < n_targets; i++) {
    names[known.count + i] = declared->targets.items[i];
  }
  const pf_names all = {names, known.count + n_targets};
  pf_status status = pf_linear_parse(derived->of, all, &linear, error);
  if (status == PF_OK) {
    status = pf_derived_check(derived, &linear, error);
  }
  pf_linear_free(&linear);
  pf_memory_free(names);
  return status;
}

/** Is its name new, and what it is made from there? */
static pf_status check_channels(const pf_derived *derived, const pf_source_declaration *declared,
                                pf_names known, pf_error *error)
{
  if (is_among(known, derived->name)) {
    return pf_fail(error, PF_STOP, "there is a channel '%s' already, expected a new name",
                   derived->name);
  }
  if (!pf_derived_is_name(derived)) {
    return check_products(derived, declared, known, error);
  }
  const bool of_target = derived->difference == 0 && is_among(declared->targets, derived->of);
  if (!of_target && !is_among(known, derived->of)) {
    return unknown_channel(derived, known, error);
  }
  return PF_OK;
}

static pf_status check_derived(const pf_settings *settings, const pf_models *models,
                               const pf_derived *derived, pf_error *error)
{
  const int n_ways = (derived->lag > 0) + (derived->lag_trials > 0) + (derived->difference > 0);
  pf_source_declaration declared;
  pf_names known = {0};
  if (n_ways != 1 && (n_ways > 0 || pf_derived_is_name(derived))) {
    return pf_fail(
        error, PF_STOP,
        "'%s' is derived with %s, expected one of lag = N, lag_trials = N, difference = N",
        derived->name, n_ways > 0 ? "several of them" : "none of them");
  }
  if (derived->difference > 0 && derived->signed_by_cue) {
    return pf_fail(error, PF_STOP,
                   "'%s' is a difference, which signed_by_cue says nothing about; expected a lag",
                   derived->name);
  }
  if (declare_source(models, &declared, error) != PF_OK ||
      pf_channel_names(models, settings, false, &known, error) != PF_OK) {
    return PF_STOP;
  }
  const pf_status status = check_channels(derived, &declared, known, error);
  pf_memory_free((void *)known.items);
  return status;
}

pf_status pf_derived_read(pf_settings *settings, const pf_models *models, const pf_options *options,
                          pf_error *error)
{
  const pf_node *list = pf_node_get(models->source.node, "derive");
  const size_t n = (size_t)pf_node_count(list);
  settings->derived = pf_memory_need(n, sizeof *settings->derived, error);
  if (settings->derived == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; i < n; i++) {
    pf_derived derived = {0};
    pf_status status =
        pf_settings_read_element(pf_source_keys(), "derive", (int64_t)i, options, &derived, error);
    if (status == PF_OK) {
      status = check_derived(settings, models, &derived, error);
    }
    if (status != PF_OK) {
      pf_settings_clear(pf_source_keys(), "derive", &derived);
      pf_error_locate(error, models->config, pf_node_at(list, (int64_t)i));
      return status;
    }
    settings->derived[settings->n_derived++] = derived;
  }
  return PF_OK;
}
