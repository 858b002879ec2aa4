#define _POSIX_C_SOURCE 200809L
#include "core/store/folder.h"
#include "core/base/memory.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Every file plastfit puts into a run folder, or into a folder of simulated data: these, and no
 * others, are ever deleted. */
static const char *const run_files[] = {
    "config.cfg",      "fit.csv",          "theta.csv",           "trajectories.h5",
    "summary.json",    "table.csv",        "initial_weights.csv", "fit.cfg",
    "evaluation.json", "compare.csv",      "compare.h5",          "selection.csv",
    "report.html",     "report.html.part", "simulated.csv",       "multistart.csv",
    "intervals.csv",   "spectrum.csv",     "recover.csv"};

/* evaluation-NAME.json, which `plastfit evaluate` adds, whole or (after a crash) still being
 * written. */
static bool is_evaluation(const char *name)
{
  static const char start[] = "evaluation-";
  const char *dot = strrchr(name, '.');
  return strncmp(name, start, sizeof start - 1) == 0 && dot != NULL &&
         (strcmp(dot, ".json") == 0 ||
          (strcmp(dot, ".part") == 0 && dot - name > 5 && strncmp(dot - 5, ".json", 5) == 0));
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

/* jobs/NAME.job, by which an interrupted comparison goes on (or NAME.job.part, still being
 * written). */
static bool is_job(const char *name)
{
  const char *dot = strrchr(name, '.');
  return dot != NULL && (strcmp(dot, ".job") == 0 || (strcmp(dot, ".part") == 0 && dot - name > 4 &&
                                                      strncmp(dot - 4, ".job", 4) == 0));
}

/* figures/NAME.svg */
static bool is_figure(const char *name)
{
  const char *dot = strrchr(name, '.');
  return dot != NULL && strcmp(dot, ".svg") == 0;
}

/* Folders within a run folder, and what is ours in them. */
static const struct inner {
  const char *name;
  bool (*is_ours)(const char *name);
} inners[] = {{"jobs", is_job}, {"figures", is_figure}};
enum { N_INNERS = sizeof inners / sizeof inners[0], JOBS = 0 };

static char *join_path(const char *a, const char *b, pf_error *error)
{
  const size_t length = strlen(a) + strlen(b) + 1;
  char *text = pf_memory_need(length, 1, error);
  if (text != NULL) {
    (void)snprintf(text, length, "%s%s", a, b);
  }
  return text;
}

char *pf_folder_path(const pf_folder *folder, const char *name, pf_error *error)
{
  const size_t length = strlen(folder->part) + strlen(name) + 2;
  char *path = pf_memory_need(length, 1, error);
  if (path != NULL) {
    (void)snprintf(path, length, "%s/%s", folder->part, name);
  }
  return path;
}

static DIR *open_inner(const char *path, const struct inner *inner, char **name)
{
  pf_error unused = {.size = sizeof unused};
  const size_t length = strlen(path) + strlen(inner->name) + 2;
  *name = pf_memory_need(length, 1, &unused);
  if (*name == NULL) {
    errno = ENOMEM;
    return NULL;
  }
  (void)snprintf(*name, length, "%s/%s", path, inner->name);
  return opendir(*name);
}

/* What is in it: how many entries, and whether there is one that is not ours. -1: there is no such
 * folder. */
static long count_inner(const char *path, const struct inner *inner, bool *stranger)
{
  char *full = NULL;
  DIR *folder = open_inner(path, inner, &full);
  long n = folder == NULL ? -1 : 0;
  *stranger = false;
  for (const struct dirent *entry = n < 0 ? NULL : readdir(folder); entry != NULL;
       entry = readdir(folder)) {
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
      *stranger = *stranger || !inner->is_ours(entry->d_name);
      n++;
    }
  }
  if (folder != NULL) {
    (void)closedir(folder);
  }
  pf_memory_free(full);
  return n;
}

