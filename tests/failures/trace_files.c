/*
 * Runs a command and watches every system call that changes a file: open to write, write, truncate,
 * rename, unlink, mkdir, rmdir, fsync, flock. Linux, x86-64 or any other with
 * PTRACE_GET_SYSCALL_INFO.
 *
 *     trace_files count COMMAND...          the number of such calls, on the last line of stderr
 *     trace_files kill N COMMAND...         SIGKILL before the N-th
 *     trace_files record FOLDER COMMAND...  FOLDER/log: the changes in order; FOLDER/K: what the
 * file held at the K-th fsync (tests/failures/power_loss.py)
 */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct watch {
  const char *mode;
  long kill_at, n;
  const char *folder; /* of a record */
  FILE *log;
  long n_synced;
} watch;

static long call_ptrace(int request, pid_t pid, void *address, void *data)
{
  return ptrace((enum __ptrace_request)request, pid, address, data);
}

/** A string of the traced process. */
static void read_text(pid_t pid, unsigned long long address, char *text, size_t capacity)
{
  const struct iovec own = {text, capacity - 1};
  const struct iovec theirs = {(void *)(uintptr_t)address, capacity - 1};
  memset(text, 0, capacity);
  if (process_vm_readv(pid, &own, 1, &theirs, 1, 0) < 0) { /* the end of a page */
    for (size_t i = 0; i + 1 < capacity; i++) {
      const struct iovec one = {text + i, 1};
      const struct iovec there = {(void *)(uintptr_t)(address + i), 1};
      if (process_vm_readv(pid, &one, 1, &there, 1, 0) != 1 || text[i] == '\0') {
        break;
      }
    }
  }
}

/** Relative to a descriptor or the current folder: made absolute. */
static void find_path(pid_t pid, long long at, unsigned long long address, char out[PATH_MAX])
{
  char link[64], name[PATH_MAX], base[PATH_MAX];
  read_text(pid, address, name, sizeof name);
  if (name[0] == '/') {
    (void)snprintf(out, PATH_MAX, "%s", name);
    return;
  }
  if ((int)at == AT_FDCWD) {
    (void)snprintf(link, sizeof link, "/proc/%d/cwd", (int)pid);
  } else {
    (void)snprintf(link, sizeof link, "/proc/%d/fd/%d", (int)pid, (int)at);
  }
  const ssize_t n = readlink(link, base, sizeof base - 1);
  base[n < 0 ? 0 : n] = '\0';
  (void)snprintf(out, PATH_MAX, "%.2000s/%.2000s", base, name);
}

static void descriptor_path(pid_t pid, unsigned long long fd, char out[PATH_MAX])
{
  char link[64];
  (void)snprintf(link, sizeof link, "/proc/%d/fd/%d", (int)pid, (int)fd);
  const ssize_t n = readlink(link, out, PATH_MAX - 1);
  out[n < 0 ? 0 : n] = '\0';
}

static int is_file_path(const char *path)
{
  return path[0] == '/' && strncmp(path, "/dev/", 5) != 0 && strncmp(path, "/proc/", 6) != 0;
}

static void copy_file(const char *from, const char *to)
{
  char bytes[65536];
  FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
  size_t n = 0;
  while (in != NULL && out != NULL && (n = fread(bytes, 1, sizeof bytes, in)) > 0) {
    (void)fwrite(bytes, 1, n, out);
  }
  if (in != NULL) {
    (void)fclose(in);
  }
  if (out != NULL) {
    (void)fclose(out);
  }
}

static void record_sync(watch *w, const char *path)
{
  char to[PATH_MAX];
  struct stat info;
  if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
    (void)fprintf(w->log, "syncdir\t%s\n", path);
    return;
  }
  (void)snprintf(to, sizeof to, "%s/%ld", w->folder, ++w->n_synced);
  copy_file(path, to);
  (void)fprintf(w->log, "sync\t%s\t%ld\n", path, w->n_synced);
}

static void record(watch *w, const char *what, const char *a, const char *b)
{
  if (w->log != NULL) {
    (void)fprintf(w->log, b == NULL ? "%s\t%s\n" : "%s\t%s\t%s\n", what, a, b);
  }
}

