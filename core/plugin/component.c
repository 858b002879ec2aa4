#include "core/plugin/component.h"

#include "core/base/memory.h"
#include "core/base/nearest_file.h"
#include "core/base/text.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/** "rules.learn" and "taylor" give "rule learn (taylor)"; "source" and "fly_mat" give "source
 * (fly_mat)". */
static char *make_label(uint32_t kind, const char *what, const char *plugin, pf_error *error)
{
  const char *dot = strrchr(what, '.');
  const char *own = dot == NULL ? what : dot + 1;
  const char *kind_name = pf_kind_name(kind);
  bool says_more = strcmp(own, kind_name) != 0;
  pf_text label = {0};
  pf_text_add(&label, "%s%s%s (%s)", kind_name, says_more ? " " : "", says_more ? own : "", plugin);
  char *copy = label.failed ? NULL : pf_memory_string(label.text, error);
  pf_text_free(&label);
  if (copy == NULL) {
    pf_fail(error, PF_STOP, "out of memory");
  }
  return copy;
}

static void locate_error(pf_error *error, const pf_config *config, const pf_node *node)
{
  if (config != NULL) {
    pf_error_locate(error, config, node);
  }
}

static pf_status read_plugin_name(const pf_component_spec *spec, const char **name, pf_error *error)
{
  const char *what = spec->what, *kind = pf_kind_name(spec->kind);
  const pf_node *node = spec->node, *culprit = node;
  if (node == NULL) {
    pf_fail(
        error, PF_STOP,
        "%s is missing; expected a group that names a %s: { plugin = \"...\"; } (plastfit list)",
        what, kind);
  } else if (!pf_node_is_group(node)) {
    pf_fail(error, PF_STOP,
            "%s: expected a group that names a %s: { plugin = \"...\"; } (plastfit list)", what,
            kind);
  } else if (pf_node_get(node, "plugin") == NULL) {
    pf_fail(error, PF_STOP, "%s has no 'plugin', the name of a %s (plastfit list)", what, kind);
  } else if (!pf_node_string(pf_node_get(node, "plugin"), name)) {
    pf_fail(error, PF_STOP, "%s.plugin: expected the name of a %s in quotes (plastfit list)", what,
            kind);
    culprit = pf_node_get(node, "plugin");
  } else {
    return PF_OK;
  }
  locate_error(error, spec->config, culprit);
  return PF_STOP;
}

/** `plugin` and the host's keys. The caller frees items. */
static pf_status with_plugin_key(pf_names host_keys, pf_names *out, pf_error *error)
{
  const char **items = pf_memory_need(host_keys.count + 1, sizeof *items, error);
  if (items == NULL) {
    return PF_STOP;
  }
  items[0] = "plugin";
  for (size_t i = 0; i < host_keys.count; i++) {
    items[i + 1] = host_keys.items[i];
  }
  *out = (pf_names){items, host_keys.count + 1};
  return PF_OK;
}

static bool answers_to(const pf_plugin *plugin, const char *name)
{
  bool found = strcmp(plugin->name, name) == 0;
  for (size_t i = 0; !found && i < plugin->aliases.count; i++) {
    found = strcmp(plugin->aliases.items[i], name) == 0;
  }
  return found;
}

/** The command line put another plugin than the file's: keys written for that one go, and a line
 * says so. */
static pf_status drop_keys_of_other_plugin(const pf_component_spec *spec, const pf_plugin *plugin,
                                           pf_names others, pf_error *error)
{
  const char *before = pf_node_replaced(pf_node_get(spec->node, "plugin"));
  if (before == NULL || answers_to(plugin, before)) {
    return PF_OK;
  }
  char names[512], line[1024];
  const pf_group group = {
      .config = spec->config, .node = spec->node, .table = plugin->options, .others = others};
  const pf_status status = pf_config_drop_foreign(&group, names, sizeof names, error);
  if (status == PF_OK && names[0] != '\0') {
    (void)snprintf(line, sizeof line, "%s is '%s' instead of '%s', which has no: %s (left out)",
                   spec->what, plugin->name, before, names);
    pf_config_host(spec->config)->warn(pf_config_host(spec->config), line);
  }
  return status;
}

pf_status pf_plugin_create(const pf_plugin *plugin, const pf_host *host, const pf_options *options,
                           void **self, pf_error *error)
{
  switch (plugin->kind) {
  case PF_KIND_RULE:
    return plugin->rule->create(host, options, self, error);
  case PF_KIND_NETWORK:
    return plugin->network->create(host, options, self, error);
  case PF_KIND_LOSS:
    return plugin->loss->create(host, options, self, error);
  default:
    return plugin->source->create(host, options, self, error);
  }
}