/* Delete it, with what is ours in it; 0 also where there is none. */
static int delete_inner(const char *path, const struct inner *inner)
{
  char *full = NULL;
  DIR *folder = open_inner(path, inner, &full);
  int failed = folder == NULL && errno != ENOENT;
  for (const struct dirent *entry = folder == NULL ? NULL : readdir(folder);
       entry != NULL && !failed; entry = readdir(folder)) {
    failed = inner->is_ours(entry->d_name) && unlinkat(dirfd(folder), entry->d_name, 0) != 0 &&
             errno != ENOENT;
  }
  int reason = errno;
  if (folder != NULL) {
    (void)closedir(folder);
    if (!failed && rmdir(full) != 0) {
      failed = 1;
      reason = errno;
    }
  }
  pf_memory_free(full);
  errno = reason;
  return failed ? -1 : 0;
}

/* Is entry `name` of `path` such a folder, with nothing in it that is not ours? */
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

static int delete_inners(const char *path)
{
  int failed = 0;
  for (size_t k = 0; k < N_INNERS && failed == 0; k++) {
    failed = delete_inner(path, &inners[k]);
  }
  return failed;
}

/* ---- what is there ---- */

enum there { NOTHING, EMPTY, RUN, OTHER_FOLDER, NO_FOLDER, UNREADABLE };

typedef struct contents {
  enum there what;
  char stranger[128]; /* OTHER_FOLDER: a file in it that is not ours */
} contents;

static contents look_at(const char *path)
{
  contents found = {.what = EMPTY};
  struct stat info;
  if (lstat(path, &info) != 0) {
    found.what = errno == ENOENT || errno == ENOTDIR
                     ? NOTHING
                     : UNREADABLE; /* a file above: told with the parents */
    return found;
  }
  if (!S_ISDIR(info.st_mode)) {
    found.what = NO_FOLDER;
    return found;
  }
  DIR *folder = opendir(path);
  if (folder == NULL) {
    found.what = UNREADABLE;
    return found;
  }
  for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
      continue;
    }
    if (!is_run_file(entry->d_name) && !is_inner(path, entry->d_name)) {
      found.what = OTHER_FOLDER;
      (void)snprintf(found.stranger, sizeof found.stranger, "%.120s", entry->d_name);
      break;
    }
    found.what = RUN;
  }
  (void)closedir(folder);
  return found;
}

/* Delete a folder that holds nothing but our files. */
static int delete_run(const char *path)
{
  DIR *folder = delete_inners(path) == 0 ? opendir(path) : NULL;
  if (folder == NULL) {
    return -1;
  }
  int failed = 0;
  for (const struct dirent *entry = readdir(folder); entry != NULL && !failed;
       entry = readdir(folder)) {
    failed = is_run_file(entry->d_name) && unlinkat(dirfd(folder), entry->d_name, 0) != 0 &&
             errno != ENOENT;
  }
  const int reason = errno;
  (void)closedir(folder);
  errno = reason;
  return failed ? -1 : rmdir(path);
}

/* ---- before any work ---- */

static char *without_slashes(const char *out, pf_error *error)
{
  char *text = pf_memory_string(out, error);
  for (size_t n = text != NULL ? strlen(text) : 0; n > 1 && text[n - 1] == '/'; n--) {
    text[n - 1] = '\0';
  }
  return text;
}

static pf_status check_free(const char *out, bool force, pf_error *error)
{
  const contents found = look_at(out);
  switch (found.what) {
  case NOTHING:
  case EMPTY:
    return PF_OK;
  case RUN:
    return force ? PF_OK
                 : pf_fail(error, PF_STOP,
                           "'%s' already holds a run; give another `out`, or --force to replace it",
                           out);
  case OTHER_FOLDER:
    return pf_fail(error, PF_STOP,
                   "'%s' holds '%s', which plastfit did not write, so it is not replaced%s; give "
                   "another `out`",
                   out, found.stranger, force ? ", --force or not" : "");
  case NO_FOLDER:
    return pf_fail(error, PF_STOP, "'%s' exists and is not a folder; give another `out`", out);
  case UNREADABLE:
  default:
    return pf_fail(error, PF_STOP, "cannot look into '%s': %s", out, strerror(errno));
  }
}

