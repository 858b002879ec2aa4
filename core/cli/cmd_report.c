#include "core/base/memory.h"
#include "core/command_line/arguments.h"
#include "core/command_line/command.h"
#include "core/command_line/json_output.h"
#include "core/page/html.h"
#include "core/store/folder.h"
#include "core/terminal/meter.h"

#include <string.h>

typedef struct arguments {
  pf_cli_arguments given; /**< subject: the run */
} arguments;

static const char *const usage =
    "Usage: plastfit report RUN [OPTION ...]\n"
    "\n"
    "Makes RUN/report.html and RUN/figures/*.svg again from what the folder holds, of a fit or of\n"
    "a comparison, without refitting. Figures are gnuplot's (PLASTFIT_GNUPLOT names another one\n"
    "than that on PATH; set but empty: no figures); without it the page has its tables only.\n"
    "\n";

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

static int write_report(const char *run, const pf_cli_arguments *given)
{
  pf_error error = pf_error_none();
  pf_meter meter;
  pf_meter_start(&meter);
  if (!given->quiet) {
    pf_meter_say(&meter, "drawing figures");
  }
  const pf_status status = write_locked(run, &error);
  pf_meter_end(&meter);
  if (status != PF_OK) {
    return pf_cli_say(PF_EXIT_FAILED, "%s", error.text);
  }
  char page[4096];
  const bool slash = run[0] != '\0' && run[strlen(run) - 1] == '/';
  (void)snprintf(page, sizeof page, "%s%sreport.html", run, slash ? "" : "/");
  if (given->json) {
    return pf_cli_print_json(pf_json_set(json_object(), "report", pf_json_text(page)));
  }
  if (!given->quiet) {
    (void)printf("%s\n", page);
  }
  return PF_EXIT_DONE;
}

static const pf_cli_option options[] = {
    PF_CLI_QUIET(arguments, "say nothing"),
    PF_CLI_JSON(arguments, "say in JSON what was written"),
};
static const pf_cli_syntax syntax = {.usage = usage,
                                     .one = "folder",
                                     .wants = "a RUN, a folder that plastfit fit or compare left",
                                     .words = "RUN",
                                     .options = options,
                                     .n_options = sizeof options / sizeof options[0]};

static int run_command(int argc, char **argv)
{
  arguments how = {0};
  int code = pf_cli_parse(&pf_command_report, argc, argv, &how, &how.given);
  if (code == PF_EXIT_DONE && !how.given.help) {
    code = write_report(how.given.subject, &how.given);
  }
  pf_cli_arguments_free(&how.given);
  return code;
}

const pf_command pf_command_report = {
    .name = "report",
    .synopsis = "RUN",
    .summary = "tables and figures again, without refitting",
    .syntax = &syntax,
    .run = run_command,
};