void pf_plugin_destroy(const pf_plugin *plugin, void *self)
{
  switch (plugin->kind) {
  case PF_KIND_RULE:
    plugin->rule->destroy(self);
    break;
  case PF_KIND_NETWORK:
    plugin->network->destroy(self);
    break;
  case PF_KIND_LOSS:
    plugin->loss->destroy(self);
    break;
  default:
    plugin->source->destroy(self);
    break;
  }
}

pf_status pf_plugin_list(const pf_plugin *plugin, const pf_config *config, const pf_node *node,
                         const pf_column_sink *sink, pf_error *error)
{
  static const char *const others[] = {"plugin"};
  pf_view *view = NULL;
  const pf_group group = {.config = config,
                          .node = node,
                          .what = "source",
                          .plugin = plugin->name,
                          .table = plugin->options,
                          .others = {others, 1}};
  if (!PF_HAS(plugin->source, pf_source_ops, list) || plugin->source->list == NULL) {
    return pf_fail(error, PF_STOP, "source %s cannot say what is in a file", plugin->name);
  }
  pf_status status = pf_view_create(&group, &view, error);
  if (status != PF_OK) {
    return status;
  }
  status = plugin->source->list(pf_host_default(), pf_view_options(view), sink, error);
  pf_view_free(view);
  return status;
}

pf_status pf_plugin_instantiate(const pf_plugin *plugin, const pf_config *config,
                                const pf_node *node, pf_names others, void **self, pf_error *error)
{
  char what[128];
  (void)snprintf(what, sizeof what, "%s %s", pf_kind_name(plugin->kind), plugin->name);
  pf_view *view = NULL;
  const pf_group group = {.config = config,
                          .node = node,
                          .what = what,
                          .plugin = plugin->name,
                          .table = plugin->options,
                          .others = others};
  pf_status status = pf_view_create(&group, &view, error);
  if (status != PF_OK) {
    return status;
  }
  void *made = NULL;
  pf_error fault = pf_error_none();
  status = pf_plugin_create(plugin, pf_config_host(config), pf_view_options(view), &made, &fault);
  bool created = status == PF_OK;
  if (!created) {
    pf_suggest_file(&fault);
    status =
        pf_fail(error, PF_STOP, "%s: %s", what,
                fault.text[0] == '\0' ? "could not be made, and does not say why" : fault.text);
    const pf_node *culprit = fault.key == NULL ? NULL : pf_view_node(view, fault.key);
    pf_error_locate(error, config, culprit == NULL ? node : culprit);
  } else if (pf_view_verify(view, error) != PF_OK) {
    pf_plugin_destroy(plugin, made);
    status = PF_STOP;
  }
  pf_view_free(view);
  if (status == PF_OK) {
    *self = made;
  }
  return status;
}

pf_status pf_component_create(pf_registry *registry, const pf_component_spec *spec,
                              pf_component *out, pf_error *error)
{
  const char *name = NULL;
  pf_component made = {.node = spec->node};
  pf_names others = {0};
  pf_status status = read_plugin_name(spec, &name, error);
  if (status != PF_OK) {
    return status;
  }
  status = pf_registry_find(registry, spec->kind, name, &made.plugin, &made.file, error);
  if (status != PF_OK) {
    locate_error(error, spec->config, pf_node_get(spec->node, "plugin"));
    return status;
  }
  status = with_plugin_key(spec->host_keys, &others, error);
  if (status != PF_OK) {
    goto done;
  }
  status = drop_keys_of_other_plugin(spec, made.plugin, others, error);
  if (status != PF_OK) {
    goto done;
  }
  made.label = make_label(spec->kind, spec->what, made.plugin->name, error);
  if (made.label == NULL) {
    status = PF_STOP;
    goto done;
  }
  status = pf_plugin_instantiate(made.plugin, spec->config, spec->node, others, &made.self, error);
done:
  pf_memory_free((void *)others.items);
  if (status != PF_OK) {
    pf_memory_free(made.label);
    return status;
  }
  *out = made;
  return PF_OK;
}

void pf_component_free(pf_component *component)
{
  if (component == NULL || component->plugin == NULL) {
    return;
  }
  pf_plugin_destroy(component->plugin, component->self);
  pf_memory_free(component->label);
  *component = (pf_component){0};
}

bool pf_plugin_has_key(const pf_plugin *plugin, const char *key)
{
  const pf_option_table *table = &plugin->options;
  const size_t length = strlen(key);
  for (size_t i = 0; i < table->count; i++) {
    const pf_option *option = pf_table_at(table->items, table->stride, table->count, i);
    const char *rest = option->name + length;
    if (strncmp(option->name, key, length) == 0 &&
        (*rest == '\0' || *rest == '.' || *rest == '[')) {
      return true;
    }
  }
  return false;
}
