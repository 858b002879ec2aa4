#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/cli/arguments.h"
#include "core/cli/cli.h"
#include "core/cli/interrupt.h"
#include "core/cli/task_command.h"
#include "core/problem/problem.h"
#include "core/recover/print_recovery.h"
#include "core/recover/recover.h"
#include "core/recover/recovery_files.h"
#include "core/report/save_run.h"
#include "core/terminal/meter.h"

typedef struct arguments {
  pf_cli_arguments given; /**< subject: the config */
  bool force, quiet;
} arguments;

static const char *const usage =
    "Usage: plastfit recover CONFIG [key=value ...] [--force] [--quiet]\n\n"
    "Is what was put in found again? The teacher of CONFIG makes recover.data_sets sets of data "
    "(seeds seed, seed + "
    "1,\n"
    "...), each is fitted, and estimates and their intervals are compared with the truth: one "
    "table with bias, the\n"
    "spread of the estimates beside their standard errors, and the coverage of the intervals of "
    "each method.\n\n"
    "  key=value   replaces a key of the config: recover.data_sets=1000  "
    "intervals.methods='[\"fisher\", "
    "\"profile\"]'\n"
    "  --force     replace an earlier recovery in the same folder\n"
    "  --quiet     no progress and no table\n\n"
    "Written to `out` of the config, by default runs/NAME-recover: recover.csv (every estimate), "
    "summary.json (the\n"
    "table), config.cfg. See doc/coverage.md.\n";

/** From here on the config is sound, so that what fails is no fault of how the program was used. */
static int run(const pf_problem *problem, const char *out, const arguments *how)
{
  pf_error error = pf_error_none();
  pf_recovery *recovery = NULL;
  pf_meter meter;
  int code = PF_EXIT_DONE;
  pf_meter_start(&meter);
  pf_interrupt_watch();
  pf_status status = pf_recover_run(problem, how->quiet ? NULL : pf_meter_show, pf_interrupt_asked,
                                    &meter, &recovery, &error);
  pf_meter_end(&meter);
  status = status == PF_OK ? pf_recover_write(recovery, out, how->force, &error) : status;
  if (status != PF_OK) {
    code = pf_cli_say(PF_EXIT_FAILED, "%s", error.text);
  } else if (!how->quiet) {
    pf_recover_print(recovery, stdout);
    (void)printf("\nEverything is in %s: recover.csv, summary.json, config.cfg\n", out);
  }
  if (status == PF_OK && recovery->n_failed > 0) {
    code = pf_cli_say(PF_EXIT_FAILED,
                      "%zu of %zu fits failed (summary.json says why, data set by data set)",
                      recovery->n_failed, recovery->n_fits);
  }
  pf_recovery_free(recovery);
  return code;
}

static int recover(const arguments *how)
{
  pf_error error = pf_error_none();
  pf_config *config = NULL;
  pf_problem *problem = NULL;
  pf_text out = {0};
  pf_status status = pf_config_read(how->given.subject, how->given.overrides,
                                    how->given.n_overrides, &config, &error);
  if (status == PF_OK) { /* fresh animals are an evaluation's */
    status = pf_config_override(config, "evaluate.animals=0", &error);
  }
  status = status == PF_OK ? pf_problem_create(config, &problem, &error) : status;
  status = status == PF_OK
               ? pf_cli_need_task(problem, ", whose truth is not known; to recover,", &error)
               : status;
  status = status == PF_OK ? pf_cli_task_out(problem, "-recover", &out, &error) : status;
  status = status == PF_OK ? pf_report_check_out(out.text, how->force, &error) : status;
  const int code =
      status == PF_OK ? run(problem, out.text, how) : pf_cli_say(PF_EXIT_MISUSED, "%s", error.text);
  pf_text_free(&out);
  pf_problem_free(problem);
  pf_config_free(config);
  return code;
}

int pf_command_recover(int argc, char **argv)
{
  arguments how = {.force = false};
  const pf_cli_option options[] = {{"--force", &how.force, NULL}, {"--quiet", &how.quiet, NULL}};
  const pf_cli_syntax syntax = {.command = "recover",
                                .usage = usage,
                                .one = "config",
                                .wants =
                                    "a CONFIG with a teacher, such as configs/coverage-choices.cfg",
                                .takes_keys = true,
                                .options = options,
                                .n_options = sizeof options / sizeof options[0]};
  int code = pf_cli_parse(&syntax, argc, argv, &how.given);
  if (code == PF_EXIT_DONE && !how.given.help) {
    code = recover(&how);
  }
  pf_cli_arguments_free(&how.given);
  return code;
}
