#define _POSIX_C_SOURCE 200809L

#include "core/base/memory.h"
#include "core/base/put_in_place.h"
#include "core/base/text.h"
#include "core/cli/fitted_truth.h"
#include "core/cli/run_config.h"
#include "core/cli/run_verdicts.h"
#include "core/cli/task_command.h"
#include "core/command_line/arguments.h"
#include "core/command_line/command.h"
#include "core/command_line/json_output.h"
#include "core/evaluate/closed_loop.h"
#include "core/page/html.h"
#include "core/problem/problem.h"
#include "core/report/run_folder.h"
#include "core/report/save_run.h"
#include "core/store/folder.h"
#include "core/store/simulated.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_REPEATS = 100000 };
/* Seconds that finished simulations wait for another process that writes into the run. */
enum { LONGEST_WAIT = 60 };

typedef struct arguments {
  pf_cli_arguments given;
  const char *config;                            /**< given.subject */
  const char *from, *task, *out, *repeats_given; /**< of --from */
  int64_t repeats;
  bool force;
} arguments;

static const char *const usage =
    "Usage: plastfit simulate CONFIG [key=value ...] [OPTION ...]\n"
    "       plastfit simulate --from RUN [--task CONFIG] [--repeats N] [--out FOLDER]\n"
    "                         [key=value ...] [OPTION ...]\n"
    "\n"
    "The first simulates the animals of CONFIG's task (a source such as teacher), whose synapses\n"
    "change by the rule it names, and writes them to a folder, `out` of the config, by default\n"
    "runs/NAME-data:\n"
    "\n"
    "  table.csv            what they did, one row a step, as the source `table` reads it\n"
    "  initial_weights.csv  the weights they started from (with source.give.initial_weights =\n"
    "                       true)\n"
    "  fit.cfg              a config that fits them: `plastfit fit FOLDER/fit.cfg` gives the\n"
    "                       theta that `plastfit fit CONFIG` gives\n"
    "\n"
    "Inputs x are the animals' own with source.give.inputs = true, else the cues, to which a fit\n"
    "adds its own noise.\n"
    "\n"
    "The second is a closed-loop simulation: it puts the rule that the run folder RUN holds back\n"
    "into a task, each animal with its own theta where it has one. What it does by itself is\n"
    "written to RUN/simulated.csv, and the report of RUN shows it beside the animals.\n"
    "\n"
    "  key=value       replaces a key of the config; with --from, of the task: seed=7\n"
    "                  source.task.baited=false\n";

/* ---- arguments ---- */

static int read_repeats(const char *text, int64_t *out)
{
  char *end = NULL;
  *out = (int64_t)strtol(text, &end, 10);
  if (end == text || *end != '\0' || *out < 1 || *out > MAX_REPEATS) {
    return pf_cli_say(PF_EXIT_MISUSED,
                      "simulate: --repeats %s: expected a whole number from 1 to %d", text,
                      MAX_REPEATS);
  }
  return PF_EXIT_DONE;
}

static int check_arguments(arguments *how)
{
  if (how->repeats_given != NULL &&
      read_repeats(how->repeats_given, &how->repeats) != PF_EXIT_DONE) {
    return PF_EXIT_MISUSED;
  }
  if (how->from != NULL && how->config != NULL) {
    return pf_cli_say(
        PF_EXIT_MISUSED,
        "simulate takes a config or --from RUN, found '%s' and --from '%s' (the task: "
        "--task %s)",
        how->config, how->from, how->config);
  }
  if (how->from == NULL && how->task != NULL) {
    return pf_cli_say(PF_EXIT_MISUSED, "simulate: --task goes with --from RUN");
  }
  if (how->from == NULL && how->out != NULL) {
    return pf_cli_say(PF_EXIT_MISUSED, "simulate: --out goes with --from RUN; the folder of a "
                                       "config's animals is its key `out`: out=FOLDER");
  }
  if (how->from == NULL && how->repeats_given != NULL) {
    return pf_cli_say(PF_EXIT_MISUSED, "simulate: --repeats goes with --from RUN");
  }
  if (how->config == NULL && how->from == NULL) {
    return pf_cli_say(
        PF_EXIT_MISUSED,
        "simulate wants a CONFIG, such as configs/quickstart.cfg, or --from RUN (plastfit simulate "
        "--help)");
  }
  return PF_EXIT_DONE;
}

