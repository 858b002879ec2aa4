#define _POSIX_C_SOURCE 200809L /* access */

#include "core/base/memory.h"
#include "core/command_line/arguments.h"
#include "core/command_line/command.h"
#include "core/command_line/interrupt.h"
#include "core/command_line/json_output.h"
#include "core/compare/comparison.h"
#include "core/ranking/print_table.h"
#include "core/terminal/meter.h"

#include <unistd.h>

typedef struct arguments {
  pf_cli_arguments given; /**< subject: the config */
  bool force, resume;
} arguments;

static const char *const usage =
    "Usage: plastfit compare CONFIG [key=value ...] [OPTION ...]\n"
    "\n"
    "Fits every candidate of the config's `compare` group to the same data, scores them on steps\n"
    "that no fit has seen, and says which differences are more than luck: one table, and the\n"
    "folder runs/NAME.\n"
    "\n"
    "  key=value       replaces a key of the base config: fit.epochs=50\n"
    "                  compare.forecast.fit=0.5\n";

static const char *const after =
    "Keys of `compare`: doc/compare.md, plastfit describe compare. Ctrl-C stops; what is done is\n"
    "kept for --resume.\n";

/** Fits that failed: the first says why, the rest stand in compare.csv. */
static int report_failures(const pf_comparison *comparison)
{
  for (size_t i = 0; i < comparison->n_rows; i++) {
    const pf_compare_row *row = &comparison->rows[i];
    if (row->status != PF_OK) {
      return pf_cli_say(
          PF_EXIT_FAILED,
          "%zu of %zu rows have no figure (see compare.csv); the first: %s, %s, %s: %s",
          comparison->n_failed, comparison->n_rows, comparison->candidates[row->candidate].name,
          comparison->animals[row->animal], pf_validation_at(row->validation)->name, row->error);
    }
  }
  for (size_t i = 0; i < comparison->n_rows; i++) {
    const pf_compare_row *row = &comparison->rows[i];
    if (!pf_compare_counts(row->verdict)) {
      return pf_cli_say(
          PF_EXIT_FAILED,
          "%zu of %zu rows are left out of the conclusions (see `status` in compare.csv); the "
          "first: %s, %s, %s: %s",
          comparison->n_left_out, comparison->n_rows, comparison->candidates[row->candidate].name,
          comparison->animals[row->animal], pf_validation_at(row->validation)->name,
          pf_fit_verdict_words(row->verdict));
    }
  }
  if (comparison->criteria_why != NULL) {
    return pf_cli_say(PF_EXIT_FAILED, "%s", comparison->criteria_why);
  }
  return PF_EXIT_DONE;
}

static void print_place(const char *out)
{
  char page[4096];
  const bool has_page = snprintf(page, sizeof page, "%s/report.html", out) < (int)sizeof page &&
                        access(page, F_OK) == 0;
  (void)printf("\nEverything is in %s: %scompare.csv, compare.h5, summary.json, config.cfg\n", out,
               has_page ? "report.html, " : "");
}

static int compare_candidates(const arguments *how)
{
  pf_error error = pf_error_none();
  pf_comparison *comparison = NULL;
  pf_meter meter;
  bool misused = false;
  pf_meter_start(&meter);
  pf_interrupt_watch();
  const pf_compare_request request = {.source = {.path = how->given.subject,
                                                 .overrides = how->given.overrides,
                                                 .n_overrides = how->given.n_overrides},
                                      .force = how->force,
                                      .resume = how->resume,
                                      .progress = how->given.quiet ? NULL : pf_meter_show,
                                      .stop = pf_interrupt_asked,
                                      .payload = &meter};
  const pf_status status = pf_compare_run(&request, &comparison, &misused, &error);
  pf_meter_end(&meter);
  if (status != PF_OK) {
    return pf_cli_say(misused ? PF_EXIT_MISUSED : PF_EXIT_FAILED, "%s", error.text);
  }
  if (how->given.json) {
    (void)pf_cli_print_json_of(comparison->out, "summary.json");
  } else if (!how->given.quiet) {
    pf_compare_print(comparison, stdout);
    print_place(comparison->out);
  }
  if (comparison->warning != NULL) {
    (void)pf_cli_say(PF_EXIT_DONE, "warning: %s", comparison->warning);
  }
  const int code = report_failures(comparison);
  pf_comparison_free(comparison);
  return code;
}

static const pf_cli_option options[] = {
    PF_CLI_FORCE(arguments, "replace an earlier comparison in the same folder"),
    PF_CLI_FLAG("--resume", arguments, resume,
                "go on with what an interrupted comparison left; ends with the same files"),
    PF_CLI_QUIET(arguments, "no progress and no table"),
    PF_CLI_JSON(arguments, "print summary.json of the comparison in place of the table"),
};
static const pf_cli_syntax syntax = {.usage = usage,
                                     .after = after,
                                     .one = "config",
                                     .wants = "a CONFIG, such as configs/compare-quickstart.cfg",
                                     .words = "CONFIG",
                                     .takes_keys = true,
                                     .options = options,
                                     .n_options = sizeof options / sizeof options[0]};

static int run_command(int argc, char **argv)
{
  arguments how = {.force = false};
  int code = pf_cli_parse(&pf_command_compare, argc, argv, &how, &how.given);
  if (code == PF_EXIT_DONE && !how.given.help) {
    if (how.force && how.resume) {
      code = pf_cli_say(PF_EXIT_MISUSED,
                        "compare: --force starts anew and --resume goes on; give one of them");
    } else {
      code = compare_candidates(&how);
    }
  }
  pf_cli_arguments_free(&how.given);
  return code;
}

const pf_command pf_command_compare = {
    .name = "compare",
    .synopsis = "CONFIG [key=value ...]",
    .summary = "rule families on the same data, scored on steps no fit has seen",
    .syntax = &syntax,
    .run = run_command,
};
