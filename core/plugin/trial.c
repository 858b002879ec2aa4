#define _GNU_SOURCE /* strsignal, prctl */

#include "core/plugin/trial.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <plastfit/abi/plugin.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

enum { LIMIT_SECONDS = 10 };

/** What a plugin prints here it prints again when it is loaded; a crash leaves no core file. */
static void be_quiet(void)
{
  static const int crashes[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};
  const struct rlimit none = {0, 0};
  for (size_t k = 0; k < sizeof crashes / sizeof crashes[0]; k++) {
    (void)signal(crashes[k], SIG_DFL);
  }
  (void)setrlimit(RLIMIT_CORE, &none);
  const int nothing = open("/dev/null", O_WRONLY);
  if (nothing >= 0) {
    (void)dup2(nothing, STDOUT_FILENO);
    (void)dup2(nothing, STDERR_FILENO);
  }
}

/** The entry function by its name in the shared object: NAME_LTX_pf_plugin_entry, or without NAME.
 */
static void *find_entry(void *opened, const char *object)
{
  char name[512];
  const char *slash = strrchr(object, '/');
  const char *base = slash == NULL ? object : slash + 1;
  (void)snprintf(name, sizeof name, "%.*s_LTX_pf_plugin_entry", (int)strcspn(base, "."), base);
  void *symbol = dlsym(opened, name);
  return symbol != NULL ? symbol : dlsym(opened, "pf_plugin_entry");
}

/** In the child. It says on `done` that it is through, and ends by a signal: nothing that was
 * registered for the end runs. */
static _Noreturn void try_object(const char *object, int done)
{
#ifdef __linux__
  (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
  be_quiet();
  void *opened = dlopen(object, RTLD_NOW | RTLD_LOCAL);
  void *symbol = opened == NULL ? NULL : find_entry(opened, object);
  if (symbol != NULL) {
    pf_plugin_entry entry;
    memcpy(&entry, &symbol, sizeof entry);
    (void)entry();
  }
  const char through = 1;
  while (write(done, &through, 1) < 0 && errno == EINTR) {
  }
  for (;;) {
    (void)kill(getpid(), SIGKILL);
  }
}

static double clock_seconds(void)
{
  struct timespec now;
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/** Has the child said something, or closed its end, in time? */
static bool wait_until_through(int from_child, bool *through)
{
  const double end = clock_seconds() + LIMIT_SECONDS;
  *through = false;
  for (;;) {
    const double left = end - clock_seconds();
    struct pollfd ready = {.fd = from_child, .events = POLLIN};
    const int n = left > 0.0 ? poll(&ready, 1, (int)(1e3 * left) + 1) : 0;
    if (n > 0) {
      char said = 0;
      *through = read(from_child, &said, 1) == 1;
      return true;
    }
    if (n == 0 || errno != EINTR) {
      return false;
    }
  }
}

static pf_status judge_end(const char *file, int ended, pf_error *error)
{
  if (WIFSIGNALED(ended)) {
    return pf_fail(error, PF_STOP,
                   "%s: ended by signal %d (%s) when it was loaded: a mistake in the plugin", file,
                   WTERMSIG(ended), strsignal(WTERMSIG(ended)));
  }
  return pf_fail(error, PF_STOP,
                 "%s: a plugin called exit() when it was loaded: it must return, whatever happens",
                 file);
}

static pf_status watch_child(pid_t child, int from_child, const char *file, pf_error *error)
{
  bool through = false;
  int ended = 0;
  const bool in_time = wait_until_through(from_child, &through);
  if (!in_time) {
    (void)kill(child, SIGKILL);
  }
  while (waitpid(child, &ended, 0) < 0 && errno == EINTR) {
  }
  if (!in_time) {
    return pf_fail(error, PF_STOP,
                   "%s: did not come back within %d s when it was loaded: a mistake in the plugin",
                   file, (int)LIMIT_SECONDS);
  }
  return through ? PF_OK : judge_end(file, ended, error);
}

pf_status pf_plugin_trial(const char *object, const char *file, pf_error *error)
{
  int ends[2];
  (void)fflush(stdout); /* a child that exits would write it again */
  (void)fflush(stderr);
  if (pipe(ends) != 0) {
    return pf_fail(error, PF_STOP, "%s: no process can be started to try it in: %s", file,
                   strerror(errno));
  }
  const pid_t child = fork();
  if (child == 0) {
    (void)close(ends[0]);
    try_object(object, ends[1]);
  }
  const int reason = errno;
  (void)close(ends[1]);
  const pf_status status =
      child < 0 ? pf_fail(error, PF_STOP, "%s: no process can be started to try it in: %s", file,
                          strerror(reason))
                : watch_child(child, ends[0], file, error);
  (void)close(ends[0]);
  return status;
}
