/* A training run of the reference, step by step, and again through pf_fit_run, which is what
 * `plastfit fit` calls. */
#include "core/base/memory.h"
#include "core/fit/fit.h"
#include "core/fit/objective.h"
#include "core/layout/layout.h"
#include "core/optimise/adam.h"
#include "tests/goldens/compare.h"
#include <string.h>

static pf_status read_adam(const json_t *root, pf_fit_settings *fit, pf_error *error)
{
  static const char *const known[] = {"learning_rate", "b1", "b2", "eps", "one_step_per", NULL};
  const json_t *adam = json_object_get(root, "adam");
  const char *step = NULL;
  pf_status status = golden_check_keys(adam, "adam", known, error);
  status = status == PF_OK ? golden_number(adam, "learning_rate", GOLDEN_NULL_IS_WRONG,
                                           &fit->learning_rate, error)
                           : status;
  status = status == PF_OK ? golden_number(adam, "b1", GOLDEN_NULL_IS_WRONG, &fit->beta1, error)
                           : status;
  status = status == PF_OK ? golden_number(adam, "b2", GOLDEN_NULL_IS_WRONG, &fit->beta2, error)
                           : status;
  status = status == PF_OK ? golden_number(adam, "eps", GOLDEN_NULL_IS_WRONG, &fit->epsilon, error)
                           : status;
  status = status == PF_OK ? golden_string(adam, "one_step_per", &step, error) : status;
  if (status == PF_OK && strncmp(step, "experiment", strlen("experiment")) != 0) {
    status = pf_fail(error, PF_STOP,
                     "adam.one_step_per: found '%s', this program knows 'experiment, ...'", step);
  }
  return status;
}

/* Rows of `epochs` must be in order; *n_passes is what the last one needs. */
static pf_status check_epochs(const json_t *epochs, int64_t *n_passes, pf_error *error)
{
  static const char *const known[] = {"epoch", "losses", "theta", NULL};
  pf_status status =
      json_array_size(epochs) > 0 ? PF_OK : pf_fail(error, PF_STOP, "epochs: expected a list");
  *n_passes = 0;
  for (size_t k = 0; k < json_array_size(epochs) && status == PF_OK; k++) {
    int64_t epoch = 0;
    status = golden_check_keys(json_array_get(epochs, k), "epochs", known, error);
    status = status == PF_OK ? golden_integer(json_array_get(epochs, k), "epoch", &epoch, error)
                             : status;
    if (status == PF_OK && epoch < *n_passes) {
      status = pf_fail(error, PF_STOP, "epochs: found epoch %lld after epoch %lld",
                       (long long)epoch, (long long)*n_passes - 1);
    }
    *n_passes = epoch + 1;
  }
  return status;
}

/* What the file says of a pass, or NULL. */
static const json_t *row_of(const json_t *epochs, int64_t epoch)
{
  for (size_t k = 0; k < json_array_size(epochs); k++) {
    if (json_integer_value(json_object_get(json_array_get(epochs, k), "epoch")) == epoch) {
      return json_array_get(epochs, k);
    }
  }
  return NULL;
}

/* theta after a pass, and, where given, the losses [n_losses] of its steps (or their mean) before
 * each step. */
static pf_status compare_pass(const golden_case *golden, const json_t *row,
                              const char *const names[2], const double *theta, const double *losses,
                              bool mean_of_losses, golden_report *report, pf_error *error)
{
  const size_t n_theta = golden->lab.model->n_parameters;
  const size_t n_losses = golden->problem.data.n;
  const json_t *list = json_object_get(row, "losses");
  double *expected = pf_memory_need(n_theta + n_losses, sizeof *expected, error);
  pf_status status = expected == NULL ? PF_STOP : PF_OK;
  if (status == PF_OK) {
    status =
        golden_case_theta(golden, json_object_get(row, "theta"), "epochs.theta", expected, error);
  }
  if (status == PF_OK) {
    golden_compare(report, names[0], theta, expected, n_theta);
  }
  if (status == PF_OK && list != NULL) {
    status = golden_numbers(list, "epochs.losses", GOLDEN_NULL_IS_WRONG, n_losses, expected, error);
    double sum = 0.0;
    for (size_t d = 0; d < n_losses; d++) {
      sum += expected[d];
    }
    expected[0] = mean_of_losses ? sum / (double)n_losses : expected[0];
    if (status == PF_OK) {
      golden_compare(report, names[1], losses, expected, mean_of_losses ? 1 : n_losses);
    }
  }
  pf_memory_free(expected);
  return status;
}

