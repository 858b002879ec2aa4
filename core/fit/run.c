#include "core/base/memory.h"
#include "core/base/threads.h"
#include "core/fit/adam.h"
#include "core/fit/objective.h"
#include "core/fit/ticker.h"
#include "core/fit/units.h"
#include <string.h>

/* How threads are shared out: over units, or inside the objective of one unit after the other. */
typedef struct thread_plan {
  int outer, inner;
  pf_workspace **workspaces; /* [max(outer, inner)] */
  int n_workspaces;
} thread_plan;

/* What one unit needs while it is fitted. */
typedef struct unit_run {
  const pf_problem *problem;
  pf_fit_unit *unit;
  pf_workspace *const *workspaces;
  size_t n_workspaces;
  pf_batch **batches; /* one optimiser step each, in order */
  size_t n_batches;
  pf_adam *adam;
  double *gradient; /* [layout->n] */
  double *good;     /* [layout->n] the last values whose objective could be computed */
  pf_stop stop;     /* MAY be NULL */
  void *payload;    /* of stop */
} unit_run;

static void copy_values(const pf_fit_unit *unit, const double *from, double *to)
{
  if (unit->layout->n > 0) {
    memcpy(to, from, unit->layout->n * sizeof *to);
  }
}

/* Add to a line that the engine wrote where in the fit it happened: that, only the fit knows. */
static void add_where(const pf_problem *problem, pf_fit_unit *unit, int64_t epoch, size_t step)
{
  char line[PF_ERROR_LENGTH];
  memcpy(line, unit->error.text, sizeof line);
  char where[96];
  if (problem->fit.batch == PF_BATCH_FULL) {
    (void)snprintf(where, sizeof where, " (at epoch %lld)", (long long)epoch);
  } else {
    (void)snprintf(where, sizeof where, " (at epoch %lld, draw %zu)", (long long)epoch, step / unit->n_recordings);
  }
  const int room = (int)(sizeof line - sizeof where); /* a very long line is cut rather than the place */
  (void)snprintf(unit->error.text, sizeof unit->error.text, "%.*s%s", room, line, where);
}

static void log_row(pf_fit_unit *unit, int64_t epoch, double objective, double data_term)
{
  unit->rows[unit->n_rows] = (pf_fit_row){.epoch = epoch, .objective = objective, .data_term = data_term};
  copy_values(unit, unit->values, &unit->row_values[unit->n_rows * unit->layout->n]);
  unit->n_rows++;
}

static bool asked_to_stop(const unit_run *run)
{
  return run->stop != NULL && run->stop(run->payload);
}

static pf_status interrupt(unit_run *run, int64_t epoch)
{
  pf_fit_unit *unit = run->unit;
  unit->interrupted = true;
  return pf_fail(&unit->error, PF_POINT_FAILED, "interrupted in epoch %lld of %lld", (long long)epoch,
                 (long long)run->problem->fit.epochs);
}

/* One pass over the batches. With `step`, the optimiser moves after each; without, only the means are wanted. */
static pf_status pass(unit_run *run, int64_t epoch, bool step, double *objective, double *data_term)
{
  const pf_problem *problem = run->problem;
  pf_fit_unit *unit = run->unit;
  double sum_objective = 0.0;
  double sum_data = 0.0;
  for (size_t b = 0; b < run->n_batches; b++) {
    if ((step || epoch == 0) && asked_to_stop(run)) { /* after the last step there is nothing to stop */
      return interrupt(run, epoch);
    }
    double value = 0.0;
    double data = 0.0;
    const pf_status status = pf_objective(problem, unit->layout, run->batches[b], unit->values, run->workspaces,
                                          run->n_workspaces, &data, &value, step ? run->gradient : NULL, &unit->error);
    if (status != PF_OK) {
      add_where(problem, unit, epoch, b);
      return status;
    }
    sum_objective += value;
    sum_data += data;
    copy_values(unit, unit->values, run->good);
    if (step) {
      pf_adam_step(run->adam, unit->values, run->gradient);
    }
  }
  *objective = sum_objective / (double)run->n_batches;
  *data_term = sum_data / (double)run->n_batches;
  return PF_OK;
}

