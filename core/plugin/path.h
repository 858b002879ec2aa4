/* The folders that plugins are looked for in, and what lies there. */
#ifndef PLASTFIT_CORE_PLUGIN_PATH_H
#define PLASTFIT_CORE_PLUGIN_PATH_H

#include <plastfit/abi/base.h>
#include <stdbool.h>

typedef struct pf_plugin_folder {
  char *path;   /**< as named */
  bool by_user; /**< plugin_path or PLASTFIT_PLUGIN_PATH, not the program's own */
} pf_plugin_folder;

typedef struct pf_search_path {
  pf_plugin_folder *folders;
  size_t count;
} pf_search_path;

/** plugin_path (MAY be NULL), PLASTFIT_PLUGIN_PATH, the build tree if run from there, the installed
 * folder. */
pf_status pf_search_path_create(const char *plugin_path, pf_search_path *out, pf_error *error);
void pf_search_path_free(pf_search_path *path);

/**
 * May code be run from the folders of plugin_path (MAY be NULL)? They come from a file, and whoever
 * wrote that need not be whoever runs it. PF_OK where each lies in a trusted folder (of
 * PLASTFIT_PLUGIN_PATH, the build tree, the installed one), or PLASTFIT_TRUST is set (--trust sets
 * it). doc/trust.md.
 */
pf_status pf_plugin_path_trusted(const char *plugin_path, pf_error *error);

/** The file of module `name` in a folder: NAME.la, NAME.so, .libs/NAME.so; *out NULL if none. The
 * caller frees. */
pf_status pf_module_file(const char *folder, const char *name, char **out, pf_error *error);
/** Names of the modules in a folder, in natural order; a folder that is not there has none. Free
 * with pf_modules_free.
 */
pf_status pf_modules_in(const char *folder, char ***names, size_t *count, pf_error *error);
void pf_modules_free(char **names, size_t count);

/** Where this program's pkg-config file is: its build folder if it runs from there, else where it
 * is installed. */
const char *pf_pkgconfig_folder(void);

#endif
