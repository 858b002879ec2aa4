#include "core/base/memory.h"
#include "core/cli/cli.h"
#include "core/problem/problem.h"
#include "core/report/check.h"
#include "core/report/report.h"

#include <string.h>

static const char *const usage = "Usage: plastfit check CONFIG [key=value ...]\n\n"
                                 "Runs no fit and writes nothing; shows what CONFIG comes to: which plugins from which "
                                 "files, the data as they were\n"
                                 "understood (a task's animals are simulated), the network, the parameters with start "
                                 "and bounds, the plan with the\n"
                                 "memory and time it will take, and what looks odd. Exit code 0: a fit could run; 2: "
                                 "something is to be put right.\n";

static int check(const char *path, const char *const *overrides, size_t n)
{
  pf_error error = pf_error_none();
  pf_config *config = NULL;
  pf_problem *problem = NULL;
  pf_status status = pf_config_read(path, overrides, n, &config, &error);
  status = status == PF_OK ? pf_problem_create(config, &problem, &error) : status;
  /* where nothing can be written at all, no fit could run; a run that is there already is a warning */
  status = status == PF_OK ? pf_report_check_out(problem->out, true, &error) : status;
  status = status == PF_OK ? pf_check_print(problem, stdout, &error) : status;
  if (status == PF_OK) {
    (void)printf("It could run: plastfit fit %s%s\n", path, n > 0 ? " ..." : "");
  }
  pf_problem_free(problem);
  pf_config_free(config);
  return status == PF_OK ? PF_EXIT_DONE : pf_cli_say(PF_EXIT_MISUSED, "%s", error.text);
}

/** PF_EXIT_DONE, or the code to end with. overrides: [argc] */
static int parse(int argc, char **argv, const char **path, const char **overrides, size_t *n)
{
  static const char *const known[] = {"--help"};
  for (int i = 1; i < argc; i++) {
    const size_t length = strlen(argv[i]);
    if (argv[i][0] == '-' && argv[i][1] != '\0') {
      return pf_cli_unknown("check", argv[i], (pf_names){known, 1});
    }
    if (strchr(argv[i], '=') != NULL) {
      overrides[(*n)++] = argv[i];
    } else if (*path != NULL) {
      return pf_cli_say(PF_EXIT_MISUSED, "check takes one config, found '%s' and '%s' (a key is set with key=value)",
                        *path, argv[i]);
    } else if (length > 3 && strcmp(argv[i] + length - 3, ".so") == 0) {
      return pf_cli_say(PF_EXIT_MISUSED,
                        "'%s' is a plugin, and check takes a config; plugins are not checked yet by this version "
                        "(plastfit list says which can be loaded)",
                        argv[i]);
    } else {
      *path = argv[i];
    }
  }
  return *path != NULL ? PF_EXIT_DONE
                       : pf_cli_say(PF_EXIT_MISUSED,
                                    "check wants a CONFIG, such as configs/quickstart.cfg (plastfit check --help)");
}

int pf_command_check(int argc, char **argv)
{
  const char *path = NULL;
  size_t n = 0;
  pf_error error = pf_error_none();
  if (argc > 1 && pf_cli_is_help(argv[1])) {
    (void)fputs(usage, stdout);
    return PF_EXIT_DONE;
  }
  const char **overrides = pf_memory_need((size_t)argc, sizeof *overrides, &error);
  if (overrides == NULL) {
    return pf_cli_say(PF_EXIT_FAILED, "%s", error.text);
  }
  int code = parse(argc, argv, &path, overrides, &n);
  if (code == PF_EXIT_DONE) {
    code = check(path, overrides, n);
  }
  pf_memory_free((void *)overrides);
  return code;
}
