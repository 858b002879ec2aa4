#include "core/base/memory.h"
#include "core/cli/arguments.h"
#include "core/cli/command.h"
#include "core/page/html.h"
#include "core/store/folder.h"

#include <string.h>

static const char *const usage =
    "Usage: plastfit report RUN [--quiet]\n"
    "\n"
    "Makes RUN/report.html and RUN/figures/*.svg again from what the folder holds, of a fit or of\n"
    "a comparison, without refitting. Figures are gnuplot's (PLASTFIT_GNUPLOT names another one\n"
    "than that on PATH; set but empty: no figures); without it the page has its tables only.\n"
    "\n"
    "  --quiet     say nothing\n";

static pf_status write_locked(const char *run, pf_error *error)
{
  const int held = pf_folder_hold(run);
  pf_status status = pf_folder_lock(run, held, 0, error);
  if (status != PF_OK) {
    goto done;
  }
  status = pf_html_write(run, error);
  if (status != PF_OK) {
    goto done;
  }
  status = pf_folder_unlock(run, held, error);
done:
  pf_folder_let_go(held);
  return status;
}

static int write_report(const char *run, bool quiet)
{
  pf_error error = pf_error_none();
  if (write_locked(run, &error) != PF_OK) {
    return pf_cli_say(PF_EXIT_FAILED, "%s", error.text);
  }
  if (!quiet) {
    const bool slash = run[0] != '\0' && run[strlen(run) - 1] == '/';
    (void)printf("%s%sreport.html\n", run, slash ? "" : "/");
  }
  return PF_EXIT_DONE;
}

static int run_command(int argc, char **argv)
{
  bool quiet = false;
  pf_cli_arguments given;
  const pf_cli_option options[] = {{"--quiet", &quiet, NULL}};
  const pf_cli_syntax syntax = {.command = "report",
                                .usage = usage,
                                .one = "folder",
                                .wants = "a RUN, a folder that plastfit fit or compare left",
                                .options = options,
                                .n_options = sizeof options / sizeof options[0]};
  int code = pf_cli_parse(&syntax, argc, argv, &given);
  if (code == PF_EXIT_DONE && !given.help) {
    code = write_report(given.subject, quiet);
  }
  pf_cli_arguments_free(&given);
  return code;
}

const pf_command pf_command_report = {
    .name = "report",
    .synopsis = "RUN",
    .summary = "tables and figures again, without refitting",
    .run = run_command,
};
