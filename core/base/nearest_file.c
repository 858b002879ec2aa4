#define _POSIX_C_SOURCE 200809L

#include "core/base/nearest_file.h"

#include "core/base/array.h"
#include "core/base/memory.h"
#include "core/base/text.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

enum { MAX_NAMES = 1000 };

void pf_nearest_file(const char *path, char *nearest, size_t capacity)
{
  const char *slash = strrchr(path, '/');
  const char *name = slash == NULL ? path : slash + 1;
  pf_error unused = pf_error_none();
  pf_array names = pf_array_of(sizeof(char *));
  char above[PATH_MAX];
  nearest[0] = '\0';
  (void)snprintf(above, sizeof above, "%.*s", slash == NULL ? 1 : (int)(slash - path + 1),
                 slash == NULL ? "." : path);
  DIR *folder = opendir(above);
  for (const struct dirent *entry = folder == NULL ? NULL : readdir(folder);
       entry != NULL && names.n < MAX_NAMES; entry = readdir(folder)) {
    char *copy = entry->d_name[0] == '.' ? NULL : pf_memory_string(entry->d_name, &unused);
    if (copy != NULL && pf_array_append_all(&names, &copy, 1, &unused) != PF_OK) {
      pf_memory_free(copy);
    }
  }
  if (folder != NULL) {
    (void)closedir(folder);
  }
  const char *found = pf_text_nearest(
      name, (pf_names){.items = (const char *const *)names.items, .count = names.n});
  if (found != NULL) {
    (void)snprintf(nearest, capacity, "%.*s%s", slash == NULL ? 0 : (int)(slash - path + 1), path,
                   found);
  }
  for (size_t i = 0; i < names.n; i++) {
    pf_memory_free(((char **)names.items)[i]);
  }
  pf_array_free(&names);
}

pf_status pf_fail_no_folder(const char *what, const char *path, pf_error *error)
{
  const int reason = errno;
  char nearest[PATH_MAX];
  pf_nearest_file(path, nearest, sizeof nearest);
  return pf_fail(error, PF_STOP, "there is no %s '%s': %s%s%s%s", what, path, strerror(reason),
                 nearest[0] == '\0' ? "" : "; did you mean '", nearest,
                 nearest[0] == '\0' ? "" : "'?");
}

void pf_suggest_file(pf_error *error)
{
  char path[PATH_MAX], nearest[PATH_MAX];
  const char *end = strstr(error->text, ": cannot be ");
  end = end == NULL ? strstr(error->text, ": No such file") : end;
  if (end == NULL || strstr(error->text, "did you mean") != NULL) {
    return;
  }
  (void)snprintf(path, sizeof path, "%.*s", (int)(end - error->text), error->text);
  if (access(path, F_OK) == 0 || errno != ENOENT) {
    return;
  }
  pf_nearest_file(path, nearest, sizeof nearest);
  const size_t length = strlen(error->text);
  if (nearest[0] != '\0' && length + strlen(nearest) + 24 < sizeof error->text) {
    (void)snprintf(error->text + length, sizeof error->text - length, "; did you mean '%.800s'?",
                   nearest);
  }
}
