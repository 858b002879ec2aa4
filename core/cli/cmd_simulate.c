#define _POSIX_C_SOURCE 200809L

#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/cli/arguments.h"
#include "core/cli/cli.h"
#include "core/cli/run_config.h"
#include "core/cli/task_command.h"
#include "core/evaluate/closed_loop.h"
#include "core/page/html.h"
#include "core/problem/problem.h"
#include "core/report/run_folder.h"
#include "core/report/save_run.h"
#include "core/store/simulated.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_REPEATS = 100000 };

typedef struct arguments {
  pf_cli_arguments given;
  const char *config;                            /**< given.subject */
  const char *from, *task, *out, *repeats_given; /**< of --from */
  int64_t repeats;
  bool force, quiet;
} arguments;

static const char *const usage =
    "Usage: plastfit simulate CONFIG [key=value ...] [--force] [--quiet]\n"
    "       plastfit simulate --from RUN [--task CONFIG] [--repeats N] [--out FOLDER] [key=value "
    "...] [--force] "
    "[--quiet]\n\n"
    "The first lets the animals of CONFIG's task (a source such as teacher) live by the rule it "
    "names, and writes them "
    "to a\n"
    "folder, `out` of the config, by default runs/NAME-data:\n\n"
    "  table.csv            what they did, one row a step, as the source `table` reads it\n"
    "  initial_weights.csv  the weights they started from (with source.give.initial_weights = "
    "true)\n"
    "  fit.cfg              a config that fits them: `plastfit fit FOLDER/fit.cfg` gives the theta "
    "that\n"
    "                       `plastfit fit CONFIG` gives\n\n"
    "Inputs x are the animals' own with source.give.inputs = true, else the cues, to which a fit "
    "adds its own "
    "noise.\n\n"
    "The second puts the rule that the run folder RUN holds back into a task, each animal with its "
    "own theta where it "
    "has\n"
    "one: what it does by itself is written to RUN/simulated.csv, and the report of RUN shows it "
    "beside the "
    "animals.\n\n"
    "  --task CONFIG   the task: the source of this config, whose rule does not count; network, "
    "rules and losses stay "
    "the\n"
    "                  run's. Without it: the task the run's own animals were in, if they were "
    "simulated\n"
    "  --repeats N     each animal lives N times, with other random numbers; default 1\n"
    "  --out FOLDER    a new folder with table.csv and fit.cfg, as above; RUN stays as it is\n\n"
    "  key=value   replaces a key of the config; with --from, of the task: seed=7  "
    "source.task.baited=false\n"
    "  --force     replace what an earlier simulate left there\n"
    "  --quiet     say nothing\n";

/* ---- arguments ---- */

static int read_repeats(const char *text, int64_t *out)
{
  char *end = NULL;
  *out = (int64_t)strtol(text, &end, 10);
  return end != text && *end == '\0' && *out >= 1 && *out <= MAX_REPEATS
             ? PF_EXIT_DONE
             : pf_cli_say(PF_EXIT_MISUSED,
                          "simulate: --repeats %s: expected a whole number from 1 to %d", text,
                          MAX_REPEATS);
}

