#include "core/plugin/registry.h"

#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/plugin/loader.h"
#include "core/plugin/path.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/** One module of the search path: loaded, or refused. */
typedef struct module {
  char *name; /**< the file's, without suffix */
  char *file;
  void *handle;
  const pf_plugin *plugin; /**< NULL: refused */
  char *refusal;
  char *shadows;
  bool by_user; /**< found where the user said, not where the program's own lie */
  bool warned;
} module;

struct pf_registry {
  pf_search_path path;
  module **modules; /**< each stays where it is: what was handed out points into it */
  size_t count;
  pf_found *found; /**< what the last scan handed out */
};

/* ---- modules ---- */

static void module_free(module *m)
{
  if (m == NULL) {
    return;
  }
  pf_loader_close(m->handle);
  pf_memory_free(m->name);
  pf_memory_free(m->file);
  pf_memory_free(m->refusal);
  pf_memory_free(m->shadows);
  pf_memory_free(m);
}

static pf_status open_module(module *m, pf_error *error)
{
  const pf_plugin *plugin = NULL;
  pf_status status = m->by_user ? pf_loader_try(m->file, error) : PF_OK;
  if (status != PF_OK) {
    return status;
  }
  status = pf_loader_open(m->file, &m->handle, &plugin, error);
  if (status != PF_OK) {
    return status;
  }
  status = pf_plugin_admit(plugin, m->file, 0, error);
  if (status != PF_OK) {
    return status;
  }
  if (strcmp(plugin->name, m->name) != 0) {
    return pf_fail(error, PF_STOP,
                   "%s: calls itself '%s': a plugin has its file's name; rename one of them",
                   m->file, plugin->name);
  }
  m->plugin = plugin;
  return PF_OK;
}

