#define _GNU_SOURCE /* renameat2 */

#include "core/store/folder.h"

#include "core/base/memory.h"
#include "core/store/folder_contents.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* The longest end that a name gets here. */
enum { LONGEST_END = sizeof ".interrupted.part" };
/* Seconds that a finished run waits for a report or scores of the run before. */
enum { LONGEST_WAIT = 60 };

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

/** One line for the user that is no error. */
static void warn_user(const char *format, const char *a, const char *b)
{
  char line[PF_ERROR_LENGTH];
  const pf_host *host = pf_host_default();
  (void)snprintf(line, sizeof line, format, a, b);
  host->warn(host, line);
}

/* ---- before any work ---- */

static char *without_slashes(const char *out, pf_error *error)
{
  char *text = pf_memory_string(out, error);
  if (text == NULL) {
    return NULL;
  }
  for (size_t n = strlen(text); n > 1 && text[n - 1] == '/'; n--) {
    text[n - 1] = '\0';
  }
  return text;
}

static pf_status check_free(const char *out, bool force, pf_error *error)
{
  const pf_folder_contents found = pf_folder_look(out);
  switch (found.state) {
  case PF_FOLDER_NONE:
  case PF_FOLDER_EMPTY:
    return PF_OK;
  case PF_FOLDER_OURS:
    return force ? PF_OK
                 : pf_fail(error, PF_STOP,
                           "'%s' already holds a run; give another `out`, or --force to replace it",
                           out);
  case PF_FOLDER_FOREIGN:
  case PF_FOLDER_UNMARKED:
    return pf_fail(error, PF_STOP,
                   "'%s' holds '%s', which plastfit did not write, so it is not replaced%s; give "
                   "another `out`",
                   out, found.stranger, force ? ", --force or not" : "");
  case PF_FOLDER_FILE:
    return pf_fail(error, PF_STOP, "'%s' exists and is not a folder; give another `out`", out);
  case PF_FOLDER_UNREADABLE:
  default:
    return pf_fail(error, PF_STOP, "cannot look into '%s': %s", out, strerror(errno));
  }
}

/* Can a folder have this name, and the names that are made of it? */
static pf_status check_name(const char *path, pf_error *error)
{
  const char *last = strrchr(path, '/');
  last = last == NULL ? path : last + 1;
  if (last[0] == '\0' || strcmp(last, ".") == 0 || strcmp(last, "..") == 0) {
    return pf_fail(error, PF_STOP,
                   "out = \"%s\" names a folder that is there already; give the results a folder "
                   "of their own, such as out = \"runs/fly\"",
                   path);
  }
  if (strlen(last) + (size_t)LONGEST_END > NAME_MAX) {
    return pf_fail(error, PF_STOP, "out = \"%.40s...\" has a name of %zu bytes; at most %zu work",
                   last, strlen(last), (size_t)NAME_MAX - LONGEST_END);
  }
  if (strlen(path) + (size_t)LONGEST_END + 64 > PATH_MAX) {
    return pf_fail(error, PF_STOP, "out = \"%.40s...\" is a path of %zu bytes; at most %zu work",
                   path, strlen(path), (size_t)PATH_MAX - LONGEST_END - 64);
  }
  return PF_OK;
}

