#define _POSIX_C_SOURCE 200809L

#include "core/store/folder_contents.h"

#include "core/base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <plastfit/plastfit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PF_FOLDER_MARK_PART ".plastfit.part" /* the mark while it is written */

/* ---- names that are plastfit's ---- */

static const char *const run_files[] = {
    PF_FOLDER_MARK,   "config.cfg",     "fit.csv",     "theta.csv",           "trajectories.h5",
    "summary.json",   "table.csv",      "fit.cfg",     "initial_weights.csv", "evaluation.json",
    "compare.csv",    "compare.h5",     "report.html", "report.html.part",    "simulated.csv",
    "multistart.csv", "intervals.csv",  "recover.csv", "spectrum.csv",        "selection.csv",
    "profiles.csv",   "population.csv", "animals.csv", PF_FOLDER_MARK_PART};

static bool ends_with(const char *name, const char *end)
{
  const size_t n = strlen(name), m = strlen(end);
  return n > m && strcmp(name + n - m, end) == 0;
}

/* evaluation-NAME.json, which `plastfit evaluate` adds, whole or still being written. */
static bool is_evaluation(const char *name)
{
  static const char start[] = "evaluation-";
  return strncmp(name, start, sizeof start - 1) == 0 &&
         (ends_with(name, ".json") || ends_with(name, ".json.part"));
}

static bool is_run_file(const char *name)
{
  for (size_t i = 0; i < sizeof run_files / sizeof run_files[0]; i++) {
    if (strcmp(run_files[i], name) == 0) {
      return true;
    }
  }
  return is_evaluation(name);
}

/* jobs/NAME.job, by which an interrupted comparison goes on, whole or still being written. */
static bool is_job(const char *name)
{
  return ends_with(name, ".job") || ends_with(name, ".job.part");
}

static bool is_figure(const char *name)
{
  return ends_with(name, ".svg") || ends_with(name, ".csv") || ends_with(name, ".svg.part");
}

/* Folders within a run folder, and what is plastfit's in them. */
static const struct inner {
  const char *name;
  bool (*is_ours)(const char *name);
} inners[] = {{"jobs", is_job}, {"figures", is_figure}, {"figures.part", is_figure}};
enum { N_INNERS = sizeof inners / sizeof inners[0], JOBS = 0 };