/* ---- a known rule ---- */

/** --json: how many animals, and the file that holds them. */
static void say_in_json(size_t n, const char *folder, const char *table)
{
  json_t *root = json_object();
  root = pf_json_set(root, "animals", json_integer((json_int_t)n));
  if (folder != NULL) {
    root = pf_json_set(root, "folder", pf_json_text(folder));
  }
  (void)pf_cli_print_json(pf_json_set(root, "table", pf_json_text(table)));
}

static void say_folder(const arguments *how, size_t n, const char *out)
{
  if (how->given.json) {
    char table[4096];
    (void)snprintf(table, sizeof table, "%s/table.csv", out);
    say_in_json(n, out, table);
    return;
  }
  if (!how->given.quiet) {
    (void)printf("%zu %s simulated, in %s/table.csv. Next: plastfit fit %s/fit.cfg\n", n,
                 n == 1 ? "animal" : "animals", out, out);
  }
}

static int simulate_known(const arguments *how)
{
  pf_error error = pf_error_none();
  pf_cli_task task = {0};
  int code = PF_EXIT_DONE;
  const pf_cli_task_request request = {
      .wish = "; to simulate,", .suffix = "-data", .force = how->force};
  if (pf_cli_task_read(&how->given, &request, &task, &error) != PF_OK) {
    code = pf_cli_say(PF_EXIT_MISUSED, "%s", error.text);
    goto done;
  }
  const size_t n = task.problem->data.n_animals;
  if (pf_simulated_write(task.problem, task.config, (pf_names){0}, task.out.text, how->force,
                         &error) != PF_OK) {
    code = pf_cli_say(PF_EXIT_FAILED, "%s", error.text);
    goto done;
  }
  say_folder(how, n, task.out.text);
done:
  pf_cli_task_free(&task);
  return code;
}

/* ---- a fitted rule ---- */

/** A run, and the task that its rule is put into. */
typedef struct closed_loop {
  pf_config *run_config, *task_config;
  pf_problem *run, *task;
  pf_fit *fit;
  char *target; /**< RUN/simulated.csv */
  int held;     /**< the run folder, as it was read: core/store/folder.h */
} closed_loop;

static void clear_loop(closed_loop *a)
{
  pf_fit_free(a->run, a->fit);
  pf_problem_free(a->task);
  pf_problem_free(a->run);
  pf_config_free(a->task_config);
  pf_config_free(a->run_config);
  pf_memory_free(a->target);
  pf_folder_let_go(a->held);
}

/** Nothing is overwritten unasked; said before the work. */
static pf_status check_target(const arguments *how, const closed_loop *a, pf_error *error)
{
  if (how->out != NULL) {
    return pf_report_check_out(how->out, how->force, error);
  }
  if (access(a->target, F_OK) == 0 && !how->force) {
    return pf_fail(error, PF_STOP, "'%s' is there already; --force to replace it, or --out FOLDER",
                   a->target);
  }
  if (access(how->from, W_OK) != 0) {
    return pf_fail(error, PF_STOP,
                   "'%s' cannot be written to; say where the animals go with --out FOLDER",
                   how->from);
  }
  return PF_OK;
}