static pf_status make_batches(unit_run *run)
{
  pf_fit_unit *unit = run->unit;
  const bool full = run->problem->fit.batch == PF_BATCH_FULL;
  const size_t n = full ? 1 : unit->n_draws;
  const size_t per_batch = full ? unit->n_draws : 1;
  if (unit->n_draws == 0) {
    return pf_fail(&unit->error, PF_STOP, "'%s' has no draws to fit; `draws` must be at least 1", unit->name);
  }
  run->batches = pf_memory_need(n, sizeof *run->batches, &unit->error);
  if (run->batches == NULL) {
    return PF_STOP;
  }
  for (size_t b = 0; b < n; b++) {
    const pf_draw *const *draws = (const pf_draw *const *)&unit->draws[b * per_batch];
    const pf_status status = pf_batch_create(run->problem->model, draws, per_batch, &run->batches[b], &unit->error);
    if (status != PF_OK) {
      return status;
    }
    run->n_batches++;
  }
  return PF_OK;
}

static pf_status prepare(unit_run *run)
{
  const pf_problem *problem = run->problem;
  const pf_adam_settings settings = {.learning_rate = problem->fit.learning_rate,
                                     .beta1 = problem->fit.beta1,
                                     .beta2 = problem->fit.beta2,
                                     .epsilon = problem->fit.epsilon};
  pf_error *error = &run->unit->error;
  const pf_layout *layout = run->unit->layout;
  run->gradient = pf_memory_need(layout->n, sizeof *run->gradient, error);
  run->good = pf_memory_need(layout->n, sizeof *run->good, error);
  if (run->gradient == NULL || run->good == NULL) {
    return PF_STOP;
  }
  copy_values(run->unit, run->unit->values, run->good);
  const pf_status status = pf_adam_create(&settings, layout->lower, layout->upper, layout->n, &run->adam, error);
  return status != PF_OK ? status : make_batches(run);
}

static void release(unit_run *run)
{
  for (size_t b = 0; b < run->n_batches; b++) {
    pf_batch_free(run->batches[b]);
  }
  pf_memory_free(run->batches);
  pf_adam_free(run->adam);
  pf_memory_free(run->gradient);
  pf_memory_free(run->good);
}

/* All epochs of a unit that is prepared. Row 0 is the start; row e has the means over pass e and theta after it. */
static pf_status all_epochs(unit_run *run, pf_ticker *ticker)
{
  const pf_problem *problem = run->problem;
  const pf_fit_settings *fit = &problem->fit;
  double objective = 0.0;
  double data_term = 0.0;
  pf_status status = pass(run, 0, false, &objective, &data_term);
  if (status != PF_OK) {
    return status;
  }
  log_row(run->unit, 0, objective, data_term);
  for (int64_t epoch = 1; epoch <= fit->epochs; epoch++) {
    status = pass(run, epoch, true, &objective, &data_term);
    if (status != PF_OK) {
      return status;
    }
    if (epoch == fit->epochs || (fit->log_every > 0 && epoch % fit->log_every == 0)) {
      log_row(run->unit, epoch, objective, data_term);
    }
    pf_ticker_add(ticker, (int64_t)run->unit->n_draws);
  }
  /* The last step has not been looked at by any pass: a theta from which nothing can be simulated is no estimate. */
  return fit->epochs > 0 ? pass(run, fit->epochs, false, &objective, &data_term) : PF_OK;
}

static void run_unit(const pf_problem *problem, pf_fit_unit *unit, pf_workspace *const *workspaces, size_t n_workspaces,
                     pf_stop stop, pf_ticker *ticker)
{
  if (unit->status != PF_OK) {
    return; /* its draws could not be made */
  }
  unit_run run = {.problem = problem,
                  .unit = unit,
                  .workspaces = workspaces,
                  .n_workspaces = n_workspaces,
                  .stop = stop,
                  .payload = ticker->payload};
  unit->status = prepare(&run);
  if (unit->status == PF_OK) {
    unit->status = all_epochs(&run, ticker);
    if (unit->status != PF_OK) {
      copy_values(unit, run.good, unit->values);
    }
  }
  release(&run);
}

static thread_plan plan_threads(const pf_problem *problem, size_t n_units)
{
  const int n_threads = problem->fit.n_threads > 1 ? problem->fit.n_threads : 1;
  thread_plan plan = {.outer = 1, .inner = 1};
  if (problem->fit.batch == PF_BATCH_FULL && n_units < (size_t)n_threads) {
    plan.inner = n_threads;
  } else {
    plan.outer = n_units < (size_t)n_threads ? (int)n_units : n_threads;
  }
  plan.n_workspaces = plan.outer > plan.inner ? plan.outer : plan.inner;
  return plan;
}

