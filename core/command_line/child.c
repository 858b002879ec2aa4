#define _GNU_SOURCE /* prctl is Linux's */

#include "core/command_line/child.h"

#include "core/base/ticker.h"
#include "core/command_line/command.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

/* What exit() calls is given no argument. */
static atomic_int exit_is_foreign;

void pf_exit_is_ours(void)
{
  atomic_store(&exit_is_foreign, 0);
}

static void say_foreign_exit(void)
{
  if (atomic_load(&exit_is_foreign) != 0) {
    (void)fflush(stdout);
    (void)pf_cli_say(PF_EXIT_FAILED,
                     "a plugin called exit(): it must return a status in its place; "
                     "nothing was finished");
    (void)fflush(stderr);
    pf_exit_is_ours();
    _exit(PF_EXIT_FAILED);
  }
}

#if defined(__linux__)
/*
 * _exit() runs nothing that was registered, so the program's own stands in the place of the C
 * library's, also for plugins. It ends the process by the system call.
 */
__attribute__((visibility("default"))) _Noreturn void
_exit(int status) /* NOLINT(bugprone-reserved-identifier) */
{
  if (atomic_exchange(&exit_is_foreign, 0) != 0) {
    (void)pf_cli_say(PF_EXIT_FAILED,
                     "a plugin called _exit(): it must return a status in its place; "
                     "nothing was finished");
    status = PF_EXIT_FAILED;
  }
  for (;;) {
    (void)syscall(SYS_exit_group, status);
  }
}
#endif

void pf_exit_guard(void)
{
  atomic_store(&exit_is_foreign, 1);
  (void)atexit(say_foreign_exit);
}

/** In the child: the function, then its value through the pipe, so that a child that exits without
 * is known. */
static _Noreturn void be_child(int (*run)(void *payload), void *payload, int to_parent,
                               pid_t parent)
{
  (void)setpgid(0, 0); /* what it starts is ended with it */
#ifdef __linux__
  (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) {
    _exit(PF_EXIT_FAILED);
  }
#else
  (void)parent;
#endif
  pf_exit_is_ours(); /* the parent says it */
  const int value = run(payload);
  (void)fflush(stdout);
  (void)fflush(stderr);
  (void)!write(to_parent, &value, sizeof value);
  _exit(0);
}

/** Has the child said its value, or closed its end, before the time is over? false: neither. */
static bool wait_for_value(int from_child, double seconds, int *value, bool *said)
{
  const double end = pf_clock_seconds() + seconds;
  *said = false;
  for (;;) {
    const double left = end - pf_clock_seconds();
    struct pollfd ready = {.fd = from_child, .events = POLLIN};
    const int n = left > 0.0 ? poll(&ready, 1, (int)(1e3 * (left < 1e6 ? left : 1e6)) + 1) : 0;
    if (n > 0) {
      *said = read(from_child, value, sizeof *value) == (ssize_t)sizeof *value;
      return true;
    }
    if (n == 0 || errno != EINTR) {
      return false;
    }
  }
}

static void reap_child(pid_t child, int *ended)
{
  while (waitpid(child, ended, 0) < 0 && errno == EINTR) {
  }
}

pf_status pf_child_run(int (*run)(void *payload), void *payload, double seconds,
                       pf_child_report *out, pf_error *error)
{
  int ends[2];
  (void)fflush(stdout);
  (void)fflush(stderr);
  if (pipe(ends) != 0) {
    return pf_fail(error, PF_STOP, "no process can be started: %s", strerror(errno));
  }
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) {
    const int reason = errno;
    (void)close(ends[0]);
    (void)close(ends[1]);
    return pf_fail(error, PF_STOP, "no process can be started: %s", strerror(reason));
  }
  if (child == 0) {
    (void)close(ends[0]);
    be_child(run, payload, ends[1], parent);
  }
  (void)close(ends[1]);
  bool said = false;
  int ended = 0;
  const bool in_time = wait_for_value(ends[0], seconds, &out->value, &said);
  (void)close(ends[0]);
  if (!in_time) {
    (void)kill(-child, SIGKILL);
    reap_child(child, &ended);
    out->end = PF_CHILD_TIME_OUT;
    return PF_OK;
  }
  reap_child(child, &ended);
  if (said) {
    out->end = PF_CHILD_RETURNED;
  } else if (WIFSIGNALED(ended)) {
    *out = (pf_child_report){PF_CHILD_SIGNAL, WTERMSIG(ended)};
  } else {
    *out = (pf_child_report){PF_CHILD_EXITED, WEXITSTATUS(ended)};
  }
  return PF_OK;
}
