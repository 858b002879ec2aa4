/* A fit: every start of every unit is a job of its own; of a unit's starts the best is kept. */
#include "core/base/memory.h"
#include "core/base/threads.h"
#include "core/base/ticker.h"
#include "core/fit/fit_groups.h"
#include "core/fit/group_objective.h"
#include "core/fit/multistart.h"
#include "core/fit/subsampled_start.h"
#include <math.h>
#include <string.h>

/* How threads are shared out: over jobs, or inside the objective of one job after the other. */
typedef struct thread_plan {
  int outer, inner;
  pf_workspace **workspaces; /* [max(outer, inner)] */
  int n_workspaces;
} thread_plan;

/* Most values for which the secant correction from a subsample of draws is passed on. */
enum { MAX_SECANT = 300 };

/* Rows of fit.csv, as many as come. */
typedef struct row_log {
  pf_fit_row *rows;
  double *values; /* [n][width] */
  size_t n, capacity, width;
} row_log;

typedef struct fit_run {
  const pf_problem *problem;
  pf_fit *fit;
  const pf_optimiser *optimiser;
  pf_group_batches *batches; /* [n_units] */
  row_log *logs;             /* [n_units][n_starts] */
  size_t n_starts;
  pf_stop stop; /* MAY be NULL */
  pf_ticker ticker;
} fit_run;

/* One start of one unit. */
typedef struct job {
  fit_run *run;
  pf_fit_group *group;
  pf_start_result *start;
  row_log *log;
  pf_group_objective *function;
  int64_t steps_before, evaluations_before; /* by few draws: core/fit/subsampled_start.h */
  bool lost;                                /* no memory for a row */
} job;

const pf_optimiser *pf_fit_optimiser(const pf_problem *problem)
{
  const char *name = problem->settings->fit.optimiser;
  return name == NULL ? &pf_optimiser_adam : pf_optimiser_find(name);
}

static void copy_values(const pf_fit_group *group, const double *from, double *to)
{
  if (group->layout->n > 0) {
    memcpy(to, from, group->layout->n * sizeof *to);
  }
}

/* ---- rows ---- */

static bool log_grow(row_log *log)
{
  const size_t capacity = log->capacity == 0 ? 32 : 2 * log->capacity;
  pf_fit_row *rows = pf_memory_new(capacity, sizeof *rows);
  double *values = pf_memory_new(capacity * log->width, sizeof *values);
  if (rows == NULL || values == NULL) {
    pf_memory_free(rows);
    pf_memory_free(values);
    return false;
  }
  if (log->n > 0) {
    memcpy(rows, log->rows, log->n * sizeof *rows);
    memcpy(values, log->values, log->n * log->width * sizeof *values);
  }
  pf_memory_free(log->rows);
  pf_memory_free(log->values);
  log->rows = rows;
  log->values = values;
  log->capacity = capacity;
  return true;
}

static void log_row(job *j, const pf_iterate *at)
{
  row_log *log = j->log;
  if (log->n == log->capacity && !log_grow(log)) {
    j->lost = true;
    return;
  }
  log->rows[log->n] = (pf_fit_row){.epoch = j->steps_before + at->iteration,
                                   .objective = at->objective,
                                   .data_term = pf_group_objective_data_term(j->function, at),
                                   .gradient_norm = at->gradient_norm};
  copy_values(j->group, at->v, &log->values[log->n * log->width]);
  log->n++;
}

/* ---- one job ---- */

static bool asked_to_stop(void *payload)
{
  const job *j = payload;
  return j->run->stop != NULL && j->run->stop(j->run->ticker.payload);
}

static void told(void *payload, const pf_iterate *at)
{
  job *j = payload;
  const pf_fit_settings *fit = &j->run->problem->settings->fit;
  const bool every = fit->log_every > 0 && at->iteration % fit->log_every == 0;
  if (!j->run->optimiser->fixed_passes || at->iteration == 0 || at->iteration == fit->epochs ||
      every) {
    log_row(j, at);
  }
  if (j->run->optimiser->fixed_passes && at->iteration > 0) {
    pf_ticker_add(&j->run->ticker, (int64_t)j->group->n_draws);
  }
}