/** The run's config twice: as it is, and as (or with the source of) the task. */
static pf_status read_configs(const arguments *how, closed_loop *a, pf_error *error)
{
  double seed = 1.0;
  if (pf_run_config_read(how->from, &a->run_config, error) != PF_OK ||
      pf_config_override(a->run_config, "evaluate.animals=0", error) != PF_OK) {
    return PF_STOP;
  }
  (void)pf_node_number(pf_node_get(pf_config_root(a->run_config), "seed"), &seed);
  if (how->task == NULL) {
    if (pf_run_config_read(how->from, &a->task_config, error) != PF_OK) {
      return PF_STOP;
    }
  } else if (pf_config_read(how->task, NULL, 0, &a->task_config, error) != PF_OK ||
             pf_run_config_data(a->task_config, a->run_config, how->task, error) != PF_OK ||
             pf_run_config_inputs(a->task_config, a->run_config, error) != PF_OK) {
    return PF_STOP;
  }
  if (pf_config_override(a->task_config, "evaluate.animals=0", error) != PF_OK ||
      pf_run_config_keep_masks(a->task_config, seed, error) != PF_OK ||
      pf_config_override_all(a->task_config, how->given.overrides, how->given.n_overrides, error) !=
          PF_OK) {
    return PF_STOP;
  }
  /* the run's is used, by animal */
  (void)pf_config_remove(a->task_config, "network.initial_weights.file");
  return PF_OK;
}

static pf_status need_task(const arguments *how, const closed_loop *a, pf_error *error)
{
  const pf_component *source = &a->task->models->source;
  if (pf_source_is_task(source)) {
    return PF_OK;
  }
  if (how->task != NULL) {
    return pf_fail(error, PF_STOP,
                   "%s: %s reads data: there is no task in it; expected a source such as teacher",
                   how->task, source->label);
  }
  return pf_fail(error, PF_STOP,
                 "'%s' was fitted to data that %s read, so it states no task; name one with --task "
                 "CONFIG (a config with a source such as teacher: configs/fly-task.cfg)",
                 how->from, source->label);
}

static pf_status prepare_loop(const arguments *how, closed_loop *a, pf_error *error)
{
  if (pf_run_folder_check(how->from, error) != PF_OK) {
    return PF_STOP;
  }
  a->target = pf_run_folder_path(how->from, "simulated.csv", error);
  if (a->target == NULL || check_target(how, a, error) != PF_OK ||
      read_configs(how, a, error) != PF_OK ||
      pf_problem_create_task(a->task_config, &a->task, error) != PF_OK ||
      need_task(how, a, error) != PF_OK ||
      pf_problem_create(a->run_config, &a->run, error) != PF_OK ||
      pf_closed_loop_check(a->run, a->task, error) != PF_OK) {
    return PF_STOP;
  }
  return pf_run_folder_fit(how->from, a->run, &a->fit, error);
}

/** The animals' table, written to `part` and then renamed. */
static pf_status write_table(const closed_loop *a, const char *part, pf_error *error)
{
  if (pf_simulated_table(a->task, &a->task->data, part, error) != PF_OK) {
    return PF_STOP;
  }
  return pf_put_in_place(part, a->target, error);
}

/** RUN/simulated.csv, whole or not at all, and the report with it. */
static pf_status write_files_into_run(const arguments *how, const closed_loop *a, pf_error *error)
{
  pf_text part = {0};
  pf_text_add(&part, "%s.part", a->target);
  if (part.failed) {
    return pf_fail(error, PF_STOP, "out of memory");
  }
  const pf_status status = write_table(a, part.text, error);
  if (status != PF_OK) {
    (void)unlink(part.text);
  }
  pf_text_free(&part);
  if (status != PF_OK || !a->run->settings->report) {
    return status;
  }
  return pf_html_write(how->from, error);
}

static pf_status write_into_run(const arguments *how, const closed_loop *a, pf_error *error)
{
  pf_status status = pf_folder_lock(how->from, a->held, LONGEST_WAIT, error);
  if (status != PF_OK) {
    return status;
  }
  status = check_target(how, a, error); /* another process may have written it meanwhile */
  if (status != PF_OK) {
    return status;
  }
  status = write_files_into_run(how, a, error);
  return status != PF_OK ? status : pf_folder_unlock(how->from, a->held, error);
}