/** A file of the same name later on the path than folder `first`; *out NULL if none. */
static pf_status find_shadowed(const pf_registry *registry, const char *name, size_t first,
                               char **out, pf_error *error)
{
  *out = NULL;
  for (size_t i = first + 1; *out == NULL && i < registry->path.count; i++) {
    const pf_status status = pf_module_file(registry->path.folders[i].path, name, out, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

static module *find_known(const pf_registry *registry, const char *name)
{
  for (size_t i = 0; i < registry->count; i++) {
    if (strcmp(registry->modules[i]->name, name) == 0) {
      return registry->modules[i];
    }
  }
  return NULL;
}

/** Takes over `file`. A module that is refused is kept too, with the reason. */
static pf_status add_module(pf_registry *registry, const char *name, char *file, size_t folder,
                            module **out, pf_error *error)
{
  module *m = pf_memory_need(1, sizeof *m, error);
  module **grown = realloc(registry->modules, (registry->count + 1) * sizeof *grown);
  if (grown != NULL) {
    registry->modules = grown;
  }
  if (m == NULL || grown == NULL) {
    pf_memory_free(m);
    pf_memory_free(file);
    return pf_fail(error, PF_STOP, "out of memory for the list of plugins");
  }
  m->file = file;
  m->by_user = folder < registry->path.count && registry->path.folders[folder].by_user;
  m->name = pf_memory_string(name, error);
  pf_status status =
      m->name == NULL ? PF_STOP : find_shadowed(registry, name, folder, &m->shadows, error);
  if (status == PF_OK) {
    pf_error refusal = pf_error_none();
    if (open_module(m, &refusal) != PF_OK) {
      m->refusal = pf_memory_string(refusal.text, error);
      status = m->refusal == NULL ? PF_STOP : PF_OK;
    }
  }
  if (status != PF_OK) {
    module_free(m);
    return status;
  }
  registry->modules[registry->count++] = m;
  *out = m;
  return PF_OK;
}

/** The module of that name that was linked into the program; *out NULL if there is none. */
static pf_status load_preloaded(pf_registry *registry, const char *name, module **out,
                                pf_error *error)
{
  const char *file = NULL;
  for (size_t i = 0; (file = pf_loader_preloaded(i)) != NULL; i++) {
    if (strlen(file) == strlen(name) + 2 && strncmp(file, name, strlen(name)) == 0) {
      char *copy = pf_memory_string(file, error);
      return copy == NULL ? PF_STOP
                          : add_module(registry, name, copy, registry->path.count, out, error);
    }
  }
  return PF_OK;
}

/** The module of that file name, loaded if it is on the path or preloaded; *out NULL if there is
 * none. */
static pf_status load_module(pf_registry *registry, const char *name, module **out, pf_error *error)
{
  *out = find_known(registry, name);
  for (size_t i = 0; *out == NULL && i < registry->path.count; i++) {
    char *file = NULL;
    pf_status status = pf_module_file(registry->path.folders[i].path, name, &file, error);
    if (status == PF_OK && file != NULL) {
      status = add_module(registry, name, file, i, out, error);
    }
    if (status != PF_OK) {
      return status;
    }
  }
  return *out == NULL ? load_preloaded(registry, name, out, error) : PF_OK;
}

static pf_status load_folder(pf_registry *registry, const char *folder, pf_error *error)
{
  char **names = NULL;
  size_t count = 0;
  pf_status status = pf_modules_in(folder, &names, &count, error);
  for (size_t k = 0; k < count; k++) {
    module *m = NULL;
    status = load_module(registry, names[k], &m, error);
    if (status != PF_OK) {
      break;
    }
  }
  pf_modules_free(names, count);
  return status;
}

static pf_status load_all(pf_registry *registry, pf_error *error)
{
  const char *file = NULL;
  for (size_t i = 0; (file = pf_loader_preloaded(i)) != NULL; i++) {
    char name[256];
    module *m = NULL;
    (void)snprintf(name, sizeof name, "%.*s", (int)(strlen(file) - 2), file);
    const pf_status status = load_module(registry, name, &m, error);
    if (status != PF_OK) {
      return status;
    }
  }
  for (size_t i = 0; i < registry->path.count; i++) {
    const pf_status status = load_folder(registry, registry->path.folders[i].path, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

/* ---- the registry ---- */

pf_status pf_registry_create(const char *plugin_path, pf_registry **out, pf_error *error)
{
  pf_status status = pf_loader_start(error);
  if (status != PF_OK) {
    return status;
  }
  pf_registry *registry = pf_memory_need(1, sizeof *registry, error);
  status = registry == NULL ? PF_STOP : pf_search_path_create(plugin_path, &registry->path, error);
  if (status != PF_OK) {
    pf_memory_free(registry);
    pf_loader_stop();
    return status;
  }
  *out = registry;
  return PF_OK;
}

void pf_registry_free(pf_registry *registry)
{
  if (registry == NULL) {
    return;
  }
  for (size_t i = 0; i < registry->count; i++) {
    module_free(registry->modules[i]);
  }
  free(registry->modules);
  pf_memory_free(registry->found);
  pf_search_path_free(&registry->path);
  pf_memory_free(registry);
  pf_loader_stop();
}

/** Once, of a plugin that is used: another of its name stands back for it. (`list` shows all of
 * them.) */
static void warn_of_shadow(module *m)
{
  if (m->by_user && m->shadows != NULL && !m->warned) {
    char line[PF_ERROR_LENGTH];
    (void)snprintf(line, sizeof line, "plugin %s: %s is used, %s is not", m->name, m->file,
                   m->shadows);
    pf_host_default()->warn(pf_host_default(), line);
    m->warned = true;
  }
}

static bool has_alias(const pf_plugin *plugin, const char *name)
{
  for (size_t i = 0; i < plugin->aliases.count; i++) {
    if (strcmp(plugin->aliases.items[i], name) == 0) {
      return true;
    }
  }
  return false;
}

/** *out NULL if there is none. */
static pf_status find_by_alias(pf_registry *registry, uint32_t kind, const char *name, module **out,
                               pf_error *error)
{
  const pf_status status = load_all(registry, error);
  if (status != PF_OK) {
    return status;
  }
  for (size_t i = 0; *out == NULL && i < registry->count; i++) {
    const pf_plugin *plugin = registry->modules[i]->plugin;
    if (plugin != NULL && (kind == 0 || plugin->kind == kind) && has_alias(plugin, name)) {
      *out = registry->modules[i];
    }
  }
  return PF_OK;
}

/** No such plugin: which there are, and where it was looked for. */
static pf_status not_found(const pf_registry *registry, uint32_t kind, const char *name,
                           pf_error *error)
{
  const char **names = pf_memory_need(registry->count + 1, sizeof *names, error);
  if (names == NULL) {
    return PF_STOP;
  }
  pf_text line = {0};
  size_t count = 0;
  for (size_t i = 0; i < registry->count; i++) {
    const pf_plugin *plugin = registry->modules[i]->plugin;
    if (plugin != NULL && (kind == 0 || plugin->kind == kind)) {
      names[count++] = plugin->name;
    }
  }
  const char *nearest = pf_text_nearest(name, (pf_names){names, count});
  pf_text_add(&line, "there is no %s '%s'", pf_kind_name(kind), name);
  if (nearest != NULL) {
    pf_text_add(&line, "; did you mean '%s'?", nearest);
  }
  const char *before = nearest != NULL ? " There are " : "; there are ";
  for (size_t i = 0; i < count; i++) {
    pf_text_add(&line, "%s%s", i > 0 ? ", " : before, names[i]);
  }
  if (count > 0 && nearest == NULL) {
    pf_text_add(&line, " (plugin_path and PLASTFIT_PLUGIN_PATH add folders)");
  }
  if (count == 0) {
    pf_text_add(&line, ", nor any other; searched:");
    for (size_t i = 0; i < registry->path.count; i++) {
      pf_text_add(&line, " %s", registry->path.folders[i].path);
    }
    pf_text_add(&line, "%s (plugin_path and PLASTFIT_PLUGIN_PATH add folders)",
                registry->path.count == 0 ? " nowhere" : "");
  }
  pf_fail(error, PF_STOP, "%s", line.text == NULL ? "out of memory" : line.text);
  pf_text_free(&line);
  pf_memory_free(names);
  return PF_STOP;
}

pf_status pf_registry_find(pf_registry *registry, uint32_t kind, const char *name,
                           const pf_plugin **out, const char **file, pf_error *error)
{
  if (name == NULL || name[0] == '\0' || strpbrk(name, "/\\") != NULL) {
    return pf_fail(error, PF_STOP,
                   "'%s' is no name of a %s: a plugin is named, never pathed; plugin_path and "
                   "PLASTFIT_PLUGIN_PATH say where to look",
                   name == NULL ? "" : name, pf_kind_name(kind));
  }
  module *m = NULL;
  pf_status status = load_module(registry, name, &m, error);
  if (status == PF_OK && m == NULL) {
    status = find_by_alias(registry, kind, name, &m, error);
  }
  if (status != PF_OK) {
    return status;
  }
  if (m == NULL) {
    return not_found(registry, kind, name, error);
  }
  if (m->plugin == NULL) {
    return pf_fail(error, PF_STOP, "%s", m->refusal);
  }
  status = pf_plugin_admit(m->plugin, m->file, kind, error);
  if (status != PF_OK) {
    return status;
  }
  warn_of_shadow(m);
  *out = m->plugin;
  if (file != NULL) {
    *file = m->file;
  }
  return PF_OK;
}

pf_status pf_registry_find_reader(pf_registry *registry, const char *path, const pf_plugin *own,
                                  const pf_plugin **out, pf_error *error)
{
  const char *suffix = strrchr(path, '.');
  pf_error unknown = {.size = sizeof unknown};
  if (suffix != NULL && own != NULL && own->source->read != NULL && has_alias(own, suffix + 1)) {
    *out = own;
    return PF_OK;
  }
  if (suffix != NULL && strchr(suffix, '/') == NULL &&
      pf_registry_find(registry, PF_KIND_SOURCE, suffix + 1, out, NULL, &unknown) == PF_OK &&
      (*out)->source->read != NULL) {
    return PF_OK;
  }
  return pf_registry_find(registry, PF_KIND_SOURCE, "csv", out, NULL, error);
}

/** By kind, then name; what was refused comes last. */
static int compare_found(const void *a, const void *b)
{
  const pf_found *x = a, *y = b;
  if ((x->plugin == NULL) != (y->plugin == NULL)) {
    return x->plugin == NULL ? 1 : -1;
  }
  if (x->plugin == NULL) {
    return pf_text_natural_compare(x->file, y->file);
  }
  if (x->plugin->kind != y->plugin->kind) {
    return x->plugin->kind < y->plugin->kind ? -1 : 1;
  }
  return pf_text_natural_compare(x->plugin->name, y->plugin->name);
}

pf_status pf_registry_scan(pf_registry *registry, const pf_found **items, size_t *count,
                           pf_error *error)
{
  pf_status status = load_all(registry, error);
  if (status != PF_OK) {
    return status;
  }
  pf_found *found = pf_memory_need(registry->count, sizeof *found, error);
  if (found == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; i < registry->count; i++) {
    const module *m = registry->modules[i];
    found[i] = (pf_found){
        .plugin = m->plugin, .file = m->file, .shadows = m->shadows, .refusal = m->refusal};
  }
  if (registry->count > 1) {
    qsort(found, registry->count, sizeof *found, compare_found);
  }
  pf_memory_free(registry->found);
  registry->found = found;
  *items = found;
  *count = registry->count;
  return PF_OK;
}