/* The nearest folder above that exists must be one we can write into. `path` is cut on the way. */
static pf_status check_parent(const char *out, char *path, pf_error *error)
{
  struct stat info;
  for (;;) {
    char *slash = strrchr(path, '/');
    if (slash == NULL) {
      (void)snprintf(path, 2,
                     "."); /* room: look_at() was asked of a name of at least one character */
    } else {
      slash[slash == path ? 1 : 0] = '\0';
    }
    if (stat(path, &info) == 0) {
      break;
    }
    if (errno != ENOENT || slash == NULL) {
      return pf_fail(error, PF_STOP, "cannot make '%s': '%s': %s", out, path, strerror(errno));
    }
  }
  if (!S_ISDIR(info.st_mode)) {
    return pf_fail(error, PF_STOP, "cannot make '%s': '%s' is not a folder", out, path);
  }
  if (access(path, W_OK | X_OK) != 0) {
    return pf_fail(error, PF_STOP, "cannot make '%s': '%s' cannot be written to: %s", out, path,
                   strerror(errno));
  }
  return PF_OK;
}

pf_status pf_folder_check(const char *out, bool force, pf_error *error)
{
  if (out == NULL || out[0] == '\0') {
    return pf_fail(error, PF_STOP,
                   "`out` is empty; name the folder for the results, such as out = \"runs/fly\"");
  }
  char *path = without_slashes(out, error);
  if (path == NULL) {
    return PF_STOP;
  }
  pf_status status = check_free(path, force, error);
  if (status == PF_OK) {
    status = check_parent(out, path, error);
  }
  pf_memory_free(path);
  return status;
}

/* ---- writing ---- */

/* mkdir -p of everything above the last name. */
static pf_status make_parents(const char *out, pf_error *error)
{
  char *path = pf_memory_string(out, error);
  if (path == NULL) {
    return PF_STOP;
  }
  pf_status status = PF_OK;
  for (char *c = path + 1; *c != '\0'; c++) {
    if (*c != '/') {
      continue;
    }
    *c = '\0';
    if (mkdir(path, 0777) != 0 && errno != EEXIST) {
      status = pf_fail(error, PF_STOP, "cannot make the folder '%s': %s", path, strerror(errno));
      break;
    }
    *c = '/';
  }
  pf_memory_free(path);
  return status;
}

/* Remove what an interrupted run left; a folder with other things in it is somebody's, and stays.
 */
static pf_status clear_leftover(const char *path, pf_error *error)
{
  const contents found = look_at(path);
  if (found.what == NOTHING) {
    return PF_OK;
  }
  if (found.what != EMPTY && found.what != RUN) {
    return pf_fail(error, PF_STOP, "'%s' is in the way%s%s; move it elsewhere", path,
                   found.what == OTHER_FOLDER ? " and holds " : "", found.stranger);
  }
  if (delete_run(path) != 0) {
    return pf_fail(error, PF_STOP, "cannot remove '%s', left by an earlier run: %s", path,
                   strerror(errno));
  }
  return PF_OK;
}

/* Names, parents, and nothing in the way; *made is the caller's on success. */
static pf_status prepare_parent(const char *out, bool force, pf_folder *made, pf_error *error)
{
  pf_status status = pf_folder_check(out, force, error);
  if (status != PF_OK) {
    return status;
  }
  made->out = without_slashes(out, error);
  made->part = made->out != NULL ? join_path(made->out, ".part", error) : NULL;
  status = made->part == NULL ? PF_STOP : make_parents(made->out, error);
  if (status != PF_OK) {
    pf_folder_forget(made);
  }
  return status;
}

pf_status pf_folder_begin(const char *out, bool force, pf_folder *folder, pf_error *error)
{
  pf_folder made = {0};
  *folder = made;
  pf_status status = prepare_parent(out, force, &made, error);
  if (status != PF_OK) {
    return status;
  }
  status = clear_leftover(made.part, error);
  if (status == PF_OK && mkdir(made.part, 0777) != 0) {
    status = pf_fail(error, PF_STOP, "cannot make the folder '%s': %s", made.part, strerror(errno));
  }
  if (status != PF_OK) {
    pf_folder_forget(&made);
    return status;
  }
  *folder = made;
  return PF_OK;
}

