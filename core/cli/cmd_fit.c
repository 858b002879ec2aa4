#include "core/base/memory.h"
#include "core/check/check.h"
#include "core/check/check_task.h"
#include "core/check/check_warnings.h"
#include "core/command_line/arguments.h"
#include "core/command_line/command.h"
#include "core/command_line/interrupt.h"
#include "core/command_line/json_output.h"
#include "core/evaluate/closed_loop.h"
#include "core/evaluate/evaluate.h"
#include "core/fit/fit.h"
#include "core/infer/improve.h"
#include "core/marginal/marginal.h"
#include "core/population/fit_population.h"
#include "core/problem/problem.h"
#include "core/report/save_run.h"
#include "core/terminal/meter.h"
#include "core/terminal/population_lines.h"
#include "core/terminal/run_summary.h"

typedef struct arguments {
  pf_cli_arguments given; /**< subject: the config */
  bool force;
} arguments;

static const char *const usage =
    "Usage: plastfit fit CONFIG [key=value ...] [OPTION ...]\n"
    "\n"
    "Reads or simulates the data that CONFIG names, fits the rule, evaluates it, and writes the\n"
    "run folder.\n"
    "\n"
    "  key=value       replaces a key of the config: fit.epochs=50  losses.[0].weight=2\n"
    "                  source.path='../x/Fly*.mat'\n"
    "                  (plastfit describe config, plastfit describe NAME list the keys)\n";

static const char *const after = "Ctrl-C stops at the next step of the optimiser. What was found "
                                 "so far is kept, and the run is\n"
                                 "marked as interrupted. Ctrl-C twice stops at once.\n";

/** The parameter that grows most where a likelihood has no maximum. */
static const char *name_runaway(const pf_fit_group *group)
{
  const pf_layout *layout = group->layout;
  const size_t instance = layout->index[group->runs_off_most];
  return layout->parameters[layout->instances[instance].parameter].declared.name;
}

/** A fit on which nothing rests: why, and what may help. */
static int report_verdict(const pf_fit_group *group)
{
  switch (pf_fit_verdict(group)) {
  case PF_FIT_FAILED:
    return pf_cli_say(PF_EXIT_FAILED, "%s: the fit failed: %s", group->name, group->error.text);
  case PF_FIT_NOT_CONVERGED:
    return pf_cli_say(PF_EXIT_FAILED,
                      "%s: not converged (%s): no result rests on this fit; more fit.iterations or "
                      "fit.starts may help, or fewer terms",
                      group->name, pf_reason_words(group->optimum.reason));
  case PF_FIT_SEPARATION:
    return pf_cli_say(
        PF_EXIT_FAILED,
        "%s: separation: the likelihood goes on rising while parameters grow without "
        "end (%s most), so there is no estimate; fewer terms, or a penalty (penalty.l2), have one",
        group->name, name_runaway(group));
  case PF_FIT_WORSE_THAN_NULL:
    return pf_cli_say(PF_EXIT_FAILED,
                      "%s: worse than no plasticity: with all terms 0 the same data have a lower "
                      "objective; more fit.starts may help",
                      group->name);
  default:
    return PF_EXIT_DONE;
  }
}

/** A fit and what follows it; NULL where it was not come to. */
typedef struct results {
  pf_fit *fit;
  pf_inference *inference;
  pf_animal_population *population;
  pf_evaluation *evaluation;
  pf_dataset closed_loop; /* the fitted rule in the task of the data */
  pf_folder folder;       /* of the results, until they are in their place */
} results;

/** One fit of all animals: it says once that it did not converge. */
static int report_population(const pf_population_fit *found)
{
  return found->converged
             ? PF_EXIT_DONE
             : pf_cli_say(PF_EXIT_FAILED,
                          "the population's fit did not converge in %lld rounds: no result rests "
                          "on it; fewer terms, population.shared or population.centre=modes may "
                          "help",
                          (long long)found->n_rounds);
}

