/*
 * Finding and loading plugins: by name, from a search path, through libltdl
 * (core/plugin/loader.c is the one file that includes ltdl.h). What is no
 * plugin of this host is refused (core/plugin/admit.h).
 */
#ifndef PLASTFIT_CORE_PLUGIN_REGISTRY_H
#define PLASTFIT_CORE_PLUGIN_REGISTRY_H

#include "core/plugin/admit.h"

#include <plastfit/abi/plugin.h>

typedef struct pf_registry pf_registry;

/**
 * Search path, first match wins: `plugin_path` (colon-separated, MAY be NULL; the config's key),
 * then PLASTFIT_PLUGIN_PATH, then the build tree's plugins if run from there, then the installed
 * folder.
 */
pf_status pf_registry_create(const char *plugin_path, pf_registry **out, pf_error *error);
void pf_registry_free(pf_registry *registry);

/**
 * The plugin of that kind and name (or alias). Loaded at the first call and kept
 * until pf_registry_free. `file` (MAY be NULL) is set to where it was loaded from.
 * No such plugin: the line says which there are and the nearest name. A name with a path separator
 * is refused. kind 0: whatever it is.
 */
pf_status pf_registry_find(pf_registry *registry, uint32_t kind, const char *name,
                           const pf_plugin **out, const char **file, pf_error *error);

/**
 * The source that reads the file at `path`: `own` (or NULL) where the suffix is an alias of it,
 * else the one whose name or alias it is ("npz", "csv"). A suffix that no source has is CSV.
 */
pf_status pf_registry_find_reader(pf_registry *registry, const char *path, const pf_plugin *own,
                                  const pf_plugin **out, pf_error *error);

/** One plugin file found on the search path. */
typedef struct pf_found {
  const pf_plugin *plugin; /**< NULL: refused */
  const char *file;
  const char *shadows; /**< a file of the same name later on the path, or NULL */
  const char *refusal; /**< why plugin is NULL */
} pf_found;

/** Everything on the search path, sorted by kind, then name. Valid until pf_registry_free. */
pf_status pf_registry_scan(pf_registry *registry, const pf_found **items, size_t *count,
                           pf_error *error);

#endif