static bool is_dots(const char *name)
{
  return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* A folder in a folder; NULL, with errno: it cannot be opened. */
static DIR *open_inner(const char *path, const char *name)
{
  const int above = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (above < 0) {
    return NULL;
  }
  const int fd = openat(above, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  const int reason = errno;
  (void)close(above);
  DIR *folder = fd < 0 ? NULL : fdopendir(fd);
  if (folder == NULL) {
    const int why = fd < 0 ? reason : errno;
    if (fd >= 0) {
      (void)close(fd);
    }
    errno = why;
  }
  return folder;
}

/* How many entries, and whether one is not plastfit's. -1: there is no such folder. */
static long count_inner(const char *path, const struct inner *inner, bool *stranger)
{
  DIR *folder = open_inner(path, inner->name);
  long n = 0;
  *stranger = false;
  if (folder == NULL) {
    return -1;
  }
  for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
    if (!is_dots(entry->d_name)) {
      *stranger = *stranger || !inner->is_ours(entry->d_name);
      n++;
    }
  }
  (void)closedir(folder);
  return n;
}

static bool is_inner(const char *path, const char *name)
{
  bool stranger = false;
  for (size_t k = 0; k < N_INNERS; k++) {
    if (strcmp(inners[k].name, name) == 0) {
      return count_inner(path, &inners[k], &stranger) >= 0 && !stranger;
    }
  }
  return false;
}

long pf_folder_count_jobs(const char *path)
{
  bool stranger = false;
  return count_inner(path, &inners[JOBS], &stranger);
}

/* ---- the mark ---- */

static void mark_path(const char *path, const char *end, char *out, size_t capacity)
{
  (void)snprintf(out, capacity, "%s/" PF_FOLDER_MARK "%s", path, end);
}

pf_status pf_folder_write_mark(const char *path, bool complete, pf_error *error)
{
  char name[PATH_MAX], part[PATH_MAX], host[128] = "";
  mark_path(path, "", name, sizeof name);
  mark_path(path, ".part", part, sizeof part);
  (void)gethostname(host, sizeof host - 1);
  FILE *file = fopen(part, "w");
  if (file == NULL) {
    return pf_fail(error, PF_STOP, "cannot write '%s': %s", part, strerror(errno));
  }
  (void)fprintf(file,
                "plastfit %s made this folder and may replace it.\n"
                "process %ld on host %s\n%s\n",
                pf_version(), (long)getpid(), host, complete ? "complete" : "being written");
  const bool failed = fflush(file) != 0 || fsync(fileno(file)) != 0;
  const int reason = errno;
  if (fclose(file) != 0 || failed || rename(part, name) != 0) {
    return pf_fail(error, PF_STOP, "cannot write '%s': %s", name,
                   strerror(failed ? reason : errno));
  }
  return PF_OK;
}

/* Line 1, 2 or 3 of the mark, without its end; "" where there is none. */
static void mark_line(const char *path, int number, char *text, size_t capacity)
{
  char name[PATH_MAX], line[512];
  mark_path(path, "", name, sizeof name);
  FILE *file = fopen(name, "r");
  text[0] = '\0';
  if (file == NULL) {
    return;
  }
  int read = 0;
  while (read < number && fgets(line, sizeof line, file) != NULL) {
    read++;
  }
  if (read == number) {
    line[strcspn(line, "\n")] = '\0';
    (void)snprintf(text, capacity, "%s", line);
  }
  (void)fclose(file);
}

void pf_folder_writer(const char *path, char *text, size_t capacity)
{
  mark_line(path, 2, text, capacity);
  if (strncmp(text, "process ", 8) != 0) {
    (void)snprintf(text, capacity, "another process");
  }
}

static bool is_complete(const char *path)
{
  char line[32];
  mark_line(path, 3, line, sizeof line);
  return strcmp(line, "complete") == 0;
}

/* ---- looking ---- */

pf_folder_contents pf_folder_look(const char *path)
{
  pf_folder_contents found = {.state = PF_FOLDER_EMPTY};
  struct stat info;
  if (lstat(path, &info) != 0) {
    /* a file in the place of a folder above is told with the parents */
    const bool none = errno == ENOENT || errno == ENOTDIR;
    found.state = none ? PF_FOLDER_NONE : PF_FOLDER_UNREADABLE;
    return found;
  }
  if (!S_ISDIR(info.st_mode)) {
    found.state = PF_FOLDER_FILE;
    return found;
  }
  DIR *folder = opendir(path);
  if (folder == NULL) {
    found.state = PF_FOLDER_UNREADABLE;
    return found;
  }
  bool marked = false;
  for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
    /* a mark that was being written when the process died says nothing */
    if (is_dots(entry->d_name) || strcmp(entry->d_name, PF_FOLDER_MARK_PART) == 0) {
      continue;
    }
    marked = marked || strcmp(entry->d_name, PF_FOLDER_MARK) == 0;
    if (found.state == PF_FOLDER_EMPTY || entry->d_name[0] != '.') {
      (void)snprintf(found.stranger, sizeof found.stranger, "%.120s", entry->d_name);
    }
    found.state = PF_FOLDER_UNMARKED;
    if (!is_run_file(entry->d_name) && !is_inner(path, entry->d_name)) {
      found.state = PF_FOLDER_FOREIGN;
      break;
    }
  }
  (void)closedir(folder);
  if (found.state == PF_FOLDER_UNMARKED && marked) {
    found.state = PF_FOLDER_OURS;
    found.complete = is_complete(path);
  }
  return found;
}

/* ---- deleting ---- */