/* The nearest folder above that exists must be one we can write into. `path` is cut on the way. */
static pf_status check_parent(const char *out, char *path, pf_error *error)
{
  struct stat info;
  for (;;) {
    char *slash = strrchr(path, '/');
    if (slash == NULL) {
      (void)snprintf(path, 2, "."); /* room: check_name() saw at least one character */
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
  pf_status status = check_name(path, error);
  if (status != PF_OK) {
    goto done;
  }
  status = check_free(path, force, error);
  if (status != PF_OK) {
    goto done;
  }
  status = check_parent(out, path, error);
done:
  pf_memory_free(path);
  return status;
}

/* ---- the part, locked ---- */

static pf_status is_being_written(const char *part, pf_error *error)
{
  char writer[256];
  pf_folder_writer(part, writer, sizeof writer);
  return pf_fail(error, PF_STOP,
                 "'%s' is being written by %s; give another `out`, or wait until it is done", part,
                 writer);
}

/* Opens and locks the folder `part`. *lock is -1 where there is none. */
static pf_status lock_part(const char *part, int *lock, pf_error *error)
{
  struct stat opened, named;
  *lock = open(part, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (*lock < 0) {
    return errno == ENOENT ? PF_OK
                           : pf_fail(error, PF_STOP, "'%s' is in the way: %s; move it elsewhere",
                                     part, strerror(errno));
  }
  if (flock(*lock, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    (void)close(*lock);
    *lock = -1;
    return is_being_written(part, error);
  }
  /* a file system without locks: on it, as before, nobody can tell */
  if (fstat(*lock, &opened) != 0 || stat(part, &named) != 0 || opened.st_ino != named.st_ino ||
      opened.st_dev != named.st_dev) { /* it was put in its place, or removed, in between */
    (void)close(*lock);
    *lock = -1;
    return is_being_written(part, error);
  }
  return PF_OK;
}

/* Makes the folder and locks it. Another process that was a moment earlier is reported. */
static pf_status make_part(const char *part, int *lock, pf_error *error)
{
  if (mkdir(part, 0777) != 0) {
    return errno == EEXIST
               ? is_being_written(part, error)
               : pf_fail(error, PF_STOP, "cannot make the folder '%s': %s", part, strerror(errno));
  }
  const pf_status status = lock_part(part, lock, error);
  if (status != PF_OK) {
    return status;
  }
  return *lock < 0 ? is_being_written(part, error) : pf_folder_write_mark(part, false, error);
}

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

static pf_status is_in_the_way(const char *path, const pf_folder_contents *found, pf_error *error)
{
  const bool names = found->state == PF_FOLDER_FOREIGN || found->state == PF_FOLDER_UNMARKED;
  return pf_fail(error, PF_STOP, "'%s' is in the way%s%s; move it elsewhere", path,
                 names ? " and holds " : "", found->stranger);
}

/* Removes a folder of ours that is no longer wanted; nothing where there is none. */
static pf_status clear_leftover(const char *path, pf_error *error)
{
  const pf_folder_contents found = pf_folder_look(path);
  if (found.state == PF_FOLDER_NONE) {
    return PF_OK;
  }
  if (found.state != PF_FOLDER_EMPTY && found.state != PF_FOLDER_OURS) {
    return is_in_the_way(path, &found, error);
  }
  if (pf_folder_delete(path) != 0) {
    return pf_fail(error, PF_STOP, "cannot remove '%s', left by an earlier run: %s", path,
                   strerror(errno));
  }
  return PF_OK;
}

/*
 * A process that died while it replaced a run, on a file system that cannot exchange two folders at
 * once, left no `out`, but the run before in `out.old`, or a whole new one in `out.part`. Either is
 * put in its place.
 */
static pf_status restore_out(const pf_folder *folder, pf_error *error)
{
  const pf_folder_contents part = pf_folder_look(folder->part);
  if (pf_folder_look(folder->out).state != PF_FOLDER_NONE) {
    return PF_OK;
  }
  char *old = join_path(folder->out, ".old", error);
  if (old == NULL) {
    return PF_STOP;
  }
  const bool whole = part.state == PF_FOLDER_OURS && part.complete;
  const char *from = whole ? folder->part : old;
  if (whole || pf_folder_look(old).state == PF_FOLDER_OURS) {
    if (rename(from, folder->out) == 0) {
      warn_user("'%s', which a process that died left whole, is in its place again: '%s'", from,
                folder->out);
    }
  }
  pf_memory_free(old);
  return PF_OK;
}

/* Names, parents, what a process that died left, and nothing in the way. *lock: of a part that is
 * there, else -1. On failure nothing is held. */
static pf_status prepare_parent(const char *out, bool force, pf_folder *made, pf_error *error)
{
  *made = (pf_folder){.lock = -1};
  made->out = without_slashes(out == NULL ? "" : out, error);
  if (made->out == NULL) {
    return PF_STOP;
  }
  pf_status status = PF_STOP;
  made->part = join_path(made->out, ".part", error);
  if (made->part == NULL || (out != NULL && out[0] != '\0' && check_name(made->out, error) != 0)) {
    goto failed;
  }
  status = lock_part(made->part, &made->lock, error);
  if (status != PF_OK) {
    goto failed;
  }
  status = restore_out(made, error);
  if (status != PF_OK) {
    goto failed;
  }
  status = pf_folder_check(out, force, error);
  if (status != PF_OK) {
    goto failed;
  }
  status = make_parents(made->out, error);
  if (status == PF_OK) {
    return PF_OK;
  }
failed:
  pf_folder_forget(made);
  return status;
}

/* An empty part, instead of what a process that died left there. */
static pf_status renew_part(pf_folder *folder, pf_error *error)
{
  if (folder->lock >= 0) {
    const pf_folder_contents found = pf_folder_look(folder->part);
    const pf_status status = clear_leftover(folder->part, error);
    (void)close(folder->lock);
    folder->lock = -1;
    if (status != PF_OK) {
      return status;
    }
    if (found.state == PF_FOLDER_OURS) {
      warn_user("removed '%s', which a process that died left unfinished%s", folder->part, "");
    }
  }
  return make_part(folder->part, &folder->lock, error);
}

pf_status pf_folder_begin(const char *out, bool force, pf_folder *folder, pf_error *error)
{
  pf_folder made;
  *folder = (pf_folder){.lock = -1};
  pf_status status = prepare_parent(out, force, &made, error);
  if (status != PF_OK) {
    return status;
  }
  status = renew_part(&made, error);
  if (status != PF_OK) {
    pf_folder_forget(&made);
    return status;
  }
  *folder = made;
  return PF_OK;
}

static pf_status make_jobs(pf_folder *folder, pf_error *error)
{
  const pf_status status = renew_part(folder, error);
  if (status != PF_OK) {
    return status;
  }
  char *jobs = pf_folder_path(folder, "jobs", error);
  if (jobs == NULL) {
    return PF_STOP;
  }
  const int failed = mkdir(jobs, 0777);
  const int reason = errno;
  pf_memory_free(jobs);
  return failed == 0 ? PF_OK
                     : pf_fail(error, PF_STOP, "cannot make the folder '%s/jobs': %s", folder->part,
                               strerror(reason));
}

pf_status pf_folder_begin_jobs(const char *out, bool force, bool resume, pf_folder *folder,
                               pf_error *error)
{
  pf_folder made;
  *folder = (pf_folder){.lock = -1};
  pf_status status = prepare_parent(out, force, &made, error);
  if (status != PF_OK) {
    return status;
  }
  const long n = made.lock < 0 ? -1 : pf_folder_count_jobs(made.part);
  const pf_folder_contents found = pf_folder_look(made.part);
  if (n > 0 && !resume && !force) {
    status = pf_fail(error, PF_STOP,
                     "an interrupted comparison left %ld finished job%s in '%s'; --resume goes on "
                     "with them, --force starts anew",
                     n, n == 1 ? "" : "s", made.part);
  } else if (!resume || n < 0) {
    status = make_jobs(&made, error);
  } else if (found.state != PF_FOLDER_OURS) {
    status = is_in_the_way(made.part, &found, error);
  } else {
    status = pf_folder_write_mark(made.part, false, error);
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
  return pf_folder_delete_jobs(folder->part) == 0
             ? PF_OK
             : pf_fail(error, PF_STOP, "cannot remove '%s/jobs': %s", folder->part,
                       strerror(errno));
}

void pf_folder_forget(pf_folder *folder)
{
  if (folder->part != NULL && folder->lock >= 0) {
    (void)close(folder->lock);
  }
  pf_memory_free(folder->part);
  pf_memory_free(folder->out);
  *folder = (pf_folder){.lock = -1};
}

/* ---- into its place ---- */

/* Where folders cannot be exchanged: the earlier run is moved aside first. */
static pf_status replace_by_two(const pf_folder *folder, pf_error *error)
{
  char *old = join_path(folder->out, ".old", error);
  if (old == NULL) {
    return PF_STOP;
  }
  pf_status status = clear_leftover(old, error);
  if (status != PF_OK) {
    goto done;
  }
  if (rename(folder->out, old) != 0) {
    status = pf_fail(error, PF_STOP, "cannot move '%s' aside: %s", folder->out, strerror(errno));
    goto done;
  }
  if (rename(folder->part, folder->out) != 0) {
    status = pf_fail(error, PF_STOP, "cannot rename '%s' to '%s': %s", folder->part, folder->out,
                     strerror(errno));
    (void)rename(old, folder->out);
    goto done;
  }
  status = pf_folder_sync_parent(folder->out, error);
  if (status != PF_OK) {
    goto done;
  }
  if (pf_folder_delete(old) != 0) {
    warn_user("the results are in their place, but the earlier run, moved to '%s', could not be "
              "deleted: %s",
              old, strerror(errno));
  }
done:
  pf_memory_free(old);
  return status;
}

/* In one step: at no moment is there no run at `out`. */
static pf_status exchange_runs(const pf_folder *folder, pf_error *error)
{
  if (renameat2(AT_FDCWD, folder->part, AT_FDCWD, folder->out, RENAME_EXCHANGE) != 0) {
    return errno == EINVAL || errno == ENOSYS || errno == ENOTSUP
               ? replace_by_two(folder, error)
               : pf_fail(error, PF_STOP, "cannot put '%s' in the place of '%s': %s", folder->part,
                         folder->out, strerror(errno));
  }
  /* on the disk before anything of the earlier run is deleted: folders do not wait for one another
   */
  const pf_status status = pf_folder_sync_parent(folder->out, error);
  if (status != PF_OK) {
    return status;
  }
  if (pf_folder_delete(folder->part) != 0) { /* it is the earlier run now */
    warn_user("the results are in their place, but the earlier run, now in '%s', could not be "
              "deleted: %s",
              folder->part, strerror(errno));
  }
  return PF_OK;
}

/* Who makes a page or scores in the run that is replaced ends first: what it writes by names would
 * come into the new one. */
static pf_status replace_run(const pf_folder *folder, pf_error *error)
{
  const int held = pf_folder_hold(folder->out);
  pf_status status = pf_folder_lock(folder->out, held, LONGEST_WAIT, error);
  if (status == PF_OK) {
    status = exchange_runs(folder, error);
  }
  pf_folder_let_go(held);
  return status;
}

static pf_status put_in_place(const pf_folder *folder, bool force, pf_error *error)
{
  /* Asked again: another run may have finished there meanwhile. */
  pf_status status = check_free(folder->out, force, error);
  if (status != PF_OK) {
    return status;
  }
  status = pf_folder_write_mark(folder->part, true, error);
  if (status != PF_OK) {
    return status;
  }
  status = pf_folder_sync(folder->part, error);
  if (status != PF_OK) {
    return status;
  }
  if (pf_folder_look(folder->out).state == PF_FOLDER_OURS) {
    status = replace_run(folder, error);
  } else if (rename(folder->part, folder->out) != 0) { /* onto nothing, or an empty folder */
    status = pf_fail(error, PF_STOP, "cannot rename '%s' to '%s': %s", folder->part, folder->out,
                     strerror(errno));
  }
  return status != PF_OK ? status : pf_folder_sync_parent(folder->out, error);
}

pf_status pf_folder_commit(pf_folder *folder, bool force, pf_error *error)
{
  const pf_status status = put_in_place(folder, force, error);
  if (status == PF_OK) {
    (void)close(folder->lock);
    folder->lock = -1;
    pf_memory_free(folder->part);
    folder->part = NULL;
  }
  return status;
}

pf_status pf_folder_commit_interrupted(pf_folder *folder, bool force, pf_error *error)
{
  const pf_folder_contents found = pf_folder_look(folder->out);
  if (found.state != PF_FOLDER_OURS || !found.complete) {
    return pf_folder_commit(folder, force, error);
  }
  char *aside = join_path(folder->out, ".interrupted", error);
  if (aside == NULL) {
    return PF_STOP;
  }
  pf_memory_free(folder->out);
  folder->out = aside;
  return pf_folder_commit(folder, true, error);
}

void pf_folder_end(pf_folder *folder)
{
  if (folder->part != NULL) {
    (void)pf_folder_delete(folder->part);
  }
  pf_folder_forget(folder);
}

/* ---- a run folder that is there ---- */

int pf_folder_hold(const char *path)
{
  return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* false: another process has it. */
static bool lock_within(int held, int seconds)
{
  const struct timespec moment = {.tv_nsec = 20000000};
  for (long n = 50L * seconds; n >= 0; n--) {
    if (flock(held, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) {
      return true;
    }
    if (n > 0) {
      (void)nanosleep(&moment, NULL);
    }
  }
  return false;
}

pf_status pf_folder_lock(const char *path, int held, int seconds, pf_error *error)
{
  struct stat opened, named;
  if (held < 0) {
    return PF_OK;
  }
  if (!lock_within(held, seconds)) {
    return pf_fail(error, PF_STOP, "another process is writing into '%s'; wait until it is done",
                   path);
  }
  if (fstat(held, &opened) == 0 && stat(path, &named) == 0 && opened.st_ino == named.st_ino &&
      opened.st_dev == named.st_dev) {
    return PF_OK;
  }
  return pf_fail(error, PF_STOP,
                 "'%s' was replaced by another run while this command read it, so nothing was "
                 "written into it; repeat the command",
                 path);
}

pf_status pf_folder_unlock(const char *path, int held, pf_error *error)
{
  if (held < 0) {
    return PF_OK;
  }
  const pf_status status = pf_folder_sync(path, error);
  (void)flock(held, LOCK_UN);
  return status;
}

void pf_folder_let_go(int held)
{
  if (held >= 0) {
    (void)close(held);
  }
}