/** Fits that failed or amount to nothing, each with its reason. */
static int report_failures(const results *from)
{
  const pf_fit *fit = from->fit;
  const pf_evaluation *evaluation = from->evaluation;
  int code = PF_EXIT_DONE;
  if (from->population != NULL) {
    code = report_population(from->population->fit);
  }
  for (size_t i = 0; from->population == NULL && i < fit->n_groups; i++) {
    const int one = report_verdict(&fit->groups[i]);
    code = one != PF_EXIT_DONE ? one : code;
  }
  for (size_t i = 0; i < evaluation->n_animals; i++) {
    const pf_animal_result *animal = &evaluation->animals[i];
    if (animal->status != PF_OK &&
        (animal->unit >= fit->n_groups || fit->groups[animal->unit].status == PF_OK)) {
      code = pf_cli_say(PF_EXIT_FAILED, "%s: the evaluation failed: %s", animal->name,
                        animal->error.text);
    }
  }
  return code;
}

/** One line for a fit that was stopped; what there is was kept. */
static int report_interruption(const char *out, const pf_fit *fit)
{
  const size_t n_done = fit->n_groups - fit->n_failed;
  if (fit->n_groups == 1) {
    return pf_cli_say(PF_EXIT_FAILED,
                      "%s; the last theta is in '%s' (plastfit evaluate %s scores it)",
                      fit->groups[0].error.text, out, out);
  }
  return pf_cli_say(
      PF_EXIT_FAILED,
      "interrupted with %zu of %zu fits done; they, and the last theta of the others, are in '%s'",
      n_done, fit->n_groups, out);
}

/** One line for an evaluation that was stopped: the fits are whole. */
static int report_unscored(const char *out, const pf_evaluation *evaluation)
{
  return pf_cli_say(PF_EXIT_FAILED,
                    "interrupted with %zu of %zu animals scored; the fits are done, in '%s' "
                    "(plastfit evaluate %s scores them)",
                    evaluation->n_animals - evaluation->n_interrupted, evaluation->n_animals, out,
                    out);
}

/** A population's fit has its intervals from its own model: out->inference stays NULL. */
static pf_status fit_and_infer(const pf_problem *problem, const pf_observer *observer, results *out,
                               pf_error *error)
{
  if (problem->settings->fit.per == PF_FIT_POPULATION) {
    return pf_fit_population(problem, observer, &out->fit, &out->population, error);
  }
  const pf_status status = pf_estimate(problem, NULL, observer, &out->fit, error);
  return status == PF_OK ? pf_infer_and_improve(problem, out->fit, observer, &out->inference, error)
                         : status;
}

static pf_status compute_results(const pf_problem *problem, const arguments *how, results *out,
                                 pf_error *error)
{
  const pf_progress progress = how->given.quiet ? NULL : pf_meter_show;
  pf_meter meter;
  pf_meter_start(&meter);
  pf_interrupt_watch();
  const pf_observer observer = {progress, pf_interrupt_asked, &meter};
  pf_status status = fit_and_infer(problem, &observer, out, error);
  if (status != PF_OK) {
    goto done;
  }
  /* what an interrupted fit has done is scored: the second Ctrl-C ends that */
  const pf_stop stop = out->fit->n_interrupted > 0 ? NULL : pf_interrupt_asked;
  status = pf_evaluate(problem, out->fit, &(pf_observer){progress, stop, &meter}, &out->evaluation,
                       error);
done:
  pf_meter_end(&meter);
  return status;
}

static pf_status run_fit(const pf_problem *problem, const arguments *how, results *out,
                         pf_error *error)
{
  if (compute_results(problem, how, out, error) != PF_OK ||
      pf_closed_loop_of_fit(problem, out->fit, &out->closed_loop, error) != PF_OK) {
    return PF_STOP;
  }
  pf_meter meter;
  pf_meter_start(&meter);
  if (!how->given.quiet) {
    pf_meter_say(&meter, "writing the report and its figures");
  }
  const pf_report_parts parts = {problem,         out->fit,          out->inference,
                                 out->evaluation, &out->closed_loop, out->population};
  const pf_status written = pf_report_write(&parts, how->force, &out->folder, error);
  pf_meter_end(&meter);
  if (written != PF_OK) {
    return PF_STOP;
  }
  const pf_fit *fit = out->fit;
  if (how->given.json) {
    (void)pf_cli_print_json_of(out->folder.out, "summary.json");
    return PF_OK;
  }
  if (how->given.quiet || (fit->n_interrupted > 0 && fit->n_failed == fit->n_groups)) {
    return PF_OK;
  }
  if (pf_report_print(problem, fit, out->inference, out->evaluation, stdout, error) != PF_OK) {
    return PF_STOP;
  }
  return out->population == NULL
             ? PF_OK
             : pf_population_print(problem, fit, out->population, stdout, error);
}

