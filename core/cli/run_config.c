#define _POSIX_C_SOURCE 200809L

#include "core/cli/run_config.h"

#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/plugin/component.h"
#include "core/plugin/path.h"
#include "core/plugin/registry.h"
#include "core/report/run_folder.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool pf_run_config_is_one(const char *path)
{
  const size_t n = strlen(path);
  return n > 4 && strcmp(path + n - 4, ".cfg") == 0;
}

pf_status pf_run_config_read(const char *run, pf_config **out, pf_error *error)
{
  char *path = pf_run_folder_path(run, "config.cfg", error);
  const pf_status status = path == NULL ? PF_STOP : pf_config_read(path, NULL, 0, out, error);
  pf_memory_free(path);
  return status;
}

/** Applies "key=value" and frees it. `status`: of what wrote it. */
static pf_status apply_setting(pf_config *to, pf_text *setting, pf_status status, pf_error *error)
{
  if (status == PF_OK) {
    status = setting->failed ? pf_fail(error, PF_STOP, "out of memory")
                             : pf_config_override(to, setting->text, error);
  }
  pf_text_free(setting);
  return status;
}

/** "PREFIXNAME=VALUE" of one setting, applied to `to`. */
static pf_status copy_setting(pf_config *to, const char *prefix, const pf_node *node,
                              pf_error *error)
{
  char *text = pf_node_text(node, error);
  if (text == NULL) {
    return PF_STOP;
  }
  pf_text setting = {0};
  pf_text_add(&setting, "%s%s=%s", prefix, pf_node_name(node), text);
  free(text);
  return apply_setting(to, &setting, PF_OK, error);
}

/** Appends "NAME = VALUE;" if the group has it. */
static pf_status add_setting(pf_text *out, const pf_node *group, const char *name, pf_error *error)
{
  const pf_node *node = pf_node_get(group, name);
  char *text = node == NULL ? NULL : pf_node_text(node, error);
  if (text != NULL) {
    pf_text_add(out, " %s = %s;", name, text);
  }
  free(text);
  return node != NULL && text == NULL ? PF_STOP : PF_OK;
}

/** A path in quotes, absolute, so that it does not matter whose folder it is relative to. */
static pf_status add_path(pf_text *out, const char *folder, const char *path, pf_error *error)
{
  char here[4096];
  const bool fixed = path[0] == '/' || path[0] == '~';
  const bool no_folder = fixed || folder[0] == '/';
  if (strpbrk(path, "\"\\") != NULL || (!no_folder && getcwd(here, sizeof here) == NULL)) {
    return pf_fail(error, PF_STOP, "%s: cannot be named in a config; move it to a plain path",
                   path);
  }
  pf_text_add(out, "\"%s%s%s%s\"", no_folder ? "" : here, no_folder ? "" : "/", fixed ? "" : folder,
              path);
  return PF_OK;
}