static pf_optimiser_settings settings_of(const fit_run *run)
{
  const pf_fit_settings *fit = &run->problem->settings->fit;
  return (pf_optimiser_settings){.iterations =
                                     run->optimiser->fixed_passes ? fit->epochs : fit->iterations,
                                 .evaluations = fit->evaluations,
                                 .tolerance_gradient = fit->tolerance_gradient,
                                 .tolerance_progress = fit->tolerance_progress,
                                 .tolerance_step = fit->tolerance_step,
                                 .learning_rate = fit->learning_rate,
                                 .beta1 = fit->beta1,
                                 .beta2 = fit->beta2,
                                 .epsilon = fit->epsilon,
                                 .seed = run->problem->seed};
}

static pf_status interrupted(const fit_run *run, const pf_optimum *optimum, pf_error *error)
{
  const long long next = isnan(optimum->objective) ? 0 : (long long)optimum->iterations + 1;
  if (run->optimiser->fixed_passes) {
    return pf_fail(error, PF_POINT_FAILED, "interrupted in epoch %lld of %lld", next,
                   (long long)run->problem->settings->fit.epochs);
  }
  return pf_fail(error, PF_POINT_FAILED, "interrupted in iteration %lld", next);
}

/* From few of the draws to all of them: then that is the first step, and the optimiser's own are
 * counted from there. */
static pf_status minimise_from(job *j, pf_workspace *const *workspaces, size_t n_workspaces,
                               pf_error *error)
{
  const fit_run *run = j->run;
  pf_optimum *optimum = &j->start->optimum;
  const pf_function *function = pf_group_objective_get(j->function);
  pf_optimiser_settings settings = settings_of(run);
  if (function->n <= MAX_SECANT) {
    settings.secant = pf_memory_need(function->n * function->n, sizeof *settings.secant, error);
    if (settings.secant == NULL) {
      return PF_STOP;
    }
  }
  const pf_watch watch = {.payload = j, .stop = asked_to_stop, .iterate = told},
                 quiet = {.payload = j, .stop = asked_to_stop};
  pf_subsampled_start few;
  pf_status status =
      pf_subsampled_start_find(run->problem, j->group, run->optimiser, &settings, &quiet, function,
                               workspaces, n_workspaces, j->start->values, &few, error);
  if (status == PF_OK && few.moved) {
    if (!isnan(few.start)) {
      log_row(j, &(pf_iterate){.iteration = 0,
                               .v = j->start->from,
                               .objective = few.start,
                               .gradient_norm = (double)NAN});
    }
    j->steps_before = few.moved ? 1 : 0;
  }
  status = status == PF_OK ? run->optimiser->minimise(function, &settings, &watch, j->start->values,
                                                      optimum, error)
                           : status;
  pf_memory_free(settings.secant);
  j->evaluations_before = few.n_evaluations;
  if (few.moved) {
    optimum->iterations += j->steps_before;
    optimum->start = isnan(few.start) ? optimum->start : few.start;
    optimum->n_shrunk = optimum->n_shrunk > 0 ? optimum->n_shrunk : few.optimum.n_shrunk;
  }
  return status;
}

static pf_status minimise(job *j, size_t unit_index, size_t start_index,
                          pf_workspace *const *workspaces, size_t n_workspaces, pf_error *error)
{
  const fit_run *run = j->run;
  const pf_problem *problem = run->problem;
  const pf_layout *layout = j->group->layout;
  pf_start_result *start = j->start;
  double *spread = pf_memory_need(layout->n, sizeof *spread, error);
  if (spread == NULL) {
    return PF_STOP;
  }
  for (size_t k = 0; k < layout->n; k++) {
    spread[k] = problem->settings->fit.spread;
  }
  const size_t number = pf_problem_group_number(problem, unit_index);
  pf_status status = pf_multistart_values(problem->seed, number, run->n_starts, start_index,
                                          j->group->values_start, layout->lower, layout->upper,
                                          spread, layout->n, start->from, error);
  pf_memory_free(spread);
  if (status != PF_OK) {
    return status;
  }
  copy_values(j->group, start->from, start->values);
  status = minimise_from(j, workspaces, n_workspaces, error);
  if (status == PF_OK && start->optimum.reason == PF_REASON_INTERRUPTED) {
    status = interrupted(run, &start->optimum, error);
  }
  return status == PF_OK && j->lost
             ? pf_fail(error, PF_STOP, "no memory left for the rows of fit.csv")
             : status;
}

