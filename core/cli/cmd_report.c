#include "core/cli/cli.h"
#include "core/report/html.h"

#include <stdbool.h>
#include <string.h>

static const char *const usage =
    "Usage: plastfit report RUN [--quiet]\n\n"
    "Makes RUN/report.html and RUN/figures/*.svg again from what the folder holds, of a fit or of a comparison, "
    "without\n"
    "refitting. Figures are gnuplot's (PLASTFIT_GNUPLOT names another one than that on PATH; set but empty: no\n"
    "figures); without it the page has its tables only.\n\n"
    "  --quiet     say nothing\n";

int pf_command_report(int argc, char **argv)
{
  static const char *const known[] = {"--quiet", "--help"};
  const char *run = NULL;
  bool quiet = false;
  bool options = true;
  for (int i = 1; i < argc; i++) {
    if (options && strcmp(argv[i], "--") == 0) {
      options = false;
    } else if (options && pf_cli_is_help(argv[i])) {
      (void)fputs(usage, stdout);
      return PF_EXIT_DONE;
    } else if (options && strcmp(argv[i], "--quiet") == 0) {
      quiet = true;
    } else if (options && argv[i][0] == '-' && argv[i][1] != '\0') {
      return pf_cli_unknown("report", argv[i], (pf_names){known, sizeof known / sizeof known[0]});
    } else if (run == NULL) {
      run = argv[i];
    } else {
      return pf_cli_say(PF_EXIT_MISUSED, "report takes one folder, found '%s' and '%s'", run, argv[i]);
    }
  }
  if (run == NULL) {
    return pf_cli_say(PF_EXIT_MISUSED, "report wants a RUN, a folder that plastfit fit or compare left "
                                       "(plastfit report --help)");
  }
  pf_error error = {.size = sizeof error};
  if (pf_html_write(run, &error) != PF_OK) {
    return pf_cli_say(PF_EXIT_FAILED, "%s", error.text);
  }
  if (!quiet) {
    const bool slash = run[0] != '\0' && run[strlen(run) - 1] == '/';
    (void)printf("%s%sreport.html\n", run, slash ? "" : "/");
  }
  return PF_EXIT_DONE;
}
