#define _GNU_SOURCE /* renameat2 */

#include "core/figures/figure_folder.h"

#include "core/base/memory.h"
#include "core/base/put_in_place.h"
#include "core/figures/result_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct places {
  char part[PF_RESULT_PATH], figures[PF_RESULT_PATH];
} places;

static void places_in(const char *folder, places *out)
{
  (void)snprintf(out->part, sizeof out->part, "%.3000s/figures.part", folder);
  (void)snprintf(out->figures, sizeof out->figures, "%.3000s/figures", folder);
}

static bool is_dots(const char *name)
{
  return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static bool is_figure(const char *name)
{
  const size_t n = strlen(name);
  return n > 4 && (strcmp(name + n - 4, ".svg") == 0 || strcmp(name + n - 4, ".csv") == 0);
}

/** What to do with one entry of a folder. False, with errno: go no further. */
typedef bool (*visit_entry)(DIR *folder, const char *name, void *payload);

/** Of a folder itself, not of what a link names. False, with errno, where one entry failed. */
static bool visit_all(const char *path, visit_entry visit, void *payload)
{
  const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  DIR *folder = fd < 0 ? NULL : fdopendir(fd);
  if (folder == NULL) {
    const int reason = errno;
    if (fd >= 0) {
      (void)close(fd);
    }
    errno = reason;
    return false;
  }
  bool done = true;
  errno = 0;
  const struct dirent *entry = readdir(folder);
  while (entry != NULL && done) {
    done = is_dots(entry->d_name) || visit(folder, entry->d_name, payload);
    entry = done ? readdir(folder) : NULL;
  }
  const int reason = errno;
  (void)closedir(folder);
  errno = reason;
  return done;
}

static bool remove_figure(DIR *folder, const char *name, void *payload)
{
  (void)payload;
  return !is_figure(name) || unlinkat(dirfd(folder), name, 0) == 0;
}

/** Removes the figures in it, and it, where nothing else is in it. */
static bool remove_folder(const char *path)
{
  return visit_all(path, remove_figure, NULL) && rmdir(path) == 0;
}

pf_status pf_figure_folder_draw(const char *folder, pf_figures *figures, pf_error *error)
{
  places at;
  places_in(folder, &at);
  if (!remove_folder(at.part) && errno != ENOENT) {
    return pf_fail(error, PF_STOP, "'%.500s' is in the way: %s; move it elsewhere", at.part,
                   strerror(errno));
  }
  const pf_status status = pf_figures_render(figures, at.part, error);
  if (status != PF_OK) {
    pf_figure_folder_drop(folder);
  }
  return status;
}

void pf_figure_folder_drop(const char *folder)
{
  places at;
  places_in(folder, &at);
  (void)remove_folder(at.part);
}

/* ---- into its place ---- */

static bool check_figure(DIR *folder, const char *name, void *payload)
{
  (void)folder;
  (void)payload;
  return is_figure(name);
}

/** A file system that cannot (EINVAL) has nothing to wait for. */
static bool sync_figure(DIR *folder, const char *name, void *payload)
{
  (void)payload;
  const int fd = openat(dirfd(folder), name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) {
    return false;
  }
  const bool synced = fsync(fd) == 0 || errno == EINVAL;
  const int reason = errno;
  (void)close(fd);
  errno = reason;
  return synced;
}

static bool place_figure(DIR *folder, const char *name, void *payload)
{
  const places *at = payload;
  char from[PF_RESULT_PATH + 256], to[PF_RESULT_PATH + 256];
  pf_error unsaid = pf_error_none(); /* errno has the reason */
  (void)folder;
  (void)snprintf(from, sizeof from, "%s/%s", at->part, name);
  (void)snprintf(to, sizeof to, "%s/%s", at->figures, name);
  return pf_put_in_place(from, to, &unsaid) == PF_OK;
}

static bool place_each(places *at)
{
  return visit_all(at->part, place_figure, at) && rmdir(at->part) == 0;
}

/** In one step. The figures of before stay on the disk until the new ones are there. */
static bool exchange_folders(places *at)
{
  if (!visit_all(at->part, sync_figure, NULL)) {
    return false;
  }
  if (renameat2(AT_FDCWD, at->part, AT_FDCWD, at->figures, RENAME_EXCHANGE) != 0) {
    return (errno == EINVAL || errno == ENOSYS || errno == ENOTSUP) && place_each(at);
  }
  (void)remove_folder(at->part); /* the next report removes it, where this fails */
  return true;
}

static bool place_drawn(places *at)
{
  struct stat info;
  if (lstat(at->figures, &info) != 0) {
    return errno == ENOENT && rename(at->part, at->figures) == 0;
  }
  return S_ISDIR(info.st_mode) && visit_all(at->figures, check_figure, NULL) ? exchange_folders(at)
                                                                             : place_each(at);
}

pf_status pf_figure_folder_place(const char *folder, pf_error *error)
{
  places at;
  struct stat info;
  places_in(folder, &at);
  if (lstat(at.part, &info) != 0 && errno == ENOENT) {
    return PF_OK;
  }
  if (place_drawn(&at)) {
    return PF_OK;
  }
  (void)pf_fail(error, PF_STOP, "cannot write '%.500s': %s", at.figures, strerror(errno));
  pf_figure_folder_drop(folder);
  return PF_STOP;
}