/** Does the call change a file? Then it is recorded. */
static int changes_file(watch *w, pid_t pid, const struct __ptrace_syscall_info *info)
{
  const unsigned long long *a = (const unsigned long long *)info->entry.args;
  char path[PATH_MAX] = "", other[PATH_MAX] = "";
  switch (info->entry.nr) {
#ifdef SYS_open
  case SYS_open:
    find_path(pid, AT_FDCWD, a[0], path);
    if (!is_file_path(path) || (a[1] & (O_WRONLY | O_RDWR | O_CREAT)) == 0) {
      return 0;
    }
    record(w, (a[1] & O_TRUNC) != 0 ? "truncate" : "create", path, NULL);
    return 1;
  case SYS_rename:
    find_path(pid, AT_FDCWD, a[0], path);
    find_path(pid, AT_FDCWD, a[1], other);
    record(w, "rename", path, other);
    return 1;
  case SYS_unlink:
    find_path(pid, AT_FDCWD, a[0], path);
    record(w, "unlink", path, NULL);
    return 1;
  case SYS_rmdir:
    find_path(pid, AT_FDCWD, a[0], path);
    record(w, "rmdir", path, NULL);
    return 1;
  case SYS_mkdir:
    find_path(pid, AT_FDCWD, a[0], path);
    record(w, "mkdir", path, NULL);
    return 1;
#endif
  case SYS_openat:
    find_path(pid, (long long)a[0], a[1], path);
    if (!is_file_path(path) || (a[2] & (O_WRONLY | O_RDWR | O_CREAT)) == 0) {
      return 0;
    }
    record(w, (a[2] & O_TRUNC) != 0 ? "truncate" : "create", path, NULL);
    return 1;
  case SYS_renameat:
  case SYS_renameat2:
    find_path(pid, (long long)a[0], a[1], path);
    find_path(pid, (long long)a[2], a[3], other);
    record(w, info->entry.nr == SYS_renameat2 && (a[4] & 2) != 0 ? "exchange" : "rename", path,
           other);
    return 1;
  case SYS_unlinkat:
    find_path(pid, (long long)a[0], a[1], path);
    record(w, (a[2] & AT_REMOVEDIR) != 0 ? "rmdir" : "unlink", path, NULL);
    return 1;
  case SYS_mkdirat:
    find_path(pid, (long long)a[0], a[1], path);
    record(w, "mkdir", path, NULL);
    return 1;
  case SYS_write:
  case SYS_pwrite64:
  case SYS_writev:
  case SYS_ftruncate:
  case SYS_flock:
    descriptor_path(pid, a[0], path);
    return is_file_path(path);
  case SYS_fsync:
  case SYS_fdatasync:
    descriptor_path(pid, a[0], path);
    if (w->log != NULL) {
      record_sync(w, path);
    }
    return 1;
  default:
    return 0;
  }
}

static void look_at_stop(watch *w, pid_t pid, pid_t first)
{
  struct __ptrace_syscall_info info;
  if (call_ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof info, &info) <= 0 ||
      info.op != PTRACE_SYSCALL_INFO_ENTRY || !changes_file(w, pid, &info)) {
    return;
  }
  if (++w->n == w->kill_at) {
    (void)kill(first, SIGKILL);
  }
}

static int follow(watch *w, pid_t first)
{
  int status = 0, code = 0;
  const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
                       PTRACE_O_TRACEVFORK | PTRACE_O_EXITKILL;
  (void)waitpid(first, &status, 0);
  (void)call_ptrace(PTRACE_SETOPTIONS, first, NULL, (void *)options);
  (void)call_ptrace(PTRACE_SYSCALL, first, NULL, NULL);
  for (;;) {
    const pid_t pid = waitpid(-1, &status, __WALL);
    long signal_to = 0;
    if (pid < 0) {
      return code;
    }
    if (WIFEXITED(status) || WIFSIGNALED(status)) {
      if (pid == first) {
        code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      }
      continue;
    }
    const int stop = WSTOPSIG(status);
    if (stop == (SIGTRAP | 0x80)) {
      look_at_stop(w, pid, first);
    } else if (stop != SIGTRAP && stop != SIGSTOP) {
      signal_to = stop;
    }
    (void)call_ptrace(PTRACE_SYSCALL, pid, NULL, (void *)signal_to);
  }
}

int main(int argc, char **argv)
{
  watch w = {.mode = argc > 1 ? argv[1] : ""};
  const int with_argument = strcmp(w.mode, "kill") == 0 || strcmp(w.mode, "record") == 0;
  char **command = argv + (with_argument ? 3 : 2);
  if (argc < (with_argument ? 4 : 3)) {
    (void)fputs("usage: trace_files count|kill N|record FOLDER COMMAND...\n", stderr);
    return 2;
  }
  if (strcmp(w.mode, "kill") == 0) {
    w.kill_at = atol(argv[2]);
  } else if (with_argument) {
    char path[PATH_MAX];
    w.folder = argv[2];
    (void)snprintf(path, sizeof path, "%s/log", w.folder);
    w.log = fopen(path, "w");
  }
  const pid_t pid = fork();
  if (pid == 0) {
    (void)call_ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    (void)raise(SIGSTOP);
    (void)execvp(command[0], command);
    _exit(127);
  }
  const int code = follow(&w, pid);
  if (w.log != NULL) {
    (void)fclose(w.log);
  }
  (void)fprintf(stderr, "%ld\n", w.n);
  return code;
}