static int report_results(const results *from)
{
  if (from->fit->n_interrupted > 0) {
    return report_interruption(from->folder.out, from->fit);
  }
  if (from->evaluation->n_interrupted > 0) {
    return report_unscored(from->folder.out, from->evaluation);
  }
  return report_failures(from);
}

/** From here on the config is sound, so that what fails is no fault of how the program was used. */
static int fit_problem(const pf_problem *problem, const arguments *how, const pf_folder *folder)
{
  pf_error error = pf_error_none();
  results found = {.folder = *folder};
  if (!how->given.quiet) {
    (void)pf_check_warn_task(problem, "plastfit: warning: ", stderr);
    (void)pf_check_warn_choices(problem, "plastfit: warning: ", stderr);
  }
  if (how->given.verbose && pf_check_print_plan(problem, stderr, &error) != PF_OK) {
    (void)pf_cli_say(PF_EXIT_FAILED, "%s", error.text);
    pf_folder_end(&found.folder);
    return PF_EXIT_FAILED;
  }
  const pf_status status = run_fit(problem, how, &found, &error);
  const int code =
      status == PF_OK ? report_results(&found) : pf_cli_say(PF_EXIT_FAILED, "%s", error.text);
  pf_inference_free(found.inference);
  pf_fit_population_free(found.population);
  pf_evaluation_free(found.evaluation);
  pf_dataset_free(&found.closed_loop);
  pf_fit_free(problem, found.fit);
  pf_folder_end(&found.folder);
  return code;
}

static pf_status make_problem(const arguments *how, pf_config **config, pf_problem **problem,
                              pf_folder *folder, pf_error *error)
{
  const pf_cli_arguments *given = &how->given;
  const char *out = NULL;
  if (pf_config_read(given->subject, given->overrides, given->n_overrides, config, error) !=
      PF_OK) {
    return PF_STOP;
  }
  /* before the data are read, which may take a while */
  if (pf_node_string(pf_node_get(pf_config_root(*config), "out"), &out) &&
      pf_report_check_out(out, how->force, error) != PF_OK) {
    return PF_STOP;
  }
  pf_meter meter;
  pf_meter_start(&meter);
  if (!how->given.quiet) {
    pf_meter_say(&meter, "reading the data");
  }
  const pf_status made = pf_problem_create(*config, problem, error);
  pf_meter_end(&meter);
  if (made != PF_OK) {
    return PF_STOP;
  }
  return pf_report_begin(*problem, how->force, folder, error);
}

static int fit_config(const arguments *how)
{
  pf_error error = pf_error_none();
  pf_config *config = NULL;
  pf_problem *problem = NULL;
  pf_folder folder;
  const pf_status status = make_problem(how, &config, &problem, &folder, &error);
  const int code = status == PF_OK ? fit_problem(problem, how, &folder)
                                   : pf_cli_say(PF_EXIT_MISUSED, "%s", error.text);
  pf_problem_free(problem);
  pf_config_free(config);
  return code;
}

static const pf_cli_option options[] = {
    PF_CLI_FORCE(arguments, "replace an earlier run in the same folder"),
    PF_CLI_QUIET(arguments, "no progress and no summary"),
    PF_CLI_VERBOSE(arguments, "show the plan first: passes, memory, time"),
    PF_CLI_JSON(arguments, "print summary.json of the run in place of the summary"),
};
static const pf_cli_syntax syntax = {.usage = usage,
                                     .after = after,
                                     .one = "config",
                                     .wants = "a CONFIG, such as configs/quickstart.cfg",
                                     .words = "CONFIG",
                                     .takes_keys = true,
                                     .options = options,
                                     .n_options = sizeof options / sizeof options[0]};

static int run_command(int argc, char **argv)
{
  arguments how = {.force = false};
  int code = pf_cli_parse(&pf_command_fit, argc, argv, &how, &how.given);
  if (code == PF_EXIT_DONE && !how.given.help) {
    code = fit_config(&how);
  }
  pf_cli_arguments_free(&how.given);
  return code;
}

const pf_command pf_command_fit = {
    .name = "fit",
    .synopsis = "CONFIG [key=value ...]",
    .summary = "infer a rule from data: fit, evaluate, report",
    .syntax = &syntax,
    .run = run_command,
};