/* Everything that the plain loop holds. */
typedef struct loop {
  pf_draw **draws;           /**< [n] */
  pf_batch **batches;        /**< [n] */
  double *losses;            /**< [n] */
  double *theta;             /**< [n_parameters] */
  double *values, *gradient; /**< [layout->n] the free ones of it */
  pf_workspace *workspace;
  pf_layout *layout; /**< of one recording: nothing has copies, so that slots are theta */
  pf_adam *adam;
  size_t n;
} loop;

static pf_status loop_create(const golden_case *golden, loop *out, pf_error *error)
{
  const pf_problem *problem = &golden->problem;
  const pf_model *model = problem->model;
  const pf_optimiser_settings settings = {.learning_rate = problem->settings->fit.learning_rate,
                                          .beta1 = problem->settings->fit.beta1,
                                          .beta2 = problem->settings->fit.beta2,
                                          .epsilon = problem->settings->fit.epsilon};
  int64_t longest = 0;
  out->n = problem->data.n;
  out->draws = pf_memory_need(out->n, sizeof *out->draws, error);
  out->batches = pf_memory_need(out->n, sizeof *out->batches, error);
  out->losses = pf_memory_need(out->n, sizeof *out->losses, error);
  out->theta = pf_memory_need(model->n_parameters, sizeof *out->theta, error);
  out->gradient = pf_memory_need(model->n_parameters, sizeof *out->gradient, error);
  out->values = pf_memory_need(model->n_parameters, sizeof *out->values, error);
  if (out->draws == NULL || out->batches == NULL || out->losses == NULL || out->theta == NULL ||
      out->values == NULL || out->gradient == NULL) {
    return PF_STOP;
  }
  pf_status status = PF_OK;
  for (size_t d = 0; d < out->n && status == PF_OK; d++) {
    longest = problem->data.recordings[d].n_steps > longest ? problem->data.recordings[d].n_steps
                                                            : longest;
    status =
        pf_problem_draw(problem, &(pf_draw_id){&problem->data, d, 0, false}, &out->draws[d], error);
    status = status == PF_OK ? pf_batch_create(model, (const pf_draw *const *)&out->draws[d], 1,
                                               &out->batches[d], error)
                             : status;
  }
  status = status == PF_OK ? pf_workspace_create(model, longest, &out->workspace, error) : status;
  status =
      status == PF_OK
          ? pf_layout_create(&(pf_layout_in){model->parameters, model->n_parameters, NULL, NULL, 1},
                             &out->layout, error)
          : status;
  return status == PF_OK ? pf_adam_create(&settings, out->layout->lower, out->layout->upper,
                                          out->layout->n, &out->adam, error)
                         : status;
}

static void loop_free(const golden_case *golden, loop *run)
{
  for (size_t d = 0; d < run->n; d++) {
    if (run->batches != NULL) {
      pf_batch_free(run->batches[d]);
    }
    if (run->draws != NULL) {
      pf_draw_free(golden->lab.model, run->draws[d]);
    }
  }
  pf_workspace_free(run->workspace);
  pf_adam_free(run->adam);
  pf_layout_free(run->layout);
  pf_memory_free(run->draws);
  pf_memory_free(run->batches);
  pf_memory_free(run->losses);
  pf_memory_free(run->theta);
  pf_memory_free(run->values);
  pf_memory_free(run->gradient);
}