int pf_fit_n_threads(const pf_problem *problem, size_t n_units)
{
  return plan_threads(problem, n_units).n_workspaces;
}

static pf_status make_workspaces(const pf_problem *problem, thread_plan *plan, pf_error *error)
{
  int64_t n_steps = 0;
  for (size_t i = 0; i < problem->data.n; i++) {
    n_steps = problem->data.recordings[i].n_steps > n_steps ? problem->data.recordings[i].n_steps : n_steps;
  }
  plan->workspaces = pf_memory_need((size_t)plan->n_workspaces, sizeof(pf_workspace *), error);
  if (plan->workspaces == NULL) {
    return PF_STOP;
  }
  for (int t = 0; t < plan->n_workspaces; t++) {
    const pf_status status = pf_workspace_create(problem->model, n_steps, &plan->workspaces[t], error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

static void free_workspaces(thread_plan *plan)
{
  for (int t = 0; plan->workspaces != NULL && t < plan->n_workspaces; t++) {
    pf_workspace_free(plan->workspaces[t]);
  }
  pf_memory_free(plan->workspaces);
}

static int64_t count_work(const pf_problem *problem, const pf_fit *fit)
{
  int64_t n = 0;
  for (size_t u = 0; u < fit->n_units; u++) {
    n += fit->units[u].status == PF_OK ? (int64_t)fit->units[u].n_draws * problem->fit.epochs : 0;
  }
  return n;
}

/* Results do not depend on the schedule: a unit shares nothing with another but the workspace's memory. */
static void run_units(const pf_problem *problem, pf_fit *fit, const thread_plan *plan, pf_stop stop, pf_ticker *ticker)
{
  const int64_t n = (int64_t)fit->n_units;
#pragma omp parallel for schedule(dynamic) num_threads(plan->outer) if (plan->outer > 1)
  for (int64_t u = 0; u < n; u++) {
    pf_workspace *const *workspaces = plan->inner > 1 ? plan->workspaces : &plan->workspaces[pf_this_thread()];
    run_unit(problem, &fit->units[u], workspaces, (size_t)plan->inner, stop, ticker);
  }
}

/* PF_STOP when every unit was stopped: then there is no result at all, and the first line says why. */
static pf_status judge(pf_fit *fit, pf_error *error)
{
  size_t n_stopped = 0;
  for (size_t u = 0; u < fit->n_units; u++) {
    fit->n_failed += fit->units[u].status != PF_OK ? 1 : 0;
    fit->n_interrupted += fit->units[u].interrupted ? 1 : 0;
    n_stopped += fit->units[u].status < 0 ? 1 : 0;
  }
  if (n_stopped == fit->n_units) {
    return pf_fail(error, PF_STOP, "%s", fit->units[0].error.text);
  }
  return PF_OK;
}

pf_status pf_fit_run(const pf_problem *problem, pf_progress progress, pf_stop stop, void *payload, pf_fit **out,
                     pf_error *error)
{
  if (problem->fit.optimiser != NULL && strcmp(problem->fit.optimiser, "adam") != 0) {
    return pf_fail(error, PF_STOP, "there is no optimiser '%s'; choose adam", problem->fit.optimiser);
  }
  const double started = pf_clock_seconds();
  pf_fit *fit = pf_memory_need(1, sizeof *fit, error);
  if (fit == NULL) {
    return PF_STOP;
  }
  thread_plan plan = {0};
  pf_status status = pf_fit_units_create(problem, fit, error);
  if (status == PF_OK) {
    plan = plan_threads(problem, fit->n_units);
    status = make_workspaces(problem, &plan, error);
  }
  if (status == PF_OK) {
    pf_ticker ticker;
    pf_ticker_start(&ticker, progress, payload, "fitting", count_work(problem, fit));
    run_units(problem, fit, &plan, stop, &ticker);
    pf_ticker_end(&ticker);
    fit->n_gradients = (int64_t)atomic_load(&ticker.done);
    status = judge(fit, error);
  }
  free_workspaces(&plan);
  if (status != PF_OK) {
    pf_fit_free(problem, fit);
    return status;
  }
  fit->seconds = pf_clock_seconds() - started;
  *out = fit;
  return PF_OK;
}
