#define _POSIX_C_SOURCE 200809L

#include "core/base/memory.h"
#include "core/cli/run_config.h"
#include "core/cli/run_verdicts.h"
#include "core/command_line/arguments.h"
#include "core/command_line/command.h"
#include "core/command_line/json_output.h"
#include "core/evaluate/evaluate.h"
#include "core/report/run_folder.h"
#include "core/report/run_inference.h"
#include "core/store/folder.h"
#include "core/terminal/meter.h"
#include "core/terminal/run_summary.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct arguments {
  pf_cli_arguments given;
  const char *run; /**< given.subject */
  const char *data, *out;
  bool force;
  int held; /**< the run folder, as it was read: core/store/folder.h */
} arguments;

/* Seconds that finished scores wait for another process that writes into the run. */
enum { LONGEST_WAIT = 60 };

static const char *const usage =
    "Usage: plastfit evaluate RUN [--data DATA] [key=value ...] [OPTION ...]\n"
    "\n"
    "Scores the rule that the run folder RUN holds: the figures of `fit`, without fitting.\n"
    "\n"
    "  key=value       replaces a key: evaluate.draws=20  source.columns.animal=fly\n";

static const char *const after =
    "A run with one theta for all scores any animal; one with a theta per animal finds them by\n"
    "name.\n";

/** The run's config becomes that of the data, or its source that of the file. */
static pf_status change_data(const char *data, pf_config **config, pf_error *error)
{
  if (!pf_run_config_is_one(data)) {
    return pf_run_config_file(*config, data, error);
  }
  pf_config *run = *config;
  *config = NULL;
  pf_status status = pf_config_read(data, NULL, 0, config, error);
  if (status == PF_OK) {
    status = pf_run_config_data(*config, run, data, error);
  }
  pf_config_free(run);
  return status;
}

/** The config to evaluate. The caller frees it in any case. */
static pf_status make_config(const arguments *how, pf_config **config, pf_error *error)
{
  double seed = 1.0;
  if (pf_run_config_read(how->run, config, error) != PF_OK) {
    return PF_STOP;
  }
  (void)pf_node_number(pf_node_get(pf_config_root(*config), "seed"), &seed);
  if (how->data != NULL && (change_data(how->data, config, error) != PF_OK ||
                            /* fresh animals would be scored instead of the data */
                            pf_config_override(*config, "evaluate.animals=0", error) != PF_OK)) {
    return PF_STOP;
  }
  if (pf_run_config_keep_masks(*config, seed, error) != PF_OK) {
    return PF_STOP;
  }
  return pf_config_override_all(*config, how->given.overrides, how->given.n_overrides, error);
}

/* ---- where the scores go ---- */

/** "RUN/evaluation-own.json" for own.csv; with --out "FOLDER/evaluation.json". */
static char *target_of(const arguments *how, pf_error *error)
{
  char name[300];
  const char *data = how->data == NULL ? "fitted-data" : how->data;
  const char *slash = strrchr(data, '/');
  const char *base = slash == NULL ? data : slash + 1;
  const char *dot = strrchr(base, '.');
  const int n = dot == NULL || dot == base ? (int)strlen(base) : (int)(dot - base);
  (void)snprintf(name, sizeof name, "evaluation-%.*s.json", n < 200 ? n : 200, base);
  return pf_run_folder_path(how->out != NULL ? how->out : how->run,
                            how->out != NULL ? "evaluation.json" : name, error);
}

static pf_status check_target(const arguments *how, const char *target, pf_error *error)
{
  if (how->out != NULL) {
    return pf_folder_check(how->out, how->force, error);
  }
  if (access(target, F_OK) == 0 && !how->force) {
    return pf_fail(error, PF_STOP, "'%s' is there already; --force to replace it, or --out FOLDER",
                   target);
  }
  if (access(how->run, W_OK) != 0) {
    return pf_fail(error, PF_STOP,
                   "'%s' cannot be written to; say where the scores go with --out FOLDER",
                   how->run);
  }
  return PF_OK;
}

static pf_status write_new_folder(const arguments *how, const pf_scored_run *scored,
                                  pf_error *error)
{
  pf_folder folder = {0};
  if (pf_folder_begin(how->out, how->force, &folder, error) != PF_OK) {
    return PF_STOP;
  }
  char *path = pf_folder_path(&folder, "evaluation.json", error);
  pf_status status = PF_STOP;
  if (path != NULL) {
    status = pf_evaluation_write(scored, path, error);
  }
  if (status == PF_OK) {
    status = pf_folder_commit(&folder, how->force, error);
  }
  pf_memory_free(path);
  pf_folder_end(&folder);
  return status;
}

/** Beside the run's files. */
static pf_status write_into_run(const arguments *how, const pf_scored_run *scored,
                                const char *target, pf_error *error)
{
  pf_status status = pf_folder_lock(how->run, how->held, LONGEST_WAIT, error);
  if (status != PF_OK) {
    return status;
  }
  status = check_target(how, target, error); /* another process may have written it meanwhile */
  if (status != PF_OK) {
    return status;
  }
  status = pf_evaluation_write(scored, target, error);
  return status != PF_OK ? status : pf_folder_unlock(how->run, how->held, error);
}

static pf_status write_scores(const arguments *how, const pf_problem *problem, const pf_fit *fit,
                              const pf_evaluation *evaluation, const char *target, pf_error *error)
{
  const pf_scored_run scored = {.problem = problem,
                                .fit = fit,
                                .evaluation = evaluation,
                                .run = how->run,
                                .data = how->data == NULL ? "the run's own" : how->data};
  if (how->out != NULL) {
    return write_new_folder(how, &scored, error);
  }
  return write_into_run(how, &scored, target, error);
}