static void run_job(fit_run *run, size_t index, pf_workspace *const *workspaces,
                    size_t n_workspaces)
{
  const size_t u = index / run->n_starts, k = index % run->n_starts;
  job j = {.run = run, .group = &run->fit->groups[u], .log = &run->logs[index]};
  if (j.group->status != PF_OK) {
    return; /* its draws could not be made */
  }
  j.start = &j.group->starts[k];
  j.log->width = j.group->layout->n;
  pf_error *error = &j.start->error;
  pf_status status = pf_group_objective_create(run->problem, j.group->layout, &run->batches[u],
                                               true, run->optimiser->by_parts, workspaces,
                                               n_workspaces, &j.function, error);
  if (status == PF_OK) {
    status = minimise(&j, u, k, workspaces, n_workspaces, error);
  }
  j.start->status = status;
  j.start->data_term = status == PF_OK && j.log->n > 0 ? j.log->rows[j.log->n - 1].data_term : NAN;
  if (j.function != NULL) {
    const uint32_t how = pf_group_objective_how(j.function);
    const int64_t n = pf_group_objective_n_evaluations(j.function) + j.evaluations_before;
#pragma omp critical(pf_fit_sums)
    {
      j.group->derivatives |= how;
      run->fit->n_gradients += n;
    }
  }
  pf_group_objective_free(j.function);
  if (!run->optimiser->fixed_passes) {
    pf_ticker_add(&run->ticker, 1);
  }
}

/* ---- once more ---- */

/* Rows of a fit that went on from another point: after those that are there. */
static pf_status append_rows(pf_fit_group *group, const row_log *log, pf_error *error)
{
  const size_t n = group->n_rows + log->n, width = group->layout->n;
  pf_fit_row *rows = pf_memory_need(n, sizeof *rows, error);
  double *values = pf_memory_need(n * width, sizeof *values, error);
  if (rows == NULL || values == NULL) {
    pf_memory_free(rows);
    pf_memory_free(values);
    return PF_STOP;
  }
  const int64_t before = group->n_rows > 0 ? group->rows[group->n_rows - 1].epoch + 1 : 0;
  for (size_t i = 0; i < n; i++) {
    const bool old = i < group->n_rows;
    rows[i] = old ? group->rows[i] : log->rows[i - group->n_rows];
    rows[i].epoch += old ? 0 : before;
    memcpy(values + i * width,
           old ? group->row_values + i * width : log->values + (i - group->n_rows) * width,
           width * sizeof *values);
  }
  pf_memory_free(group->rows);
  pf_memory_free(group->row_values);
  group->rows = rows;
  group->row_values = values;
  group->n_rows = n;
  return PF_OK;
}

/* What a fit that went on from another point found takes the place of the best start's. */
static pf_status take_again(pf_fit_group *group, const row_log *log, const pf_optimum *optimum,
                            const double *values, pf_error *error)
{
  pf_optimum whole = *optimum;
  const pf_status status = append_rows(group, log, error);
  if (status != PF_OK) {
    return status;
  }
  whole.start = group->optimum.start;
  whole.iterations += group->optimum.iterations + 1; /* the leap from there to here is one */
  whole.evaluations += group->optimum.evaluations;
  whole.gradients += group->optimum.gradients;
  whole.curvatures += group->optimum.curvatures;
  whole.n_failed += group->optimum.n_failed;
  whole.n_saddles += group->optimum.n_saddles;
  group->optimum = whole;
  group->n_improved++;
  copy_values(group, values, group->values);
  if (group->starts != NULL) {
    pf_start_result *start = &group->starts[group->best];
    start->optimum = whole;
    start->data_term = group->rows[group->n_rows - 1].data_term;
    copy_values(group, values, start->values);
  }
  return PF_OK;
}

