#define _POSIX_C_SOURCE 200809L

#include "core/base/memory.h"
#include "core/cli/arguments.h"
#include "core/cli/cli.h"
#include "core/cli/run_config.h"
#include "core/report/run_folder.h"
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
  bool force, quiet;
} arguments;

static const char *const usage =
    "Usage: plastfit evaluate RUN [--data DATA] [--out FOLDER] [key=value ...] [--force] "
    "[--quiet]\n\n"
    "Scores the rule that the run folder RUN holds: the figures of `fit`, without fitting.\n\n"
    "  --data FILE.csv    on a file that a source reads (plastfit describe csv; also npz, mat), "
    "seen "
    "as the run saw its data:\n"
    "                     input noise, expected reward, derived channels\n"
    "  --data CONFIG.cfg  on the data of another config; network, rules and losses stay the run's\n"
    "                     without --data: on what the run itself was scored on\n"
    "  --out FOLDER       a new folder for evaluation.json; default: RUN/evaluation-DATA.json\n"
    "  key=value          replaces a key: evaluate.draws=20  source.columns.animal=fly\n"
    "  --force            replace an earlier evaluation of that name\n"
    "  --quiet            no progress and no summary\n\n"
    "A run with one theta for all scores any animal; one with a theta per animal finds them by "
    "name.\n";

/** The config to evaluate. */
static pf_status make_config(const arguments *how, pf_config **out, pf_error *error)
{
  pf_config *run = NULL, *config = NULL;
  char *path = pf_run_folder_path(how->run, "config.cfg", error);
  pf_status status = path == NULL ? PF_STOP : pf_config_read(path, NULL, 0, &run, error);
  pf_memory_free(path);
  double seed = 1.0;
  if (status == PF_OK) {
    (void)pf_node_number(pf_node_get(pf_config_root(run), "seed"), &seed);
  }
  if (status == PF_OK && how->data != NULL && pf_run_config_is_one(how->data)) {
    status = pf_config_read(how->data, NULL, 0, &config, error);
    status = status == PF_OK ? pf_run_config_data(config, run, how->data, error) : status;
  } else if (status == PF_OK) {
    config = run;
    run = NULL;
    status = how->data != NULL ? pf_run_config_file(config, how->data, error) : PF_OK;
  }
  if (status == PF_OK &&
      how->data != NULL) { /* fresh animals would be scored instead of the data */
    status = pf_config_override(config, "evaluate.animals=0", error);
  }
  status = status == PF_OK ? pf_run_config_keep_masks(config, seed, error) : status;
  for (size_t i = 0; i < how->given.n_overrides && status == PF_OK; i++) {
    status = pf_config_override(config, how->given.overrides[i], error);
  }
  pf_config_free(run);
  if (status != PF_OK) {
    pf_config_free(config);
    return status;
  }
  *out = config;
  return PF_OK;
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
  return access(how->run, W_OK) == 0
             ? PF_OK
             : pf_fail(error, PF_STOP,
                       "'%s' cannot be written to; say where the scores go with --out FOLDER",
                       how->run);
}

static pf_status write_scores(const arguments *how, const pf_problem *problem, const pf_fit *fit,
                              const pf_evaluation *evaluation, const char *target, pf_error *error)
{
  const char *data = how->data == NULL ? "the run's own" : how->data;
  if (how->out == NULL) {
    return pf_evaluation_write(problem, fit, evaluation, how->run, data, target, error);
  }
  pf_folder folder = {0};
  pf_status status = pf_folder_begin(how->out, how->force, &folder, error);
  if (status == PF_OK) {
    char *path = pf_folder_path(&folder, "evaluation.json", error);
    status = path == NULL
                 ? PF_STOP
                 : pf_evaluation_write(problem, fit, evaluation, how->run, data, path, error);
    pf_memory_free(path);
    status = status == PF_OK ? pf_folder_commit(&folder, how->force, error) : status;
    pf_folder_end(&folder);
  }
  return status;
}

/* ---- the work ---- */

static int score(const arguments *how, pf_problem *problem, const pf_fit *fit, const char *target)
{
  pf_error error = pf_error_none();
  pf_evaluation *evaluation = NULL;
  pf_meter meter;
  pf_meter_start(&meter);
  pf_status status = pf_evaluate(problem, fit, how->quiet ? NULL : pf_meter_show, NULL, &meter,
                                 &evaluation, &error);
  pf_meter_end(&meter);
  status = status == PF_OK ? write_scores(how, problem, fit, evaluation, target, &error) : status;
  if (status == PF_OK && !how->quiet) {
    pf_memory_free(problem->settings
                       ->out); /* nothing is written there, so that the summary does not name it */
    problem->settings->out = NULL;
    status = pf_report_print(problem, fit, NULL, evaluation, stdout, &error);
    (void)printf("  Scores are in %s\n", target);
  }
  int code = status == PF_OK ? PF_EXIT_DONE : pf_cli_say(PF_EXIT_FAILED, "%s", error.text);
  for (size_t i = 0; status == PF_OK && i < evaluation->n_animals; i++) {
    if (evaluation->animals[i].status != PF_OK) {
      code = pf_cli_say(PF_EXIT_FAILED, "%s: not scored: %s", evaluation->animals[i].name,
                        evaluation->animals[i].error.text);
    }
  }
  pf_evaluation_free(evaluation);
  return code;
}

static int evaluate(const arguments *how)
{
  pf_error error = pf_error_none();
  pf_config *config = NULL;
  pf_problem *problem = NULL;
  pf_fit *fit = NULL;
  char *target = target_of(how, &error);
  pf_status status = target == NULL ? PF_STOP : pf_run_folder_check(how->run, &error);
  status = status == PF_OK ? check_target(how, target, &error) : status;
  status = status == PF_OK ? make_config(how, &config, &error) : status;
  status = status == PF_OK ? pf_problem_create(config, &problem, &error) : status;
  if (status == PF_OK) {
    problem->other_data = how->data != NULL;
  }
  status = status == PF_OK ? pf_run_folder_fit(how->run, problem, &fit, &error) : status;
  const int code = status == PF_OK ? score(how, problem, fit, target)
                                   : pf_cli_say(PF_EXIT_MISUSED, "%s", error.text);
  pf_fit_free(problem, fit);
  pf_problem_free(problem);
  pf_config_free(config);
  pf_memory_free(target);
  return code;
}

int pf_command_evaluate(int argc, char **argv)
{
  arguments how = {.force = false};
  const pf_cli_option options[] = {{"--data", NULL, &how.data},
                                   {"--out", NULL, &how.out},
                                   {"--force", &how.force, NULL},
                                   {"--quiet", &how.quiet, NULL}};
  const pf_cli_syntax syntax = {.command = "evaluate",
                                .usage = usage,
                                .one = "run folder",
                                .wants = "a RUN folder, such as runs/fly",
                                .second = "data: --data DATA",
                                .takes_keys = true,
                                .options = options,
                                .n_options = sizeof options / sizeof options[0]};
  int code = pf_cli_parse(&syntax, argc, argv, &how.given);
  if (code == PF_EXIT_DONE && !how.given.help) {
    how.run = how.given.subject;
    code = evaluate(&how);
  }
  pf_cli_arguments_free(&how.given);
  return code;
}
