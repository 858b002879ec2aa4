#define _XOPEN_SOURCE 700 /* realpath */

#include "core/plugin/path.h"

#include "core/base/memory.h"
#include "core/base/text.h"

#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the folders ---- */

/** The same folder named twice would shadow itself. */
static bool is_known(const pf_search_path *path, const char *folder)
{
  bool known = false;
  char *real = realpath(folder, NULL);
  for (size_t i = 0; real != NULL && !known && i < path->count; i++) {
    char *other = realpath(path->folders[i].path, NULL);
    known = other != NULL && strcmp(real, other) == 0;
    free(other);
  }
  free(real);
  return known;
}

static pf_status add_folder(pf_search_path *path, const char *folder, size_t length, bool by_user,
                            pf_error *error)
{
  if (length == 0) {
    return PF_OK;
  }
  char *copy = pf_memory_need(length + 1, 1, error);
  if (copy == NULL) {
    return PF_STOP;
  }
  memcpy(copy, folder, length);
  if (is_known(path, copy)) {
    pf_memory_free(copy);
    return PF_OK;
  }
  pf_plugin_folder *grown = realloc(path->folders, (path->count + 1) * sizeof *grown);
  if (grown == NULL) {
    pf_memory_free(copy);
    return pf_fail(error, PF_STOP, "out of memory for the plugins' search path");
  }
  path->folders = grown;
  path->folders[path->count++] = (pf_plugin_folder){copy, by_user};
  return PF_OK;
}

/** "a:b:c" */
static pf_status add_list(pf_search_path *path, const char *list, pf_error *error)
{
  while (list != NULL && *list != '\0') {
    const size_t length = strcspn(list, ":");
    if (add_folder(path, list, length, true, error) != PF_OK) {
      return PF_STOP;
    }
    list += length + (list[length] == ':' ? 1 : 0);
  }
  return PF_OK;
}

/** The folder of a build tree that was copied or moved, into `out`: the program lies in it (or in
 * its .libs), beside plugins/ as libtool leaves it. False: it lies in none. */
static bool find_moved_tree(char *out, size_t capacity)
{
  char program[PATH_MAX], probe[PATH_MAX + 32];
  const ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
  if (length <= 0) {
    return false;
  }
  program[length] = '\0';
  for (int k = 0; k < 2; k++) {
    char *slash = strrchr(program, '/');
    if (slash == NULL) {
      return false;
    }
    *slash = '\0';
    (void)snprintf(probe, sizeof probe, "%s/config.status", program);
    if (access(probe, F_OK) == 0) {
      (void)snprintf(probe, sizeof probe, "%s/plugins/.libs", program);
      return access(probe, F_OK) == 0 && snprintf(out, capacity, "%s", program) < (int)capacity;
    }
  }
  return false;
}

#if defined(PF_BUILD_DIR) && defined(PF_BUILD_PLUGIN_DIR)
/** Does this program lie in the build tree? (libtool keeps the real one in .libs, which lies below
 * it too.) */
static bool runs_from_build_tree(void)
{
  char program[PATH_MAX];
  ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
  char *build = realpath(PF_BUILD_DIR, NULL);
  bool inside = false;
  if (length > 0 && build != NULL) {
    program[length] = '\0';
    size_t n = strlen(build);
    inside = strncmp(program, build, n) == 0 && program[n] == '/';
  }
  free(build);
  return inside;
}
#endif

const char *pf_pkgconfig_folder(void)
{
#if defined(PF_BUILD_DIR) && defined(PF_BUILD_PLUGIN_DIR)
  if (runs_from_build_tree()) {
    return PF_BUILD_DIR;
  }
#endif
#ifdef PF_PKGCONFIG_DIR
  return PF_PKGCONFIG_DIR;
#else
  return "";
#endif
}

pf_status pf_search_path_create(const char *plugin_path, pf_search_path *out, pf_error *error)
{
  pf_search_path path = {0};
  pf_status status = add_list(&path, plugin_path, error);
  if (status == PF_OK) {
    status = add_list(&path, getenv("PLASTFIT_PLUGIN_PATH"), error);
  }
#if defined(PF_BUILD_DIR) && defined(PF_BUILD_PLUGIN_DIR)
  if (status == PF_OK && runs_from_build_tree()) {
    status = add_folder(&path, PF_BUILD_PLUGIN_DIR, strlen(PF_BUILD_PLUGIN_DIR), false, error);
  }
#endif
  char moved[PATH_MAX - 16], plugins[PATH_MAX];
  if (status == PF_OK && find_moved_tree(moved, sizeof moved)) {
    (void)snprintf(plugins, sizeof plugins, "%s/plugins", moved);
    status = add_folder(&path, plugins, strlen(plugins), false, error);
  }
#ifdef PF_PLUGIN_DIR
  if (status == PF_OK) {
    status = add_folder(&path, PF_PLUGIN_DIR, strlen(PF_PLUGIN_DIR), false, error);
  }
#endif
  if (status != PF_OK) {
    pf_search_path_free(&path);
    return status;
  }
  *out = path;
  return PF_OK;
}

/* ---- which of them are trusted ---- */

/** Is `inner`, a real path, `folder` or below it? */
static bool lies_in(const char *inner, const char *folder)
{
  char *real = realpath(folder, NULL);
  const size_t n = real == NULL ? 0 : strlen(real);
  const bool inside =
      real != NULL && strncmp(inner, real, n) == 0 && (inner[n] == '/' || inner[n] == '\0');
  free(real);
  return inside;
}