pf_status pf_fit_again(const pf_problem *problem, pf_fit_group *group, const double *from,
                       pf_stop stop, void *payload, pf_workspace *const *workspaces,
                       size_t n_workspaces, pf_error *error)
{
  fit_run run = {.problem = problem,
                 .stop = stop,
                 .optimiser = pf_fit_optimiser(problem),
                 .ticker = {.payload = payload}};
  row_log log = {.width = group->layout->n};
  job j = {.run = &run, .group = group, .log = &log};
  pf_group_batches batches = {0};
  pf_error line = pf_error_none(); /* of a fit that is not kept: nobody wants to read it */
  double *values = pf_memory_need(group->layout->n, sizeof *values, error);
  if (run.optimiser == NULL || run.optimiser->fixed_passes || values == NULL) {
    pf_memory_free(values);
    return values == NULL ? PF_STOP : PF_OK;
  }
  copy_values(group, from, values);
  pf_optimum optimum = {0};
  pf_status status = pf_group_batches_create(problem, group, true, &batches, error);
  status = status == PF_OK
               ? pf_group_objective_create(problem, group->layout, &batches, true, false,
                                           workspaces, n_workspaces, &j.function, error)
               : status;
  if (status == PF_OK) {
    const pf_watch watch = {.payload = &j, .stop = asked_to_stop, .iterate = told};
    const pf_optimiser_settings settings = settings_of(&run);
    const pf_status fitted = run.optimiser->minimise(pf_group_objective_get(j.function), &settings,
                                                     &watch, values, &optimum, &line);
    const bool kept =
        fitted == PF_OK && log.n > 0 && !j.lost && optimum.objective < group->optimum.objective;
    status = kept ? take_again(group, &log, &optimum, values, error) : PF_OK;
  }
  pf_group_objective_free(j.function);
  pf_group_batches_clear(&batches);
  pf_memory_free(log.rows);
  pf_memory_free(log.values);
  pf_memory_free(values);
  return status;
}

/* ---- all of them ---- */

static size_t n_starts_of(const pf_problem *problem)
{
  return problem->settings->fit.starts > 1 ? (size_t)problem->settings->fit.starts : 1;
}

static thread_plan plan_threads(const pf_problem *problem, size_t n_groups)
{
  const int n_threads = problem->options.n_threads > 1 ? problem->options.n_threads : 1;
  const bool whole =
      problem->settings->fit.batch == PF_BATCH_FULL || !pf_fit_optimiser(problem)->by_parts;
  const size_t n_jobs = n_groups * n_starts_of(problem);
  thread_plan plan = {.outer = 1, .inner = 1};
  if (whole && n_jobs < (size_t)n_threads) {
    plan.inner = n_threads;
  } else {
    plan.outer = n_jobs < (size_t)n_threads ? (int)n_jobs : n_threads;
  }
  plan.n_workspaces = plan.outer > plan.inner ? plan.outer : plan.inner;
  return plan;
}

int pf_fit_n_threads(const pf_problem *problem, size_t n_groups)
{
  return plan_threads(problem, n_groups).n_workspaces;
}