/** A folder with the animals and a config that fits them, in which the fitted rule is the truth. */
static pf_status write_new_folder(const arguments *how, const closed_loop *a, pf_error *error)
{
  pf_array truth = pf_array_of(sizeof(char *));
  pf_status status = pf_fitted_truth(a->run, a->fit, &truth, error);
  if (status == PF_OK) {
    const pf_names overrides = {(const char *const *)truth.items, truth.n};
    status = pf_simulated_write(a->task, a->task_config, overrides, how->out, how->force, error);
  }
  pf_fitted_truth_free(&truth);
  return status;
}

static pf_status run_loop(const arguments *how, closed_loop *a, pf_error *error)
{
  if (pf_closed_loop(a->run, a->fit, a->task, how->repeats, &a->task->data, error) != PF_OK) {
    return PF_STOP;
  }
  const size_t n = a->task->data.n_animals;
  if (n == 0) {
    return pf_fail(error, PF_STOP, "no animal of '%s' could be put into the task", how->from);
  }
  if (how->out != NULL) {
    if (write_new_folder(how, a, error) != PF_OK) {
      return PF_STOP;
    }
    say_folder(how, n, how->out);
    return PF_OK;
  }
  if (write_into_run(how, a, error) != PF_OK) {
    return PF_STOP;
  }
  if (how->given.json) {
    say_in_json(n, NULL, a->target);
  } else if (!how->given.quiet) {
    (void)printf("%zu %s simulated with the fitted rule, in %s%s\n", n,
                 n == 1 ? "animal" : "animals", a->target,
                 a->run->settings->report
                     ? "; report.html beside it compares them with the animals it was fitted to"
                     : "");
  }
  return PF_OK;
}

static int simulate_fitted(const arguments *how)
{
  pf_error error = pf_error_none();
  closed_loop a = {.held = pf_folder_hold(how->from)};
  int code = PF_EXIT_DONE;
  if (prepare_loop(how, &a, &error) != PF_OK) {
    code = pf_cli_say(PF_EXIT_MISUSED, "%s", error.text);
  } else if (run_loop(how, &a, &error) != PF_OK) {
    code = pf_cli_say(PF_EXIT_FAILED, "%s", error.text);
  } else {
    code = pf_cli_say_verdicts(a.fit);
  }
  clear_loop(&a);
  return code;
}

static const pf_cli_option options[] = {
    PF_CLI_VALUE("--from", "RUN", arguments, from, "the run whose fitted rule is simulated"),
    PF_CLI_VALUE("--task", "CONFIG", arguments, task,
                 "the task: the source of this config, whose rule does not count; network,\n"
                 "rules and losses stay the run's. Without it: the task the run's own\n"
                 "animals were in, if they were simulated"),
    PF_CLI_VALUE("--repeats", "N", arguments, repeats_given,
                 "each animal is simulated N times, with other random numbers; default 1"),
    PF_CLI_VALUE("--out", "FOLDER", arguments, out,
                 "a new folder with table.csv and fit.cfg, as above; RUN stays as it is"),
    PF_CLI_FORCE(arguments, "replace what an earlier simulate left there"),
    PF_CLI_QUIET(arguments, "say nothing"),
    PF_CLI_JSON(arguments, "say in JSON what was written"),
};
static const pf_cli_syntax syntax = {.usage = usage,
                                     .one = "config",
                                     .words = "CONFIG",
                                     .takes_keys = true,
                                     .options = options,
                                     .n_options = sizeof options / sizeof options[0]};

static int run_command(int argc, char **argv)
{
  arguments how = {.repeats = 1};
  int code = pf_cli_parse(&pf_command_simulate, argc, argv, &how, &how.given);
  if (code == PF_EXIT_DONE && !how.given.help) {
    how.config = how.given.subject;
    code = check_arguments(&how);
    if (code == PF_EXIT_DONE) {
      code = how.from != NULL ? simulate_fitted(&how) : simulate_known(&how);
    }
  }
  pf_cli_arguments_free(&how.given);
  return code;
}

const pf_command pf_command_simulate = {
    .name = "simulate",
    .synopsis = "CONFIG | --from RUN",
    .summary = "make data with a known rule; put a fitted one back into a task",
    .syntax = &syntax,
    .run = run_command,
};
