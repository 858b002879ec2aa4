#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/cli/task_command.h"
#include "core/command_line/arguments.h"
#include "core/command_line/command.h"
#include "core/command_line/interrupt.h"
#include "core/command_line/json_output.h"
#include "core/problem/problem.h"
#include "core/recover/print_recovery.h"
#include "core/recover/recover.h"
#include "core/recover/recovery_files.h"
#include "core/report/save_run.h"
#include "core/terminal/meter.h"

typedef struct arguments {
  pf_cli_arguments given; /**< subject: the config */
  bool force;
} arguments;

static const char *const usage =
    "Usage: plastfit recover CONFIG [key=value ...] [OPTION ...]\n"
    "\n"
    "Parameter recovery: the teacher of CONFIG makes recover.data_sets sets of data (seeds seed,\n"
    "seed + 1, ...), each is fitted, and estimates and their intervals are compared with the\n"
    "truth: one table with bias, the spread of the estimates beside their standard errors, and\n"
    "the coverage of the intervals of each method.\n"
    "\n"
    "  key=value       replaces a key of the config: recover.data_sets=1000\n"
    "                  intervals.methods='[\"fisher\", \"profile\"]'\n";

static const char *const after =
    "Written to `out` of the config, by default runs/NAME-recover: recover.csv (every estimate),\n"
    "summary.json (the table), config.cfg. See doc/coverage.md.\n";

static pf_status run_and_write(const pf_problem *problem, pf_folder *folder, const arguments *how,
                               pf_recovery **recovery, pf_error *error)
{
  pf_meter meter;
  pf_meter_start(&meter);
  pf_interrupt_watch();
  const pf_status status = pf_recover_run(problem, how->given.quiet ? NULL : pf_meter_show,
                                          pf_interrupt_asked, &meter, recovery, error);
  pf_meter_end(&meter);
  return status == PF_OK ? pf_recover_write(*recovery, folder, how->force, error) : status;
}

/** The folder is locked before the work: a second recovery with the same `out` is told at once. */
static pf_status write_recovery(const pf_problem *problem, const char *out, const arguments *how,
                                pf_recovery **recovery, pf_error *error)
{
  pf_folder folder;
  pf_status status = pf_folder_begin(out, how->force, &folder, error);
  if (status != PF_OK) {
    return status;
  }
  status = run_and_write(problem, &folder, how, recovery, error);
  pf_folder_end(&folder);
  return status;
}

/** From here on the config is sound, so that what fails is no fault of how the program was used. */
static int recover_problem(const pf_problem *problem, const char *out, const arguments *how)
{
  pf_error error = pf_error_none();
  pf_recovery *recovery = NULL;
  int code = PF_EXIT_DONE;
  if (write_recovery(problem, out, how, &recovery, &error) != PF_OK) {
    code = pf_cli_say(PF_EXIT_FAILED, "%s", error.text);
    goto done;
  }
  if (how->given.json) {
    (void)pf_cli_print_json_of(out, "summary.json");
  } else if (!how->given.quiet) {
    pf_recover_print(recovery, stdout);
    (void)printf("\nEverything is in %s: recover.csv, summary.json, config.cfg\n", out);
  }
  if (recovery->n_failed > 0) {
    code = pf_cli_say(PF_EXIT_FAILED,
                      "%zu of %zu fits failed (summary.json says why, data set by data set)",
                      recovery->n_failed, recovery->n_fits);
  } else if (recovery->n_unconverged > 0) {
    code =
        pf_cli_say(PF_EXIT_FAILED,
                   "%zu of %zu fits did not converge, or have no optimum (separation); the table "
                   "is about the others",
                   recovery->n_unconverged, recovery->n_fits);
  }
done:
  pf_recovery_free(recovery);
  return code;
}

static int recover_config(const arguments *how)
{
  pf_error error = pf_error_none();
  pf_cli_task task = {0};
  const pf_cli_task_request request = {
      .wish = ", whose truth is not known; to recover,", .suffix = "-recover", .force = how->force};
  const pf_status status = pf_cli_task_read(&how->given, &request, &task, &error);
  const int code = status == PF_OK ? recover_problem(task.problem, task.out.text, how)
                                   : pf_cli_say(PF_EXIT_MISUSED, "%s", error.text);
  pf_cli_task_free(&task);
  return code;
}

static const pf_cli_option options[] = {
    PF_CLI_FORCE(arguments, "replace an earlier recovery in the same folder"),
    PF_CLI_QUIET(arguments, "no progress and no table"),
    PF_CLI_JSON(arguments, "print summary.json of the recovery in place of the table"),
};
static const pf_cli_syntax syntax = {.usage = usage,
                                     .after = after,
                                     .one = "config",
                                     .wants = "a CONFIG with a teacher, such as "
                                              "configs/coverage-choices.cfg",
                                     .words = "CONFIG",
                                     .takes_keys = true,
                                     .options = options,
                                     .n_options = sizeof options / sizeof options[0]};

static int run_command(int argc, char **argv)
{
  arguments how = {.force = false};
  int code = pf_cli_parse(&pf_command_recover, argc, argv, &how, &how.given);
  if (code == PF_EXIT_DONE && !how.given.help) {
    code = recover_config(&how);
  }
  pf_cli_arguments_free(&how.given);
  return code;
}

const pf_command pf_command_recover = {
    .name = "recover",
    .synopsis = "CONFIG [key=value ...]",
    .summary = "simulate, fit, repeat: bias, and whether intervals hold the truth",
    .syntax = &syntax,
    .run = run_command,
};