static pf_status make_workspaces(const pf_problem *problem, thread_plan *plan, pf_error *error)
{
  int64_t n_steps = 0;
  for (size_t i = 0; i < problem->data.n; i++) {
    n_steps = problem->data.recordings[i].n_steps > n_steps ? problem->data.recordings[i].n_steps
                                                            : n_steps;
  }
  plan->workspaces = pf_memory_need((size_t)plan->n_workspaces, sizeof(pf_workspace *), error);
  if (plan->workspaces == NULL) {
    return PF_STOP;
  }
  for (int t = 0; t < plan->n_workspaces; t++) {
    const pf_status status =
        pf_workspace_create(problem->model, n_steps, &plan->workspaces[t], error);
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

static pf_status make_jobs(fit_run *run, pf_error *error)
{
  const pf_fit *fit = run->fit;
  run->batches = pf_memory_need(fit->n_groups, sizeof *run->batches, error);
  run->logs = pf_memory_need(fit->n_groups * run->n_starts, sizeof *run->logs, error);
  if (run->batches == NULL || run->logs == NULL) {
    return PF_STOP;
  }
  for (size_t u = 0; u < fit->n_groups; u++) {
    pf_fit_group *group = &fit->groups[u];
    group->starts = pf_memory_need(run->n_starts, sizeof *group->starts, error);
    if (group->starts == NULL) {
      return PF_STOP;
    }
    group->n_starts = run->n_starts;
    for (size_t k = 0; k < run->n_starts; k++) {
      pf_start_result *start = &group->starts[k];
      *start = (pf_start_result){.error = pf_error_none(),
                                 .data_term = NAN,
                                 .optimum = {.objective = NAN, .start = NAN, .gradient_norm = NAN}};
      start->from = pf_memory_need(group->layout->n, sizeof *start->from, error);
      start->values = pf_memory_need(group->layout->n, sizeof *start->values, error);
      if (start->from == NULL || start->values == NULL) {
        return PF_STOP;
      }
    }
  }
  return PF_OK;
}

static void free_jobs(fit_run *run)
{
  for (size_t u = 0; run->batches != NULL && u < run->fit->n_groups; u++) {
    pf_group_batches_clear(&run->batches[u]);
  }
  for (size_t i = 0; run->logs != NULL && i < run->fit->n_groups * run->n_starts; i++) {
    pf_memory_free(run->logs[i].rows);
    pf_memory_free(run->logs[i].values);
  }
  pf_memory_free(run->batches);
  pf_memory_free(run->logs);
}

static int64_t count_work(const fit_run *run)
{
  int64_t n = 0;
  for (size_t u = 0; u < run->fit->n_groups; u++) {
    const pf_fit_group *group = &run->fit->groups[u];
    const int64_t each = run->optimiser->fixed_passes
                             ? (int64_t)group->n_draws * run->problem->settings->fit.epochs
                             : 1;
    n += group->status == PF_OK ? each * (int64_t)run->n_starts : 0;
  }
  return n;
}

/* Results do not depend on the schedule: a job shares nothing with another but the workspace's
 * memory. */
static void run_jobs(fit_run *run, const thread_plan *plan)
{
  const bool whole =
      !run->optimiser->by_parts || run->problem->settings->fit.batch == PF_BATCH_FULL;
  const int64_t n_groups = (int64_t)run->fit->n_groups;
  const int64_t n_jobs = n_groups * (int64_t)run->n_starts;
#pragma omp parallel for schedule(dynamic) num_threads(plan->outer) if (plan->outer > 1)
  for (int64_t u = 0; u < n_groups; u++) {
    pf_fit_group *group = &run->fit->groups[u];
    if (group->status == PF_OK) {
      group->status =
          pf_group_batches_create(run->problem, group, whole, &run->batches[u], &group->error);
    }
  }
#pragma omp parallel for schedule(dynamic) num_threads(plan->outer) if (plan->outer > 1)
  for (int64_t i = 0; i < n_jobs; i++) {
    pf_workspace *const *workspaces =
        plan->inner > 1 ? plan->workspaces : &plan->workspaces[pf_this_thread()];
    run_job(run, (size_t)i, workspaces, (size_t)plan->inner);
  }
}

/* Is start a better to keep than b? One that worked, then the lower objective (of equal ones, the
 * first). */
static bool better(const pf_start_result *a, const pf_start_result *b)
{
  if ((a->status == PF_OK) != (b->status == PF_OK)) {
    return a->status == PF_OK;
  }
  return a->optimum.objective < b->optimum.objective ||
         (isnan(b->optimum.objective) && !isnan(a->optimum.objective));
}

/* The best of a unit's starts becomes its result. */
static void keep_best(fit_run *run, size_t u)
{
  pf_fit_group *group = &run->fit->groups[u];
  if (group->status != PF_OK) {
    return;
  }
  double highest = -INFINITY;
  for (size_t k = 1; k < group->n_starts; k++) {
    group->best = better(&group->starts[k], &group->starts[group->best]) ? k : group->best;
  }
  const pf_start_result *best = &group->starts[group->best];
  for (size_t k = 0; k < group->n_starts; k++) {
    highest = isfinite(group->starts[k].optimum.start)
                  ? fmax(highest, group->starts[k].optimum.start)
                  : highest;
    group->interrupted =
        group->interrupted || group->starts[k].optimum.reason == PF_REASON_INTERRUPTED;
  }
  for (size_t k = 0; k < group->n_starts; k++) {
    pf_start_result *start = &group->starts[k];
    start->reached =
        start->status == PF_OK &&
        pf_multistart_reached(start->optimum.objective, best->optimum.objective, highest);
  }
  row_log *log = &run->logs[u * run->n_starts + group->best];
  group->rows = log->rows;
  group->row_values = log->values;
  group->n_rows = log->n;
  log->rows = NULL;
  log->values = NULL;
  group->optimum = best->optimum;
  group->status = best->status;
  group->error = best->error;
  copy_values(group, best->from, group->values_start);
  copy_values(group, best->values, group->values);
  if (group->interrupted && group->status == PF_OK) { /* one start is whole, another was stopped */
    group->status = pf_fail(&group->error, PF_POINT_FAILED,
                            "interrupted before all of %zu starts had ended", group->n_starts);
  }
}

/* PF_STOP when every unit was stopped: then there is no result at all, and the first line says why.
 */
static pf_status judge(const fit_run *run, pf_error *error)
{
  pf_fit *fit = run->fit;
  size_t n_stopped = 0;
  for (size_t u = 0; u < fit->n_groups; u++) {
    const pf_fit_group *group = &fit->groups[u];
    fit->n_failed += group->status != PF_OK ? 1 : 0;
    fit->n_interrupted += group->interrupted ? 1 : 0;
    fit->n_unconverged +=
        group->status == PF_OK && !run->optimiser->fixed_passes && !group->optimum.converged ? 1
                                                                                             : 0;
    n_stopped += group->status < 0 ? 1 : 0;
  }
  if (n_stopped == fit->n_groups) {
    return pf_fail(error, PF_STOP, "%s", fit->groups[0].error.text);
  }
  return PF_OK;
}

static pf_status run_fit(fit_run *run, pf_progress progress, void *payload, pf_error *error)
{
  thread_plan plan = {0};
  pf_status status = pf_fit_groups_create(run->problem, run->fit, error);
  status = status == PF_OK ? make_jobs(run, error) : status;
  if (status == PF_OK) {
    plan = plan_threads(run->problem, run->fit->n_groups);
    status = make_workspaces(run->problem, &plan, error);
  }
  if (status == PF_OK) {
    pf_ticker_start(&run->ticker, progress, payload, "fitting", count_work(run));
    run_jobs(run, &plan);
    pf_ticker_end(&run->ticker);
    for (size_t u = 0; u < run->fit->n_groups; u++) {
      keep_best(run, u);
    }
    status = judge(run, error);
  }
  free_workspaces(&plan);
  free_jobs(run);
  return status;
}

pf_status pf_fit_run(const pf_problem *problem, pf_progress progress, pf_stop stop, void *payload,
                     pf_fit **out, pf_error *error)
{
  const double started = pf_clock_seconds();
  fit_run run = {.problem = problem, .stop = stop, .n_starts = n_starts_of(problem)};
  run.optimiser = pf_fit_optimiser(problem);
  if (run.optimiser == NULL) {
    return pf_fail(error, PF_STOP, "there is no optimiser '%s'; choose one of %s",
                   problem->settings->fit.optimiser, PF_OPTIMISER_CHOICES);
  }
  run.fit = pf_memory_need(1, sizeof *run.fit, error);
  if (run.fit == NULL) {
    return PF_STOP;
  }
  const pf_status status = run_fit(&run, progress, payload, error);
  if (status != PF_OK) {
    pf_fit_free(problem, run.fit);
    return status;
  }
  run.fit->seconds = pf_clock_seconds() - started;
  *out = run.fit;
  return PF_OK;
}
