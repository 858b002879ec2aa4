#define _POSIX_C_SOURCE 200809L

#include "core/base/text.h"
#include "core/cli/cli.h"

#include <plastfit/plastfit.h>

#include <cblas.h>
#include <errno.h>
#include <signal.h>
#include <string.h>

typedef struct command {
  const char *name;
  const char *usage;
  pf_command_run run;
} command;

static const command commands[] = {
    {"fit", "fit CONFIG [key=value ...]   infer a rule from data: fit, evaluate, report",
     pf_command_fit},
    {"compare",
     "compare CONFIG [key=value ...]  rule families on the same data, scored on steps no fit has "
     "seen",
     pf_command_compare},
    {"check",
     "check CONFIG or PLUGIN       what a config comes to; whether a plugin is what its header "
     "promises",
     pf_command_check},
    {"recover",
     "recover CONFIG [key=value ...]  simulate, fit, repeat: bias, and whether intervals hold the "
     "truth",
     pf_command_recover},
    {"simulate",
     "simulate CONFIG | --from RUN  make data with a known rule; put a fitted one back into a task",
     pf_command_simulate},
    {"evaluate", "evaluate RUN [--data DATA]   score a fitted rule, on other data too",
     pf_command_evaluate},
    {"report", "report RUN                  tables and figures again, without refitting",
     pf_command_report},
    {"list", "list                         which rules, networks, losses and sources there are",
     pf_command_list},
    {"describe",
     "describe NAME                what one of them is and its options; `describe config`: the "
     "other keys",
     pf_command_describe},
    {"new", "new rule NAME                a folder with a working rule to start from",
     pf_command_new},
};
enum { N_COMMANDS = sizeof commands / sizeof commands[0] };

static void print_help(FILE *stream)
{
  (void)fprintf(stream, "plastfit infers synaptic plasticity rules from data.\n\n"
                        "Usage: plastfit [--help | --version] COMMAND ...\n\n");
  for (size_t i = 0; i < N_COMMANDS; i++) {
    (void)fprintf(stream, "  plastfit %s\n", commands[i].usage);
  }
  (void)fprintf(stream,
                "\nA first run: plastfit fit configs/quickstart.cfg\n"
                "Every command has --help. Exit codes: 0 done, 1 failed, 2 used wrongly.\n");
}

int pf_cli_say(int code, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  (void)fputs("plastfit: ", stderr);
  (void)vfprintf(stderr, format, args);
  (void)fputc('\n', stderr);
  va_end(args);
  return code;
}

int pf_cli_is_help(const char *argument)
{
  return strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0;
}

int pf_cli_unknown(const char *name, const char *argument, pf_names known)
{
  const char *nearest = pf_text_nearest(argument, known);
  return pf_cli_say(PF_EXIT_MISUSED, "%s has no option '%s'%s%s%s (plastfit %s --help lists them)",
                    name, argument, nearest == NULL ? "" : "; did you mean '",
                    nearest == NULL ? "" : nearest, nearest == NULL ? "" : "'?", name);
}

static int unknown_command(const char *name)
{
  const char *names[N_COMMANDS];
  for (size_t i = 0; i < N_COMMANDS; i++) {
    names[i] = commands[i].name;
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

static int run(int argc, char **argv)
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
    if (strcmp(argv[1], commands[i].name) == 0) {
      return commands[i].run(argc - 1, argv + 1);
    }
  }
  return unknown_command(argv[1]);
}

int main(int argc, char **argv)
{
  /* Fits run on OpenMP's threads; BLAS on threads of its own would only get in their way. */
#ifdef OPENBLAS_VERSION
  openblas_set_num_threads(1);
#endif
  /* `plastfit list | head -1`: a reader who has seen enough is no fault, and must not cut short
   * what writes files. */
  (void)signal(SIGPIPE, SIG_IGN);
  /* A file that a limit lets grow no further: the write that fails is told like any other. */
  (void)signal(SIGXFSZ, SIG_IGN);
  int code = run(argc, argv);
  errno = 0;
  if (fflush(stdout) != 0 || ferror(stdout)) {
    if (errno != EPIPE && errno != 0) {
      return pf_cli_say(PF_EXIT_FAILED, "the output could not be written: %s", strerror(errno));
    }
  }
  return code;
}