static int check_arguments(const arguments *how)
{
  if (how->from != NULL && how->config != NULL) {
    return pf_cli_say(
        PF_EXIT_MISUSED,
        "simulate takes a config or --from RUN, found '%s' and --from '%s' (the task: "
        "--task %s)",
        how->config, how->from, how->config);
  }
  if (how->from == NULL && (how->task != NULL || how->out != NULL || how->repeats_given != NULL)) {
    return pf_cli_say(
        PF_EXIT_MISUSED, "simulate: %s goes with --from RUN%s",
        how->task != NULL  ? "--task"
        : how->out != NULL ? "--out"
                           : "--repeats",
        how->out != NULL ? "; the folder of a config's animals is its key `out`: out=FOLDER" : "");
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

static void say_folder(const arguments *how, size_t n, const char *out)
{
  if (!how->quiet) {
    (void)printf("%zu %s simulated, in %s/table.csv. Next: plastfit fit %s/fit.cfg\n", n,
                 n == 1 ? "animal" : "animals", out, out);
  }
}

static int simulate(const arguments *how)
{
  pf_error error = pf_error_none();
  pf_config *config = NULL;
  pf_problem *problem = NULL;
  pf_text out = {0};
  int code = PF_EXIT_MISUSED;
  pf_status status =
      pf_config_read(how->config, how->given.overrides, how->given.n_overrides, &config, &error);
  if (status == PF_OK) { /* fresh animals are an evaluation's */
    status = pf_config_override(config, "evaluate.animals=0", &error);
  }
  status = status == PF_OK ? pf_problem_create(config, &problem, &error) : status;
  status = status == PF_OK ? pf_cli_need_task(problem, "; to simulate,", &error) : status;
  status = status == PF_OK ? pf_cli_task_out(problem, "-data", &out, &error) : status;
  status = status == PF_OK ? pf_report_check_out(out.text, how->force, &error) : status;
  if (status == PF_OK) {
    const size_t n = problem->data.n_animals;
    code = PF_EXIT_FAILED;
    status = pf_simulated_write(problem, config, out.text, how->force, &error);
    if (status == PF_OK) {
      say_folder(how, n, out.text);
    }
  }
  code = status == PF_OK ? PF_EXIT_DONE : pf_cli_say(code, "%s", error.text);
  pf_text_free(&out);
  pf_problem_free(problem);
  pf_config_free(config);
  return code;
}

/* ---- a fitted rule ---- */

/** A run, and the task that its rule is put into. */
typedef struct acting {
  pf_config *run_config, *task_config;
  pf_problem *run, *task;
  pf_fit *fit;
  char *target; /**< RUN/simulated.csv */
} acting;

static void acting_clear(acting *a)
{
  pf_fit_free(a->run, a->fit);
  pf_problem_free(a->task);
  pf_problem_free(a->run);
  pf_config_free(a->task_config);
  pf_config_free(a->run_config);
  pf_memory_free(a->target);
}

/** Nothing is overwritten unasked; said before the work. */
static pf_status check_target(const arguments *how, const acting *a, pf_error *error)
{
  if (how->out != NULL) {
    return pf_report_check_out(how->out, how->force, error);
  }
  if (access(a->target, F_OK) == 0 && !how->force) {
    return pf_fail(error, PF_STOP, "'%s' is there already; --force to replace it, or --out FOLDER",
                   a->target);
  }
  return access(how->from, W_OK) == 0
             ? PF_OK
             : pf_fail(error, PF_STOP,
                       "'%s' cannot be written to; say where the animals go with --out FOLDER",
                       how->from);
}

/** The run's config twice: as it is, and as (or with the source of) the task. */
static pf_status read_configs(const arguments *how, acting *a, pf_error *error)
{
  char *path = pf_run_folder_path(how->from, "config.cfg", error);
  double seed = 1.0;
  pf_status status = path == NULL ? PF_STOP : pf_config_read(path, NULL, 0, &a->run_config, error);
  status =
      status == PF_OK ? pf_config_override(a->run_config, "evaluate.animals=0", error) : status;
  if (status == PF_OK) {
    (void)pf_node_number(pf_node_get(pf_config_root(a->run_config), "seed"), &seed);
    status = pf_config_read(how->task != NULL ? how->task : path, NULL, 0, &a->task_config, error);
  }
  if (status == PF_OK && how->task != NULL) {
    status = pf_run_config_data(a->task_config, a->run_config, how->task, error);
    status = status == PF_OK ? pf_run_config_inputs(a->task_config, a->run_config, error) : status;
  }
  status =
      status == PF_OK ? pf_config_override(a->task_config, "evaluate.animals=0", error) : status;
  status = status == PF_OK ? pf_run_config_keep_masks(a->task_config, seed, error) : status;
  for (size_t i = 0; i < how->given.n_overrides && status == PF_OK; i++) {
    status = pf_config_override(a->task_config, how->given.overrides[i], error);
  }
  (void)pf_config_remove(a->task_config,
                         "network.initial_weights.file"); /* the run's is used, by animal */
  pf_memory_free(path);
  return status;
}

static pf_status refuse_no_task(const arguments *how, const acting *a, pf_error *error)
{
  if (pf_source_is_task(&a->task->models->source)) {
    return PF_OK;
  }
  return how->task != NULL
             ? pf_fail(
                   error, PF_STOP,
                   "%s: %s reads data: there is no task in it; expected a source such as teacher",
                   how->task, a->task->models->source.label)
             : pf_fail(error, PF_STOP,
                       "'%s' was fitted to data that %s read, so it states no task; name one with "
                       "--task CONFIG (a "
                       "config with a source such as teacher: configs/fly-task.cfg)",
                       how->from, a->task->models->source.label);
}

static pf_status make(const arguments *how, acting *a, pf_error *error)
{
  pf_status status = pf_run_folder_check(how->from, error);
  a->target = status == PF_OK ? pf_run_folder_path(how->from, "simulated.csv", error) : NULL;
  status = a->target == NULL ? PF_STOP : check_target(how, a, error);
  status = status == PF_OK ? read_configs(how, a, error) : status;
  status = status == PF_OK ? pf_problem_create_task(a->task_config, &a->task, error) : status;
  status = status == PF_OK ? refuse_no_task(how, a, error) : status;
  status = status == PF_OK ? pf_problem_create(a->run_config, &a->run, error) : status;
  status = status == PF_OK ? pf_closed_loop_check(a->run, a->task, error) : status;
  return status == PF_OK ? pf_run_folder_fit(how->from, a->run, &a->fit, error) : status;
}

/** RUN/simulated.csv, whole or not at all, and the report with it. */
static pf_status write_into_run(const arguments *how, const acting *a, pf_error *error)
{
  pf_text part = {0};
  pf_text_add(&part, "%s.part", a->target);
  pf_status status = part.failed ? pf_fail(error, PF_STOP, "out of memory")
                                 : pf_simulated_table(a->task, &a->task->data, part.text, error);
  if (status == PF_OK && rename(part.text, a->target) != 0) {
    status = pf_fail(error, PF_STOP, "cannot rename '%s' to '%s': %s", part.text, a->target,
                     strerror(errno));
  }
  if (status != PF_OK && part.text != NULL) {
    (void)unlink(part.text);
  }
  pf_text_free(&part);
  return status == PF_OK && a->run->settings->report ? pf_html_write(how->from, error) : status;
}

static int act(const arguments *how)
{
  pf_error error = pf_error_none();
  acting a = {0};
  int code = PF_EXIT_MISUSED;
  pf_status status = make(how, &a, &error);
  if (status == PF_OK) {
    code = PF_EXIT_FAILED;
    status = pf_closed_loop(a.run, a.fit, a.task, how->repeats, &a.task->data, &error);
  }
  const size_t n = status == PF_OK ? a.task->data.n_animals : 0;
  if (status == PF_OK && n == 0) {
    status = pf_fail(&error, PF_STOP, "no animal of '%s' could be put into the task", how->from);
  }
  if (status == PF_OK && how->out != NULL) {
    status = pf_simulated_write(a.task, a.task_config, how->out, how->force, &error);
    if (status == PF_OK) {
      say_folder(how, n, how->out);
    }
  } else if (status == PF_OK) {
    status = write_into_run(how, &a, &error);
    if (status == PF_OK && !how->quiet) {
      (void)printf("%zu %s lived by the fitted rule, in %s%s\n", n, n == 1 ? "animal" : "animals",
                   a.target,
                   a.run->settings->report
                       ? "; report.html beside it compares them with the animals it was fitted to"
                       : "");
    }
  }
  code = status == PF_OK ? PF_EXIT_DONE : pf_cli_say(code, "%s", error.text);
  acting_clear(&a);
  return code;
}

int pf_command_simulate(int argc, char **argv)
{
  arguments how = {.repeats = 1};
  const pf_cli_option options[] = {
      {"--from", NULL, &how.from},   {"--task", NULL, &how.task},
      {"--out", NULL, &how.out},     {"--repeats", NULL, &how.repeats_given},
      {"--force", &how.force, NULL}, {"--quiet", &how.quiet, NULL}};
  const pf_cli_syntax syntax = {.command = "simulate",
                                .usage = usage,
                                .one = "config",
                                .takes_keys = true,
                                .options = options,
                                .n_options = sizeof options / sizeof options[0]};
  int code = pf_cli_parse(&syntax, argc, argv, &how.given);
  if (code == PF_EXIT_DONE && !how.given.help) {
    how.config = how.given.subject;
    code = how.repeats_given != NULL ? read_repeats(how.repeats_given, &how.repeats) : PF_EXIT_DONE;
    code = code == PF_EXIT_DONE ? check_arguments(&how) : code;
    if (code == PF_EXIT_DONE) {
      code = how.from != NULL ? act(&how) : simulate(&how);
    }
  }
  pf_cli_arguments_free(&how.given);
  return code;
}