static int delete_files(DIR *folder, bool (*is_ours)(const char *name))
{
  for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
    if (!is_dots(entry->d_name) && is_ours(entry->d_name) &&
        unlinkat(dirfd(folder), entry->d_name, 0) != 0 && errno != ENOENT) {
      return -1;
    }
  }
  return 0;
}

/* 0 also where there is none. */
static int delete_inner(const char *path, const struct inner *inner)
{
  DIR *folder = open_inner(path, inner->name);
  if (folder == NULL) {
    return errno == ENOENT ? 0 : -1;
  }
  const int failed = delete_files(folder, inner->is_ours);
  const int reason = errno;
  (void)closedir(folder);
  if (failed != 0) {
    errno = reason;
    return -1;
  }
  const int above = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (above < 0) {
    return -1;
  }
  const int gone = unlinkat(above, inner->name, AT_REMOVEDIR);
  const int why = errno;
  (void)close(above);
  errno = why;
  return gone;
}

int pf_folder_delete_jobs(const char *path)
{
  return delete_inner(path, &inners[JOBS]);
}

/* The mark goes last: a folder that is half deleted can be told from somebody else's. */
static bool is_run_file_but_mark(const char *name)
{
  return is_run_file(name) && strcmp(name, PF_FOLDER_MARK) != 0;
}

int pf_folder_delete(const char *path)
{
  for (size_t k = 0; k < N_INNERS; k++) {
    if (delete_inner(path, &inners[k]) != 0) {
      return -1;
    }
  }
  DIR *folder = opendir(path);
  if (folder == NULL) {
    return -1;
  }
  int failed = delete_files(folder, is_run_file_but_mark);
  if (failed == 0 && unlinkat(dirfd(folder), PF_FOLDER_MARK, 0) != 0 && errno != ENOENT) {
    failed = -1;
  }
  const int reason = errno;
  (void)closedir(folder);
  errno = reason;
  return failed != 0 ? -1 : rmdir(path);
}

/* ---- on the disk ---- */

static int sync_at(int folder, const char *name, int flags)
{
  const int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | flags);
  if (fd < 0) {
    return -1;
  }
  const int failed = fsync(fd);
  const int reason = errno;
  (void)close(fd);
  errno = reason;
  /* file systems that cannot sync a folder say so with EINVAL */
  return failed != 0 && errno == EINVAL && flags == O_DIRECTORY ? 0 : failed;
}

static int sync_files(DIR *folder)
{
  for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
    struct stat info;
    if (is_dots(entry->d_name)) {
      continue;
    }
    if (fstatat(dirfd(folder), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0 ||
        (S_ISREG(info.st_mode) && sync_at(dirfd(folder), entry->d_name, 0) != 0)) {
      return -1;
    }
  }
  return fsync(dirfd(folder)) == 0 || errno == EINVAL ? 0 : -1;
}

pf_status pf_folder_sync(const char *path, pf_error *error)
{
  for (size_t k = 0; k <= N_INNERS; k++) {
    DIR *folder = k < N_INNERS ? open_inner(path, inners[k].name) : opendir(path);
    if (folder == NULL && k < N_INNERS && (errno == ENOENT || errno == ENOTDIR)) {
      continue; /* there is none, or a link in its place */
    }
    const int failed = folder == NULL ? -1 : sync_files(folder);
    const int reason = errno;
    if (folder != NULL) {
      (void)closedir(folder);
    }
    if (failed != 0) {
      return pf_fail(error, PF_STOP, "cannot bring '%s' to the disk: %s", path, strerror(reason));
    }
  }
  return PF_OK;
}

pf_status pf_folder_sync_parent(const char *path, pf_error *error)
{
  char above[PATH_MAX];
  pf_text_folder_of(path, above, sizeof above);
  return sync_at(AT_FDCWD, above, O_DIRECTORY) == 0
             ? PF_OK
             : pf_fail(error, PF_STOP, "cannot bring '%s' to the disk: %s", above, strerror(errno));
}