static bool is_trusted(const char *folder, const pf_search_path *trusted)
{
  char *real = realpath(folder, NULL);
  bool inside = real == NULL; /* nothing there: nothing is loaded */
  for (size_t i = 0; !inside && i < trusted->count; i++) {
    inside = lies_in(real, trusted->folders[i].path);
  }
#if defined(PF_BUILD_DIR) && defined(PF_BUILD_PLUGIN_DIR)
  inside = inside || (runs_from_build_tree() && lies_in(real, PF_BUILD_DIR));
#endif
  free(real);
  return inside;
}

pf_status pf_plugin_path_trusted(const char *plugin_path, pf_error *error)
{
  const char *trust = getenv("PLASTFIT_TRUST");
  pf_search_path named = {0}, trusted = {0};
  if (plugin_path == NULL || (trust != NULL && strcmp(trust, "1") == 0)) {
    return PF_OK;
  }
  pf_status status = pf_search_path_create(NULL, &trusted, error);
  if (status == PF_OK) {
    status = add_list(&named, plugin_path, error);
  }
  for (size_t i = 0; i < named.count; i++) {
    if (status == PF_OK && !is_trusted(named.folders[i].path, &trusted)) {
      status =
          pf_fail(error, PF_STOP,
                  "plugin_path '%.500s': code beside a config runs with all your rights, so it "
                  "is loaded only if you say so: --trust (or PLASTFIT_TRUST=1), or name the "
                  "folder in PLASTFIT_PLUGIN_PATH",
                  named.folders[i].path);
    }
  }
  pf_search_path_free(&named);
  pf_search_path_free(&trusted);
  return status;
}

void pf_search_path_free(pf_search_path *path)
{
  for (size_t i = 0; i < path->count; i++) {
    pf_memory_free(path->folders[i].path);
  }
  free(path->folders);
  *path = (pf_search_path){0};
}

/* ---- what lies there ---- */

pf_status pf_module_file(const char *folder, const char *name, char **out, pf_error *error)
{
  size_t capacity = strlen(folder) + strlen(name) + sizeof "/.libs/.so";
  char *file = pf_memory_need(capacity, 1, error);
  *out = NULL;
  if (file == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; i < 3; i++) {
    const char *between = i == 2 ? "/.libs/" : "/";
    (void)snprintf(file, capacity, "%s%s%s%s", folder, between, name, i == 0 ? ".la" : ".so");
    if (access(file, F_OK) == 0) {
      *out = file;
      return PF_OK;
    }
  }
  pf_memory_free(file);
  return PF_OK;
}

/** Length of the module's name in a file name, or 0 if it is no module's. */
static size_t module_length(const char *file)
{
  size_t length = strlen(file);
  bool module = length > 3 &&
                (strcmp(file + length - 3, ".la") == 0 || strcmp(file + length - 3, ".so") == 0);
  return module && file[0] != '.' ? length - 3 : 0;
}

typedef struct name_list {
  char **items;
  size_t count;
} name_list;

static pf_status add_name(name_list *list, const char *name, size_t length, pf_error *error)
{
  for (size_t i = 0; i < list->count; i++) {
    if (strncmp(list->items[i], name, length) == 0 && list->items[i][length] == '\0') {
      return PF_OK; /* as .la and as .so */
    }
  }
  char **grown = realloc(list->items, (list->count + 1) * sizeof *grown);
  if (grown == NULL) {
    return pf_fail(error, PF_STOP, "out of memory for the names of plugins");
  }
  list->items = grown;
  char *copy = pf_memory_need(length + 1, 1, error);
  if (copy == NULL) {
    return PF_STOP;
  }
  memcpy(copy, name, length);
  list->items[list->count++] = copy;
  return PF_OK;
}

static pf_status list_folder(name_list *list, const char *folder, pf_error *error)
{
  DIR *directory = opendir(folder);
  if (directory == NULL) {
    return PF_OK;
  }
  pf_status status = PF_OK;
  struct dirent *entry;
  while ((entry = readdir(directory)) != NULL) {
    const size_t length = module_length(entry->d_name);
    if (length > 0 && add_name(list, entry->d_name, length, error) != PF_OK) {
      status = PF_STOP;
      break;
    }
  }
  (void)closedir(directory);
  return status;
}

static int compare_names(const void *a, const void *b)
{
  return pf_text_natural_compare(*(char *const *)a, *(char *const *)b);
}

pf_status pf_modules_in(const char *folder, char ***names, size_t *count, pf_error *error)
{
  name_list list = {0};
  pf_text hidden = {0};
  pf_text_add(&hidden, "%s/.libs", folder);
  pf_status status = hidden.failed
                         ? pf_fail(error, PF_STOP, "out of memory for the names of plugins")
                         : list_folder(&list, folder, error);
  if (status == PF_OK && list.count == 0) {
    status = list_folder(&list, hidden.text, error); /* a build tree without its .la files */
  }
  pf_text_free(&hidden);
  if (status != PF_OK) {
    pf_modules_free(list.items, list.count);
    return status;
  }
  if (list.count > 1) {
    qsort(list.items, list.count, sizeof *list.items, compare_names);
  }
  *names = list.items;
  *count = list.count;
  return PF_OK;
}

void pf_modules_free(char **names, size_t count)
{
  for (size_t i = 0; i < count; i++) {
    pf_memory_free(names[i]);
  }
  free(names);
}