/* ---- the work ---- */

static pf_status print_scores(const arguments *how, pf_problem *problem, const pf_fit *fit,
                              const pf_evaluation *evaluation, const char *target, pf_error *error)
{
  pf_inference *inference = NULL;
  pf_status status = pf_run_folder_inference(how->run, problem, fit, &inference, error);
  if (status != PF_OK) {
    return status;
  }
  /* nothing is written to the run's folder, so that the summary does not name it */
  pf_memory_free(problem->settings->out);
  problem->settings->out = NULL;
  status = pf_report_print(problem, fit, inference, evaluation, stdout, error);
  pf_inference_free(inference);
  (void)printf("  Scores are in %s\n", target);
  return status;
}

static pf_status compute_scores(const arguments *how, pf_problem *problem, const pf_fit *fit,
                                const char *target, pf_evaluation **evaluation, pf_error *error)
{
  pf_meter meter;
  pf_meter_start(&meter);
  const pf_observer observer = {.progress = how->given.quiet ? NULL : pf_meter_show,
                                .payload = &meter};
  const pf_status status = pf_evaluate(problem, fit, &observer, evaluation, error);
  pf_meter_end(&meter);
  if (status != PF_OK || write_scores(how, problem, fit, *evaluation, target, error) != PF_OK) {
    return PF_STOP;
  }
  if (how->given.json) {
    (void)pf_cli_print_json_file(target);
    return PF_OK;
  }
  return how->given.quiet ? PF_OK : print_scores(how, problem, fit, *evaluation, target, error);
}

static int score_run(const arguments *how, pf_problem *problem, const pf_fit *fit,
                     const char *target)
{
  pf_error error = pf_error_none();
  pf_evaluation *evaluation = NULL;
  int code = PF_EXIT_DONE;
  if (compute_scores(how, problem, fit, target, &evaluation, &error) != PF_OK) {
    code = pf_cli_say(PF_EXIT_FAILED, "%s", error.text);
    goto done;
  }
  code = pf_cli_say_verdicts(fit);
  for (size_t i = 0; i < evaluation->n_animals; i++) {
    const pf_animal_result *animal = &evaluation->animals[i];
    if (animal->status != PF_OK) {
      code = pf_cli_say(PF_EXIT_FAILED, "%s: not scored: %s", animal->name, animal->error.text);
    }
  }
done:
  pf_evaluation_free(evaluation);
  return code;
}

static int evaluate_run(const arguments *how)
{
  pf_error error = pf_error_none();
  pf_config *config = NULL;
  pf_problem *problem = NULL;
  pf_fit *fit = NULL;
  int code;
  char *target = target_of(how, &error);
  if (target == NULL || pf_run_folder_check(how->run, &error) != PF_OK ||
      check_target(how, target, &error) != PF_OK || make_config(how, &config, &error) != PF_OK ||
      pf_problem_create(config, &problem, &error) != PF_OK) {
    code = pf_cli_say(PF_EXIT_MISUSED, "%s", error.text);
    goto done;
  }
  problem->other_data = how->data != NULL;
  if (pf_run_folder_fit(how->run, problem, &fit, &error) != PF_OK) {
    code = pf_cli_say(PF_EXIT_MISUSED, "%s", error.text);
    goto done;
  }
  code = score_run(how, problem, fit, target);
done:
  pf_fit_free(problem, fit);
  pf_problem_free(problem);
  pf_config_free(config);
  pf_memory_free(target);
  return code;
}

static const pf_cli_option options[] = {
    PF_CLI_VALUE("--data", "DATA", arguments, data,
                 "FILE.csv: a file that a source reads (plastfit describe csv; also npz, mat).\n"
                 "It is seen as the run saw its data: input noise, expected reward, derived\n"
                 "channels. CONFIG.cfg: the data of another config; network, rules and losses\n"
                 "stay the run's. Without --data: what the run itself was scored on"),
    PF_CLI_VALUE("--out", "FOLDER", arguments, out,
                 "a new folder for evaluation.json; default: RUN/evaluation-DATA.json"),
    PF_CLI_FORCE(arguments, "replace an earlier evaluation of that name"),
    PF_CLI_QUIET(arguments, "no progress and no summary"),
    PF_CLI_JSON(arguments, "print the file of scores in place of the summary"),
};
static const pf_cli_syntax syntax = {.usage = usage,
                                     .after = after,
                                     .one = "run folder",
                                     .wants = "a RUN folder, such as runs/fly",
                                     .second = "data: --data DATA",
                                     .words = "RUN",
                                     .takes_keys = true,
                                     .options = options,
                                     .n_options = sizeof options / sizeof options[0]};

static int run_command(int argc, char **argv)
{
  arguments how = {.force = false};
  int code = pf_cli_parse(&pf_command_evaluate, argc, argv, &how, &how.given);
  if (code == PF_EXIT_DONE && !how.given.help) {
    how.run = how.given.subject;
    how.held = pf_folder_hold(how.run);
    code = evaluate_run(&how);
    pf_folder_let_go(how.held);
  }
  pf_cli_arguments_free(&how.given);
  return code;
}

const pf_command pf_command_evaluate = {
    .name = "evaluate",
    .synopsis = "RUN [--data DATA]",
    .summary = "score a fitted rule, on other data too",
    .syntax = &syntax,
    .run = run_command,
};
