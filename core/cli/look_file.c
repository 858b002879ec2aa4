#define _POSIX_C_SOURCE 200809L /* glob */

#include "core/cli/look_file.h"

#include "core/base/memory.h"
#include "core/plugin/registry.h"

#include <glob.h>
#include <string.h>
#include <sys/stat.h>

static void set_stem(table_look *look)
{
  const char *slash = strrchr(look->path, '/');
  const char *base = slash == NULL ? look->path : slash + 1;
  const size_t n = strcspn(base, ".");
  (void)snprintf(look->stem, sizeof look->stem, "%.*s", n > 60 ? 60 : (int)n, base);
  char *to = look->stem;
  for (const char *c = look->stem; *c != '\0'; c++) {
    if (strchr("*?[]", *c) == NULL) {
      *to++ = strchr("\"\\ ", *c) != NULL ? '-' : *c;
    }
  }
  *to = '\0';
  if (look->stem[0] == '\0') {
    (void)snprintf(look->stem, sizeof look->stem, "own");
  }
}

static pf_status find_first(table_look *look, pf_error *error)
{
  glob_t found;
  struct stat about;
  look->n_files = 1;
  (void)snprintf(look->first, sizeof look->first, "%s", look->path);
  if (stat(look->path, &about) == 0 || strpbrk(look->path, "*?[") == NULL) {
    return PF_OK;
  }
  if (glob(look->path, 0, NULL, &found) != 0) {
    return pf_fail(error, PF_STOP, "%s: no file has a name like this", look->path);
  }
  (void)snprintf(look->first, sizeof look->first, "%s", found.gl_pathv[0]);
  look->n_files = found.gl_pathc;
  globfree(&found);
  return PF_OK;
}

/** The source of such files by their suffix; a folder is one of .npy files. */
static pf_status find_source(table_look *look, pf_error *error)
{
  struct stat about;
  pf_registry *registry = NULL;
  const pf_plugin *plugin = NULL;
  (void)snprintf(look->group, sizeof look->group, "columns");
  (void)snprintf(look->word, sizeof look->word, "column");
  if (stat(look->first, &about) == 0 && S_ISDIR(about.st_mode)) {
    (void)snprintf(look->plugin, sizeof look->plugin, "npy");
    look->is_arrays = true;
    return PF_OK;
  }
  pf_status status = pf_registry_create(NULL, &registry, error);
  if (status != PF_OK) {
    return status;
  }
  status = pf_registry_find_reader(registry, look->first, NULL, &plugin, error);
  if (status == PF_OK) {
    (void)snprintf(look->plugin, sizeof look->plugin, "%s", plugin->name);
    look->is_arrays = PF_HAS(plugin->source, pf_source_ops, list) && plugin->source->list != NULL;
  }
  pf_registry_free(registry);
  return status;
}

static void name_sibling(table_look *look, const char *path)
{
  table_look other = {.path = path};
  pf_error error = pf_error_none();
  (void)snprintf(other.first, sizeof other.first, "%s", path);
  if (look->rewards[0] == '\0' && look_at_text(&other, false, &error) == PF_OK &&
      other.headerless && other.n == look->n && other.n_rows == look->n_rows) {
    (void)snprintf(look->rewards, sizeof look->rewards, "%s", path);
  }
  look_free(&other);
}

/** Beside a matrix of choices: a file of the same size with a reward in its name. */
static void find_rewards(table_look *look)
{
  static const char *const words[] = {"reward", "Reward", "outcome", "Outcome", "feedback"};
  const char *slash = strrchr(look->path, '/');
  const int folder = slash == NULL ? 0 : (int)(slash - look->path) + 1;
  for (size_t k = 0; k < sizeof words / sizeof words[0]; k++) {
    char pattern[1200];
    glob_t found;
    (void)snprintf(pattern, sizeof pattern, "%.*s*%s*", folder, look->path, words[k]);
    if (glob(pattern, 0, NULL, &found) != 0) {
      continue;
    }
    for (size_t i = 0; i < found.gl_pathc; i++) {
      if (strcmp(found.gl_pathv[i], look->path) != 0) {
        name_sibling(look, found.gl_pathv[i]);
      }
    }
    globfree(&found);
  }
}

static void look_as_matrix(table_look *look)
{
  look_column *all = &look->columns[0]; /* stands for all of them */
  look->is_matrix = true;
  for (size_t i = 1; i < look->n; i++) {
    const look_column *c = &look->columns[i];
    for (size_t k = 0; k < c->n_values && k < LOOK_MOST_VALUES; k++) {
      look_at_value(all, c->values[k]);
    }
  }
  for (int r = 0; r < N_ROLES; r++) {
    look->role[r] = -1;
  }
  look->role[CHOICE] = 0;
  (void)snprintf(all->name, sizeof all->name, "choice");
  find_rewards(look);
}

static pf_status look_at_file(table_look *look, pf_error *error)
{
  pf_status status =
      look->is_arrays ? look_at_arrays(look, error) : look_at_text(look, false, error);
  if (status != PF_OK) {
    return status;
  }
  if (!look->is_arrays && look_is_matrix(look)) {
    look_as_matrix(look);
    return PF_OK;
  }
  look_guess_roles(look);
  return look->is_arrays ? PF_OK : look_at_text(look, true, error);
}

pf_status pf_cli_look_at_path(table_look *look, pf_error *error)
{
  set_stem(look);
  if (find_first(look, error) != PF_OK || find_source(look, error) != PF_OK) {
    return PF_STOP;
  }
  return look_at_file(look, error);
}
