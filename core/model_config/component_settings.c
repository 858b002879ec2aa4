#include "core/model_config/component_settings.h"

#include "core/base/memory.h"
#include "core/model_config/channels.h"
#include "core/model_config/keys.h"
#include "core/optimise/optimiser.h"
#include "core/settings/root_settings.h"
#include "core/settings/source_settings.h"

#include <stdio.h>
#include <string.h>

/* ---- the top level ---- */

/** Does the plugin of the group `group`, or the host there, have the key? */
static bool belongs_to(const pf_config *config, pf_registry *registry, const char *group,
                       uint32_t kind, const char *key)
{
  const pf_plugin *plugin = NULL;
  const char *name = NULL;
  pf_error unused = pf_error_none();
  if (!pf_node_string(pf_node_get(pf_node_get(pf_config_root(config), group), "plugin"), &name) ||
      pf_registry_find(registry, kind, name, &plugin, NULL, &unused) != PF_OK) {
    return false;
  }
  return pf_keys_have(plugin->options, key) || pf_keys_have(pf_keys_of_kind(kind), key);
}

/** Keys of `compare`, which `plastfit compare` reads: their pages name them without the group. */
static bool belongs_to_compare(const char *key)
{
  static const char *const keys[] = {"validation", "candidates", "base",
                                     "forecast",   "select",     "leave_one_animal_out"};
  for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
    if (strcmp(keys[k], key) == 0) {
      return true;
    }
  }
  return false;
}

/** "source", "network" or "compare" where the key is known there, else NULL. */
static const char *find_group(const pf_config *config, pf_registry *registry, const char *key)
{
  if (belongs_to_compare(key)) {
    return "compare";
  }
  if (belongs_to(config, registry, "source", PF_KIND_SOURCE, key)) {
    return "source";
  }
  return belongs_to(config, registry, "network", PF_KIND_NETWORK, key) ? "network" : NULL;
}

static bool is_root_key(pf_option_table keys, const char *name)
{
  const pf_names groups = pf_keys_root_groups();
  for (size_t k = 0; k < groups.count; k++) {
    if (strcmp(groups.items[k], name) == 0) {
      return true;
    }
  }
  return pf_keys_have(keys, name);
}

/** A better line for a key of the root that belongs into the group of the source or the network. */
static void point_to_group(const pf_config *config, pf_option_table keys, pf_error *error)
{
  const pf_node *root = pf_config_root(config);
  pf_registry *registry = NULL;
  pf_error unused = pf_error_none();
  if (pf_registry_create(NULL, &registry, &unused) != PF_OK) {
    return;
  }
  for (int64_t i = 0; i < pf_node_count(root); i++) {
    const pf_node *node = pf_node_at(root, i);
    const char *name = pf_node_name(node);
    const char *group = is_root_key(keys, name) ? NULL : find_group(config, registry, name);
    if (group != NULL) {
      *error = pf_error_none();
      (void)pf_config_fail(config, node, error,
                           "the config has no option '%s'; did you mean '%s.%s'?", name, group,
                           name);
      break;
    }
  }
  pf_registry_free(registry);
}

/** What an optimiser cannot do at all, said before the data are read. */
static pf_status check_optimiser(const pf_config *config, const pf_fit_settings *fit,
                                 pf_error *error)
{
  char what[64];
  if (fit->l1 == 0.0) {
    return PF_OK;
  }
  (void)snprintf(what, sizeof what, "penalty.l1 = %g", fit->l1);
  if (pf_optimiser_check_l1(pf_optimiser_find(fit->optimiser), what, error) == PF_OK) {
    return PF_OK;
  }
  pf_error_locate(error, config, pf_node_get(pf_config_root(config), "fit.optimiser"));
  return PF_STOP;
}

/** runs/<name>, where the config has no `out`. */
static pf_status set_folder(pf_settings *settings, pf_error *error)
{
  if (settings->out != NULL) {
    return PF_OK;
  }
  const size_t length = strlen(settings->name) + sizeof "runs/";
  settings->out = pf_memory_need(length, 1, error);
  if (settings->out == NULL) {
    return PF_STOP;
  }
  (void)snprintf(settings->out, length, "runs/%s", settings->name);
  return PF_OK;
}

static pf_status read_root(const pf_config *config, pf_settings *settings, pf_error *error)
{
  const pf_node *root = pf_config_root(config);
  pf_option_table keys = {0};
  pf_view *view = NULL;
  if (pf_root_keys(&keys, error) != PF_OK) {
    return PF_STOP;
  }
  const pf_group group = {.config = config,
                          .node = root,
                          .what = "the config",
                          .table = keys,
                          .others = pf_keys_root_groups()};
  pf_status status = pf_view_create(&group, &view, error);
  if (status != PF_OK) {
    point_to_group(config, keys, error);
    goto done;
  }
  status = pf_settings_read_root(settings, pf_view_options(view), error);
  if (status == PF_OK) {
    status = pf_interval_read_methods(&settings->intervals, error);
    pf_error_locate(error, config, pf_node_get(root, "intervals.methods"));
  }
  if (status == PF_OK) {
    status = pf_fit_read_l1(&settings->fit, error);
    pf_error_locate(error, config, pf_node_get(root, "penalty.l1"));
  }
done:
  pf_view_free(view);
  pf_memory_free((void *)keys.items);
  return status;
}

pf_status pf_settings_create(const pf_config *config, pf_settings **out, pf_error *error)
{
  pf_settings *settings = pf_memory_need(1, sizeof *settings, error);
  if (settings == NULL) {
    return PF_STOP;
  }
  settings->record.counts = PF_RECORD_ACTIVITY;
  if (read_root(config, settings, error) != PF_OK || set_folder(settings, error) != PF_OK ||
      check_optimiser(config, &settings->fit, error) != PF_OK) {
    pf_settings_free(settings);
    return PF_STOP;
  }
  *out = settings;
  return PF_OK;
}