/** Appends the settings of a group, all but one. */
static pf_status add_settings(pf_text *out, const pf_node *group, const char *but, pf_error *error)
{
  for (int64_t i = 0; i < pf_node_count(group); i++) {
    const char *name = pf_node_name(pf_node_at(group, i));
    if (name != NULL && strcmp(name, but) != 0 && add_setting(out, group, name, error) != PF_OK) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

/** Initial weights of the run's animals are not those of others; a config of the data may bring its
 * own. */
static pf_status set_initial_weights(pf_config *to, const char *file, const char *folder,
                                     pf_error *error)
{
  const pf_node *group = pf_node_get(pf_config_root(to), "network.initial_weights");
  pf_text setting = {0};
  pf_text_add(&setting, "network.initial_weights={");
  pf_status status = add_settings(&setting, group, "file", error);
  if (status == PF_OK && file != NULL) {
    pf_text_add(&setting, " file = ");
    status = add_path(&setting, folder, file, error);
    pf_text_add(&setting, ";");
  }
  pf_text_add(&setting, " }");
  return apply_setting(to, &setting, status, error);
}

/** How the run's sessions hang together; their `count` is a task's. */
static pf_status add_sessions(pf_text *out, const pf_node *source, pf_error *error)
{
  const pf_node *group = pf_node_get(source, "sessions");
  if (group == NULL) {
    return PF_OK;
  }
  pf_text_add(out, " sessions = {");
  const pf_status status = add_settings(out, group, "count", error);
  pf_text_add(out, " };");
  return status;
}

/** What the run's source says of its file, besides where it is: the same holds for the other file,
 * if the same plugin reads it. */
static pf_status add_options_of(pf_text *out, const pf_plugin *plugin, const pf_node *source,
                                pf_error *error)
{
  for (int64_t i = 0; i < pf_node_count(source); i++) {
    const char *name = pf_node_name(pf_node_at(source, i));
    if (strcmp(name, "path") == 0 || !pf_plugin_has_key(plugin, name)) {
      continue;
    }
    const pf_status status = add_setting(out, source, name, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

/** Inputs as the run had them. Where it saw them as they were, those of the file are so, too. */
static pf_status add_inputs(pf_text *out, const pf_node *source, pf_error *error)
{
  const pf_node *give = pf_node_get(source, "give.inputs");
  if (give == NULL) {
    return add_setting(out, source, "input", error);
  }
  char *given = pf_node_text(give, error);
  if (given == NULL) {
    return PF_STOP;
  }
  const bool as_they_were = strcmp(given, "true") == 0;
  free(given);
  if (!as_they_were) {
    return add_setting(out, source, "input", error);
  }
  pf_text_add(out, " input = { mean = 1.0; sd = 0.0; };");
  return PF_OK;
}

/** `plugin`: of the run's source, `reader`: of the file. */
static pf_status write_source(pf_text *out, const pf_config *config, const pf_plugin *reader,
                              const pf_plugin *plugin, const char *path, pf_error *error)
{
  const pf_node *source = pf_node_get(pf_config_root(config), "source");
  pf_text_add(out, "source={ plugin = \"%s\"; path = ", reader->name);
  if (add_path(out, "", path, error) != PF_OK) {
    return PF_STOP;
  }
  pf_text_add(out, ";");
  if (add_setting(out, source, "expected_reward", error) != PF_OK ||
      add_setting(out, source, "derive", error) != PF_OK ||
      (plugin == reader && add_options_of(out, reader, source, error) != PF_OK) ||
      add_sessions(out, source, error) != PF_OK || add_inputs(out, source, error) != PF_OK) {
    return PF_STOP;
  }
  pf_text_add(out, " }");
  return PF_OK;
}

pf_status pf_run_config_file(pf_config *config, const char *path, pf_error *error)
{
  const pf_node *root = pf_config_root(config);
  const char *name = "", *folders = NULL;
  pf_error unknown = {.size = sizeof unknown};
  pf_registry *registry = NULL;
  const pf_plugin *plugin = NULL, *reader = NULL;
  pf_text setting = {0}, argument = {0};
  (void)pf_node_string(pf_node_get(root, "source.plugin"), &name);
  (void)pf_node_string(pf_node_get(root, "plugin_path"), &folders);
  pf_status status = pf_plugin_path_trusted(folders, error);
  if (status != PF_OK) {
    return status;
  }
  status = pf_registry_create(folders, &registry, error);
  if (status != PF_OK) {
    return status;
  }
  if (pf_registry_find(registry, PF_KIND_SOURCE, name, &plugin, NULL, &unknown) != PF_OK) {
    plugin = NULL; /* the run's source is not asked for anything */
  }
  status = pf_registry_find_reader(registry, path, plugin, &reader, error);
  if (status != PF_OK) {
    goto done;
  }
  status = write_source(&setting, config, reader, plugin, path, error);
  if (status != PF_OK) {
    goto done;
  }
  pf_text_add(&argument, "--data %s", path);
  status = setting.failed || argument.failed
               ? pf_fail(error, PF_STOP, "out of memory")
               : pf_config_override_for(config, setting.text, argument.text, error);
  if (status == PF_OK) {
    status = set_initial_weights(config, NULL, "", error);
  }
done:
  pf_text_free(&setting);
  pf_text_free(&argument);
  pf_registry_free(registry);
  return status;
}

static bool is_of_the_data(const char *name)
{
  static const char *const of_the_data[] = {"source", "seed",        "name",   "out",
                                            "init",   "plugin_path", "threads"};
  for (size_t k = 0; k < sizeof of_the_data / sizeof of_the_data[0]; k++) {
    if (strcmp(of_the_data[k], name) == 0) {
      return true;
    }
  }
  return false;
}

pf_status pf_run_config_data(pf_config *config, const pf_config *run, const char *path,
                             pf_error *error)
{
  const char *file = NULL;
  char *kept = NULL;
  pf_status status = PF_STOP;
  if (pf_node_string(pf_node_get(pf_config_root(config), "network.initial_weights.file"), &file) &&
      (kept = pf_memory_string(file, error)) == NULL) { /* its node goes with the network */
    return PF_STOP;
  }
  const pf_node *root = pf_config_root(run);
  for (int64_t i = 0; i < pf_node_count(root); i++) {
    const pf_node *node = pf_node_at(root, i);
    if (!is_of_the_data(pf_node_name(node)) && copy_setting(config, "", node, error) != PF_OK) {
      goto done;
    }
  }
  const char *slash = strrchr(path, '/');
  char folder[4096];
  (void)snprintf(folder, sizeof folder, "%.*s", slash == NULL ? 0 : (int)(slash - path) + 1, path);
  status = set_initial_weights(config, kept, folder, error);
done:
  pf_memory_free(kept);
  return status;
}

pf_status pf_run_config_keep_masks(pf_config *config, double seed, pf_error *error)
{
  char setting[64];
  double given = 0.0;
  if (pf_node_number(pf_node_get(pf_config_root(config), "network.mask_seed"), &given) != 0) {
    return PF_OK;
  }
  (void)snprintf(setting, sizeof setting, "network.mask_seed=%.0f", seed);
  return pf_config_override(config, setting, error);
}

pf_status pf_run_config_inputs(pf_config *config, const pf_config *run, pf_error *error)
{
  static const char *const names[] = {"input", "expected_reward"};
  const pf_node *from = pf_node_get(pf_config_root(run), "source");
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    const pf_node *to = pf_node_get(pf_config_root(config), "source");
    const pf_node *node = pf_node_get(from, names[i]);
    if (node != NULL && pf_node_get(to, names[i]) == NULL &&
        copy_setting(config, "source.", node, error) != PF_OK) {
      return PF_STOP;
    }
  }
  return PF_OK;
}