pf_status pf_folder_begin_jobs(const char *out, bool force, bool resume, pf_folder *folder,
                               pf_error *error)
{
  pf_folder made = {0};
  bool stranger = false;
  *folder = made;
  pf_status status = prepare_parent(out, force, &made, error);
  if (status != PF_OK) {
    return status;
  }
  const long n = count_inner(made.part, &inners[JOBS], &stranger);
  if (n > 0 && !resume && !force) {
    status = pf_fail(error, PF_STOP,
                     "an interrupted comparison left %ld finished job%s in '%s'; --resume goes on "
                     "with them, --force "
                     "starts anew",
                     n, n == 1 ? "" : "s", made.part);
  } else if (!resume || n < 0) {
    status = clear_leftover(made.part, error);
    if (status == PF_OK && mkdir(made.part, 0777) != 0) {
      status =
          pf_fail(error, PF_STOP, "cannot make the folder '%s': %s", made.part, strerror(errno));
    }
    char *jobs = status == PF_OK ? pf_folder_path(&made, inners[JOBS].name, error) : NULL;
    if (status == PF_OK && (jobs == NULL || mkdir(jobs, 0777) != 0)) {
      status = jobs == NULL ? PF_STOP
                            : pf_fail(error, PF_STOP, "cannot make the folder '%s': %s", jobs,
                                      strerror(errno));
    }
    pf_memory_free(jobs);
  } else if (look_at(made.part).what != RUN) {
    status = pf_fail(error, PF_STOP,
                     "'%s' is in the way and holds what plastfit did not write; move it elsewhere",
                     made.part);
  }
  if (status != PF_OK) {
    pf_folder_forget(&made);
    return status;
  }
  *folder = made;
  return PF_OK;
}

pf_status pf_folder_end_jobs(const pf_folder *folder, pf_error *error)
{
  return delete_inner(folder->part, &inners[JOBS]) == 0
             ? PF_OK
             : pf_fail(error, PF_STOP, "cannot remove '%s/%s': %s", folder->part, inners[JOBS].name,
                       strerror(errno));
}

void pf_folder_forget(pf_folder *folder)
{
  pf_memory_free(folder->part);
  pf_memory_free(folder->out);
  *folder = (pf_folder){0};
}

/* An earlier run is moved aside first, so that at no moment there is neither. */
static pf_status replace_folder(pf_folder *folder, pf_error *error)
{
  char *old = join_path(folder->out, ".old", error);
  if (old == NULL) {
    return PF_STOP;
  }
  pf_status status = clear_leftover(old, error);
  if (status == PF_OK && rename(folder->out, old) != 0) {
    status = pf_fail(error, PF_STOP, "cannot move '%s' aside: %s", folder->out, strerror(errno));
  }
  if (status == PF_OK && rename(folder->part, folder->out) != 0) {
    status = pf_fail(error, PF_STOP, "cannot rename '%s' to '%s': %s", folder->part, folder->out,
                     strerror(errno));
    (void)rename(old, folder->out);
  }
  if (status == PF_OK && delete_run(old) != 0) {
    status = pf_fail(error, PF_STOP,
                     "the results are in '%s', but the earlier run, moved to '%s', could not be "
                     "deleted: %s",
                     folder->out, old, strerror(errno));
    pf_memory_free(folder->part); /* it is in its place: nothing is left to remove */
    folder->part = NULL;
  }
  pf_memory_free(old);
  return status;
}

pf_status pf_folder_commit(pf_folder *folder, bool force, pf_error *error)
{
  /* Asked again: another run may have finished there meanwhile. */
  pf_status status = check_free(folder->out, force, error);
  if (status != PF_OK) {
    return status;
  }
  if (look_at(folder->out).what == RUN) {
    status = replace_folder(folder, error);
  } else if (rename(folder->part, folder->out) != 0) { /* onto nothing, or an empty folder */
    status = pf_fail(error, PF_STOP, "cannot rename '%s' to '%s': %s", folder->part, folder->out,
                     strerror(errno));
  }
  if (status == PF_OK) {
    pf_memory_free(folder->part);
    folder->part = NULL;
  }
  return status;
}

void pf_folder_end(pf_folder *folder)
{
  if (folder->part != NULL) {
    (void)delete_run(folder->part);
  }
  pf_folder_forget(folder);
}