/* One step per experiment, in order: every loss of every step is seen here. */
static pf_status compare_loop(const golden_case *golden, loop *run, golden_report *report,
                              pf_error *error)
{
  static const char *const names[2] = {"theta step by step", "losses"};
  const json_t *epochs = json_object_get(golden->root, "epochs");
  pf_status status = golden_case_theta(golden, json_object_get(golden->root, "theta0"), "theta0",
                                       run->theta, error);
  if (status == PF_OK) {
    pf_layout_values(run->layout, run->theta, run->values);
  }
  for (int64_t epoch = 0; epoch < golden->problem.settings->fit.epochs && status == PF_OK;
       epoch++) {
    for (size_t d = 0; d < run->n && status == PF_OK; d++) {
      const pf_objective_in in = {.problem = &golden->problem,
                                  .layout = run->layout,
                                  .batch = run->batches[d],
                                  .values = run->values,
                                  .workspaces = &run->workspace,
                                  .n_workspaces = 1};
      pf_objective_out out = {.gradient = run->gradient};
      status = pf_objective(&in, &out, error);
      run->losses[d] = out.objective;
      if (status == PF_OK) {
        pf_adam_step(run->adam, run->values, run->gradient);
      }
    }
    const json_t *row = row_of(epochs, epoch);
    pf_layout_theta(run->layout, run->values, 0, run->theta);
    if (status == PF_OK && row != NULL) {
      status = compare_pass(golden, row, names, run->theta, run->losses, false, report, error);
    }
  }
  return status;
}

/* The same as a user runs it: one animal, its experiments in order, start and settings from the
 * config. */
static pf_status compare_fit(golden_case *golden, golden_report *report, pf_error *error)
{
  static const char *const names[2] = {"theta by pf_fit_run", "mean losses"};
  const json_t *epochs = json_object_get(golden->root, "epochs");
  pf_model *model = golden->lab.model;
  pf_fit *fit = NULL;
  double *theta0 = pf_memory_need(model->n_parameters, sizeof *theta0, error);
  pf_status status = theta0 == NULL
                         ? PF_STOP
                         : golden_case_theta(golden, json_object_get(golden->root, "theta0"),
                                             "theta0", theta0, error);
  for (size_t i = 0; i < model->n_parameters && status == PF_OK; i++) {
    model->parameters[i].declared.initial = theta0[i];
    model->parameters[i].declared.initial_sd = 0.0;
  }
  status = status == PF_OK ? pf_fit_run(&golden->problem, NULL, NULL, NULL, &fit, error) : status;
  if (status == PF_OK && fit->n_failed > 0) {
    status = pf_fail(error, PF_STOP, "pf_fit_run: %s", fit->groups[0].error.text);
  }
  for (size_t r = 1; status == PF_OK && r < fit->groups[0].n_rows; r++) {
    const json_t *row =
        row_of(epochs, fit->groups[0].rows[r].epoch - 1); /* the file counts passes from 0 */
    if (row != NULL) {
      pf_layout_theta(fit->groups[0].layout,
                      &fit->groups[0].row_values[r * fit->groups[0].layout->n], 0, theta0);
      status = compare_pass(golden, row, names, theta0, &fit->groups[0].rows[r].objective, true,
                            report, error);
    }
  }
  pf_fit_free(&golden->problem, fit);
  pf_memory_free(theta0);
  return status;
}

pf_status golden_compare_training(golden_case *golden, golden_report *report, pf_error *error)
{
  loop run = {0};
  pf_fit_settings *fit = &golden->problem.settings->fit;
  pf_status status = read_adam(golden->root, fit, error);
  status = status == PF_OK
               ? check_epochs(json_object_get(golden->root, "epochs"), &fit->epochs, error)
               : status;
  if (status == PF_OK) {
    fit->per = PF_FIT_PER_ANIMAL;
    fit->batch = PF_BATCH_DRAW;
    fit->log_every = 1;
    status = loop_create(golden, &run, error);
  }
  status = status == PF_OK ? compare_loop(golden, &run, report, error) : status;
  status = status == PF_OK ? compare_fit(golden, report, error) : status;
  loop_free(golden, &run);
  return status;
}