/* ---- the groups of components ---- */

pf_status pf_host_view(const pf_models *models, const pf_component *component, uint32_t kind,
                       const char *what, pf_view **view, pf_error *error)
{
  /* the rest of the group is the plugin's, which has been checked with the component, and the
   * host's groups */
  const pf_option_table *own = &component->plugin->options;
  const pf_names host = pf_keys_names_of_kind(kind);
  const char **others = pf_memory_need(own->count + host.count, sizeof *others, error);
  if (others == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; i < own->count; i++) {
    others[i] = ((const pf_option *)pf_table_at(own->items, own->stride, own->count, i))->name;
  }
  size_t n = own->count;
  for (size_t i = 0; i < host.count; i++) {
    if (!pf_keys_have_group(pf_keys_of_kind(kind), host.items[i])) {
      others[n++] = host.items[i];
    }
  }
  const pf_group group = {.config = models->config,
                          .node = component->node,
                          .what = what,
                          .table = pf_keys_of_kind(kind),
                          .others = {others, n}};
  const pf_status status = pf_view_create(&group, view, error);
  pf_memory_free(others);
  return status;
}

static pf_status check_sessions(const pf_models *models, const pf_session_settings *sessions,
                                pf_error *error)
{
  const pf_node *node = pf_node_get(models->source.node, "sessions");
  if (!sessions->persist && (sessions->forget || sessions->count > 1)) {
    return pf_config_fail(models->config, node, error,
                          "source.sessions: sessions are independent unless persist = true, so "
                          "there is nothing to forget and no need of `count`");
  }
  if (!pf_source_is_task(&models->source) && sessions->count > 1) {
    return pf_config_fail(models->config, node, error,
                          "source.sessions.count: only a task's sessions are simulated; %s reads "
                          "data",
                          models->source.label);
  }
  return PF_OK;
}

/** Keys that only a task has. */
static pf_status check_for_data(const pf_settings *settings, const pf_models *models,
                                pf_error *error)
{
  const pf_record_settings *record = &settings->record;
  const pf_node *source = models->source.node;
  const char *label = models->source.label;
  if (settings->give_inputs || settings->give_initial_weights) {
    return pf_config_fail(models->config, pf_node_get(source, "give.inputs"), error,
                          "source.give: only a task knows its animals' inputs and weights; %s "
                          "reads data",
                          label);
  }
  if (record->noise > 0.0 || record->fraction < 1.0 || record->counts != PF_RECORD_ACTIVITY) {
    return pf_config_fail(models->config, pf_node_get(source, "record"), error,
                          "source.record: only what a task's animals do can be recorded worse; %s "
                          "reads data",
                          label);
  }
  if (settings->evaluate.animals > 0) {
    return pf_config_fail(
        models->config, pf_node_get(pf_config_root(models->config), "evaluate.animals"), error,
        "evaluate.animals: only a task can simulate fresh animals; %s reads data", label);
  }
  return PF_OK;
}

/** What makes no sense for a task. */
static pf_status check_for_task(pf_settings *settings, const pf_models *models, pf_error *error)
{
  if (settings->fit.per != PF_FIT_SHARED && settings->evaluate.animals > 0) {
    const pf_host *host = pf_config_host(models->config);
    const char *per = settings->fit.per == PF_FIT_POPULATION ? "population" : "animal";
    char line[200];
    (void)snprintf(line, sizeof line,
                   "fit.per = \"%s\": fresh animals have no theta of their own, so fresh draws are "
                   "scored instead of evaluate.animals",
                   per);
    host->warn(host, line);
    settings->evaluate.animals = 0;
  }
  if (settings->record.noise > 0.0 && settings->record.counts != PF_RECORD_ACTIVITY) {
    return pf_config_fail(models->config, pf_node_get(models->source.node, "record.noise"), error,
                          "source.record: found `counts` and `noise`, expected one of them: spike "
                          "counts are noisy as they are");
  }
  if (settings->input_channels.count > 0) {
    return pf_config_fail(models->config, pf_node_get(models->source.node, "input.channels"), error,
                          "source.input.channels: the inputs of a task's animals are its cues; "
                          "make a table with `plastfit simulate`, and read its channels");
  }
  return PF_OK;
}

static pf_status read_source(pf_settings *settings, const pf_models *models, pf_error *error)
{
  pf_view *view = NULL;
  if (pf_host_view(models, &models->source, PF_KIND_SOURCE, "source", &view, error) != PF_OK) {
    return PF_STOP;
  }
  pf_status status = pf_settings_read(pf_source_keys(), pf_view_options(view), settings, error);
  if (status == PF_OK) {
    status = pf_derived_read(settings, models, pf_view_options(view), error);
  }
  if (status == PF_OK) {
    status = check_sessions(models, &settings->sessions, error);
  }
  pf_view_free(view);
  return status;
}

pf_status pf_settings_read_components(pf_settings *settings, const pf_models *models,
                                      pf_error *error)
{
  pf_view *view = NULL;
  if (read_source(settings, models, error) != PF_OK ||
      pf_host_view(models, &models->network, PF_KIND_NETWORK, "network", &view, error) != PF_OK) {
    return PF_STOP;
  }
  const pf_status status =
      pf_network_settings_read(&settings->network, pf_view_options(view), error);
  pf_view_free(view);
  return status;
}

pf_status pf_settings_check_source(pf_settings *settings, const pf_models *models, pf_error *error)
{
  return pf_source_is_task(&models->source) ? check_for_task(settings, models, error)
                                            : check_for_data(settings, models, error);
}
