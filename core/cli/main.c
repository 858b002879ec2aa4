#define _XOPEN_SOURCE 700

#include "core/base/text.h"
#include "core/command_line/child.h"
#include "core/command_line/command.h"
#include "core/terminal/guard.h"

#include <plastfit/plastfit.h>

#include <cblas.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const pf_command *const commands[] = {
    &pf_command_fit,      &pf_command_compare,  &pf_command_check,      &pf_command_recover,
    &pf_command_simulate, &pf_command_evaluate, &pf_command_report,     &pf_command_list,
    &pf_command_describe, &pf_command_new,      &pf_command_completion,
};
enum { N_COMMANDS = sizeof commands / sizeof commands[0] };

pf_command_table pf_cli_commands(void)
{
  return (pf_command_table){commands, N_COMMANDS};
}

static void print_help(FILE *stream)
{
  (void)fputs("plastfit infers synaptic plasticity rules from data.\n"
              "\n"
              "Usage: plastfit [--help | --version] COMMAND ...\n"
              "\n",
              stream);
  for (size_t i = 0; i < N_COMMANDS; i++) {
    (void)fprintf(stream, "  plastfit %-10s %-22s  %s\n", commands[i]->name, commands[i]->synopsis,
                  commands[i]->summary);
  }
  (void)fputs(
      "\n"
      "A first run: plastfit fit configs/quickstart.cfg\n"
      "Every command has --help; --json prints its result for other programs. Exit codes: 0\n"
      "done, 1 failed, 2 used wrongly. NO_COLOR=1 turns colours off.\n",
      stream);
}

static int unknown_command(const char *name)
{
  const char *names[N_COMMANDS];
  for (size_t i = 0; i < N_COMMANDS; i++) {
    names[i] = commands[i]->name;
  }
  const char *nearest = pf_text_nearest(name, (pf_names){names, N_COMMANDS});
  size_t length = strlen(name);
  if (nearest == NULL && length > 4 && strcmp(name + length - 4, ".cfg") == 0) {
    return pf_cli_say(PF_EXIT_MISUSED, "'%s' is no command; did you mean 'plastfit fit %s'?", name,
                      name);
  }
  return pf_cli_say(PF_EXIT_MISUSED, "'%s' is no command%s%s%s (plastfit --help lists them)", name,
                    nearest == NULL ? "" : "; did you mean '", nearest == NULL ? "" : nearest,
                    nearest == NULL ? "" : "'?");
}

static int run_command(int argc, char **argv)
{
  if (argc < 2) {
    print_help(stderr);
    return PF_EXIT_MISUSED;
  }
  if (pf_cli_is_help(argv[1]) || strcmp(argv[1], "help") == 0) {
    print_help(stdout);
    return PF_EXIT_DONE;
  }
  if (strcmp(argv[1], "--version") == 0) {
    (void)printf("plastfit %s (%s precision, plugin ABI %d.%d)\n", pf_version(),
                 pf_version_real_bytes() == sizeof(double) ? "double" : "single", PF_ABI_MAJOR,
                 PF_ABI_MINOR);
    return PF_EXIT_DONE;
  }
  for (size_t i = 0; i < N_COMMANDS; i++) {
    if (strcmp(argv[1], commands[i]->name) == 0) {
      return commands[i]->run(argc - 1, argv + 1);
    }
  }
  return unknown_command(argv[1]);
}

#ifdef OPENBLAS_VERSION
/**
 * OpenBLAS starts its threads when it is loaded, before any line of this program. In a small
 * address space (ulimit -v) some of them never start, and the library waits for them without end
 * when the program exits. So there the program starts itself again, with the library told to have
 * none. Returns where that is not needed, or not to be had.
 */
static void restart_without_blas_threads(char **argv)
{
  static const char *const name = "OPENBLAS_NUM_THREADS";
  const char *now = getenv(name);
  struct rlimit limit;
  if (openblas_get_parallel() == 0 || (now != NULL && strcmp(now, "1") == 0) ||
      getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
    return;
  }
  if (setenv(name, "1", 1) == 0) {
    (void)execv("/proc/self/exe", argv);
  }
}
#endif

int main(int argc, char **argv)
{
  /* Fits run on OpenMP's threads; BLAS on threads of its own would only get in their way. */
#ifdef OPENBLAS_VERSION
  restart_without_blas_threads(argv);
  openblas_set_num_threads(1);
#endif
  pf_terminal_guard();
  /* `plastfit list | head -1`: a reader who has seen enough is no fault, and must not cut short
   * what writes files. */
  (void)signal(SIGPIPE, SIG_IGN);
  /* A file that a limit lets grow no further: the write that fails is reported like any other. */
  (void)signal(SIGXFSZ, SIG_IGN);
  pf_exit_guard();
  int code = run_command(argc, argv);
  pf_exit_is_ours();
  errno = 0;
  if (fflush(stdout) != 0 || ferror(stdout)) {
    if (errno != EPIPE && errno != 0) {
      return pf_cli_say(PF_EXIT_FAILED, "the output could not be written: %s", strerror(errno));
    }
  }
  return code;
}
