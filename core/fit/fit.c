/* A fit: every start of every group is a job of its own; of a group's starts the best is kept. */
#include "core/fit/fit.h"

#include "core/base/memory.h"
#include "core/base/threads.h"
#include "core/fit/fit_job.h"
#include "core/fit/multistart.h"
#include "core/fit/thread_workspaces.h"

#include <math.h>
#include <string.h>

/* How threads are shared out: over jobs, or inside the objective of one job after the other. */
typedef struct thread_plan {
  int outer, inner;
} thread_plan;

typedef struct fit_run {
  const pf_problem *problem;
  pf_fit *fit;
  const pf_optimiser *optimiser;
  bool whole;                /* one batch of all draws, else one for each */
  pf_group_batches *batches; /* [n_groups] */
  pf_array *rows;            /* [n_groups][n_starts] of pf_fit_row */
  pf_array *row_values;      /* likewise, of double */
  size_t n_starts;
  thread_plan threads;
  pf_thread_workspaces workspaces; /* for the threads, outer or inner */
  pf_stop stop;                    /* MAY be NULL */
  pf_ticker ticker;
} fit_run;

const pf_optimiser *pf_fit_optimiser(const pf_problem *problem)
{
  const char *name = problem->settings->fit.optimiser;
  return name == NULL ? &pf_optimiser_adam : pf_optimiser_find(name);
}

/* ---- one job ---- */

static pf_status fail_interrupted(const fit_run *run, const pf_optimum *optimum, pf_error *error)
{
  const long long next = isnan(optimum->objective) ? 0 : (long long)optimum->iterations + 1;
  if (run->optimiser->fixed_passes) {
    return pf_fail(error, PF_POINT_FAILED, "interrupted in epoch %lld of %lld", next,
                   (long long)run->problem->settings->fit.epochs);
  }
  return pf_fail(error, PF_POINT_FAILED, "interrupted in iteration %lld", next);
}

/* Start k of group u, into `start`. */
static pf_status minimise_start(const fit_run *run, pf_fit_job *job, size_t u, size_t k,
                                pf_start_result *start, pf_error *error)
{
  const pf_problem *problem = run->problem;
  const pf_multistart starts = {.seed = problem->seed,
                                .group = pf_problem_group_number(problem, u),
                                .n_starts = run->n_starts,
                                .layout = job->group->layout,
                                .first = job->group->values_start,
                                .spread = problem->settings->fit.spread};
  pf_status status = pf_multistart_values(&starts, k, start->from, error);
  if (status != PF_OK) {
    return status;
  }
  status = pf_fit_job_minimise(job, start->from, start->values, &start->optimum, error);
  if (status != PF_OK) {
    return status;
  }
  if (start->optimum.reason == PF_REASON_INTERRUPTED) {
    return fail_interrupted(run, &start->optimum, error);
  }
  if (job->lost) {
    return pf_fail(error, PF_STOP, "no memory left for the rows of fit.csv");
  }
  return PF_OK;
}

static void run_job(fit_run *run, size_t index, pf_workspace *const *workspaces)
{
  const size_t u = index / run->n_starts, k = index % run->n_starts;
  pf_fit_group *group = &run->fit->groups[u];
  if (group->status != PF_OK) {
    return; /* its draws could not be made */
  }
  pf_start_result *start = &group->starts[k];
  pf_fit_job job = {.optimiser = run->optimiser,
                    .group = group,
                    .in = {.problem = run->problem,
                           .layout = group->layout,
                           .batches = &run->batches[u],
                           .penalised = true,
                           .by_parts = run->optimiser->by_parts,
                           .workspaces = workspaces,
                           .n_workspaces = (size_t)run->threads.inner},
                    .stop = run->stop,
                    .ticker = &run->ticker,
                    .subsamples = true};
  start->status = pf_fit_job_begin(&job, &start->error);
  if (start->status == PF_OK) {
    start->status = minimise_start(run, &job, u, k, start, &start->error);
    const pf_fit_row *last = pf_fit_job_last(&job);
    start->data_term = start->status == PF_OK && last != NULL ? last->data_term : (double)NAN;
#pragma omp critical(pf_fit_sums)
    {
      group->derivatives |= pf_group_objective_how(job.function);
      run->fit->n_gradients += job.n_draws_seen;
    }
    run->rows[index] = job.rows;
    run->row_values[index] = job.row_values;
    pf_group_objective_free(job.function);
  }
  if (!run->optimiser->fixed_passes) {
    pf_ticker_add(&run->ticker, 1);
  }
}

/* ---- once more, from a better point ---- */

/* Rows of a fit that went on from another point: after those that are there. */
static pf_status append_rows(pf_fit_group *group, const pf_fit_job *job, pf_error *error)
{
  const size_t n_before = group->n_rows, width = group->layout->n;
  const int64_t before = n_before > 0 ? group->rows[n_before - 1].epoch + 1 : 0;
  pf_array rows = pf_array_of(sizeof(pf_fit_row)), values = pf_array_of(sizeof(double));
  if (pf_array_append_all(&rows, group->rows, n_before, error) != PF_OK ||
      pf_array_append_all(&rows, job->rows.items, job->rows.n, error) != PF_OK ||
      pf_array_append_all(&values, group->row_values, n_before * width, error) != PF_OK ||
      pf_array_append_all(&values, job->row_values.items, job->row_values.n, error) != PF_OK) {
    pf_array_free(&rows);
    pf_array_free(&values);
    return PF_STOP;
  }
  pf_memory_free(group->rows);
  pf_memory_free(group->row_values);
  group->rows = pf_array_take(&rows, &group->n_rows);
  group->row_values = pf_array_take(&values, NULL);
  for (size_t i = n_before; i < group->n_rows; i++) {
    group->rows[i].epoch += before;
  }
  return PF_OK;
}

/* What a fit that went on from another point found takes the place of the best start's. */
static pf_status replace_best(pf_fit_group *group, const pf_fit_job *job, const pf_optimum *optimum,
                              const double *values, pf_error *error)
{
  const size_t bytes = group->layout->n * sizeof *values;
  pf_optimum whole = *optimum;
  const pf_status status = append_rows(group, job, error);
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
  memcpy(group->values, values, bytes);
  if (group->starts != NULL) {
    pf_start_result *start = &group->starts[group->best];
    start->optimum = whole;
    start->data_term = group->rows[group->n_rows - 1].data_term;
    memcpy(start->values, values, bytes);
  }
  return PF_OK;
}

pf_status pf_fit_improve(const pf_problem *problem, pf_fit_group *group, const double *from,
                         const pf_observer *observer, pf_error *error)
{
  const pf_optimiser *optimiser = pf_fit_optimiser(problem);
  if (optimiser == NULL || optimiser->fixed_passes) {
    return PF_OK;
  }
  pf_group_batches batches = {0};
  pf_thread_workspaces workspaces = {0};
  pf_ticker ticker = {.payload = observer->payload};
  pf_fit_job job = {
      .optimiser = optimiser, .group = group, .stop = observer->stop, .ticker = &ticker};
  double *values = pf_memory_need(group->layout->n, sizeof *values, error);
  if (values == NULL) {
    return PF_STOP;
  }
  pf_status status = pf_group_batches_create(problem, group, true, &batches, error);
  if (status != PF_OK) {
    goto done;
  }
  status = pf_thread_workspaces_create(problem->model, &problem->data,
                                       (size_t)pf_fit_n_threads(problem, 1), &workspaces, error);
  if (status != PF_OK) {
    goto done;
  }
  job.in = (pf_group_objective_in){.problem = problem,
                                   .layout = group->layout,
                                   .batches = &batches,
                                   .penalised = true,
                                   .by_parts = optimiser->by_parts,
                                   .workspaces = workspaces.items,
                                   .n_workspaces = workspaces.n};
  status = pf_fit_job_begin(&job, error);
  if (status != PF_OK) {
    goto done;
  }
  pf_error ignored = pf_error_none(); /* of a fit that is not kept: nobody wants to read it */
  pf_optimum optimum = pf_optimum_none();
  if (pf_fit_job_minimise(&job, from, values, &optimum, &ignored) == PF_OK && job.rows.n > 0 &&
      !job.lost && optimum.objective < group->optimum.objective) {
    status = replace_best(group, &job, &optimum, values, error);
  }
done:
  pf_fit_job_clear(&job);
  pf_group_batches_clear(&batches);
  pf_thread_workspaces_free(&workspaces);
  pf_memory_free(values);
  return status;
}

/* ---- all of them ---- */

static size_t count_starts(const pf_problem *problem)
{
  return problem->settings->fit.starts > 1 ? (size_t)problem->settings->fit.starts : 1;
}

static thread_plan plan_threads(const pf_problem *problem, size_t n_groups)
{
  const int n_threads = problem->options.n_threads > 1 ? problem->options.n_threads : 1;
  const size_t n_jobs = n_groups * count_starts(problem);
  const bool whole =
      problem->settings->fit.batch == PF_BATCH_FULL || !pf_fit_optimiser(problem)->by_parts;
  if (n_jobs >= (size_t)n_threads) {
    return (thread_plan){.outer = n_threads, .inner = 1};
  }
  return whole ? (thread_plan){.outer = 1, .inner = n_threads}
               : (thread_plan){.outer = (int)n_jobs, .inner = 1};
}

int pf_fit_n_threads(const pf_problem *problem, size_t n_groups)
{
  const thread_plan plan = plan_threads(problem, n_groups);
  return plan.outer > plan.inner ? plan.outer : plan.inner;
}

static pf_status make_starts(pf_fit_group *group, size_t n, pf_error *error)
{
  group->starts = pf_memory_need(n, sizeof *group->starts, error);
  if (group->starts == NULL) {
    return PF_STOP;
  }
  group->n_starts = n;
  for (size_t k = 0; k < n; k++) {
    pf_start_result *start = &group->starts[k];
    *start =
        (pf_start_result){.error = pf_error_none(),
                          .data_term = NAN,
                          .optimum = pf_optimum_none(),
                          .from = pf_memory_need(group->layout->n, sizeof *start->from, error),
                          .values = pf_memory_need(group->layout->n, sizeof *start->values, error)};
    if (start->from == NULL || start->values == NULL) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

static pf_status make_jobs(fit_run *run, pf_error *error)
{
  const size_t n_groups = run->fit->n_groups, n_jobs = n_groups * run->n_starts;
  run->batches = pf_memory_need(n_groups, sizeof *run->batches, error);
  run->rows = pf_memory_need(n_jobs, sizeof *run->rows, error);
  run->row_values = pf_memory_need(n_jobs, sizeof *run->row_values, error);
  if (run->batches == NULL || run->rows == NULL || run->row_values == NULL) {
    return PF_STOP;
  }
  for (size_t u = 0; u < n_groups; u++) {
    const pf_status status = make_starts(&run->fit->groups[u], run->n_starts, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

static void free_jobs(fit_run *run)
{
  for (size_t u = 0; run->batches != NULL && u < run->fit->n_groups; u++) {
    pf_group_batches_clear(&run->batches[u]);
  }
  const size_t n_jobs = run->fit->n_groups * run->n_starts;
  for (size_t i = 0; run->row_values != NULL && i < n_jobs; i++) {
    pf_array_free(&run->rows[i]);
    pf_array_free(&run->row_values[i]);
  }
  pf_memory_free(run->batches);
  pf_memory_free(run->rows);
  pf_memory_free(run->row_values);
}

static int64_t count_work(const fit_run *run)
{
  const int64_t n_starts = (int64_t)run->n_starts, epochs = run->problem->settings->fit.epochs;
  int64_t n = 0;
  for (size_t u = 0; u < run->fit->n_groups; u++) {
    const pf_fit_group *group = &run->fit->groups[u];
    if (group->status == PF_OK) {
      n += n_starts * (run->optimiser->fixed_passes ? (int64_t)group->n_draws * epochs : 1);
    }
  }
  return n;
}

/* Results do not depend on the schedule: a job shares nothing with another but the workspace's
 * memory. */
static void run_jobs(fit_run *run)
{
  const thread_plan plan = run->threads;
  const int64_t n_groups = (int64_t)run->fit->n_groups;
  const int64_t n_jobs = n_groups * (int64_t)run->n_starts;
#pragma omp parallel for schedule(dynamic) num_threads(plan.outer) if (plan.outer > 1)
  for (int64_t u = 0; u < n_groups; u++) {
    pf_fit_group *group = &run->fit->groups[u];
    if (group->status == PF_OK) {
      group->status =
          pf_group_batches_create(run->problem, group, run->whole, &run->batches[u], &group->error);
    }
  }
#pragma omp parallel for schedule(dynamic) num_threads(plan.outer) if (plan.outer > 1)
  for (int64_t i = 0; i < n_jobs; i++) {
    run_job(run, (size_t)i, run->workspaces.items + (plan.inner > 1 ? 0 : pf_this_thread()));
  }
}

/* Is start a better to keep than b? One that worked, then the lower objective (of equal ones, the
 * first). */
static bool is_better(const pf_start_result *a, const pf_start_result *b)
{
  if ((a->status == PF_OK) != (b->status == PF_OK)) {
    return a->status == PF_OK;
  }
  return a->optimum.objective < b->optimum.objective ||
         (isnan(b->optimum.objective) && !isnan(a->optimum.objective));
}

/* Which start is the best, and which others reached it. */
static void compare_starts(pf_fit_group *group)
{
  double highest = -INFINITY;
  for (size_t k = 0; k < group->n_starts; k++) {
    const pf_start_result *start = &group->starts[k];
    if (is_better(start, &group->starts[group->best])) {
      group->best = k;
    }
    if (isfinite(start->optimum.start)) {
      highest = fmax(highest, start->optimum.start);
    }
    group->interrupted = group->interrupted || start->optimum.reason == PF_REASON_INTERRUPTED;
  }
  const double best = group->starts[group->best].optimum.objective;
  for (size_t k = 0; k < group->n_starts; k++) {
    pf_start_result *start = &group->starts[k];
    start->reached =
        start->status == PF_OK && pf_multistart_reached(start->optimum.objective, best, highest);
  }
}

/* The best of a group's starts becomes its result. */
static void keep_best(fit_run *run, size_t u)
{
  pf_fit_group *group = &run->fit->groups[u];
  if (group->status != PF_OK) {
    return;
  }
  compare_starts(group);
  const pf_start_result *best = &group->starts[group->best];
  const size_t index = u * run->n_starts + group->best, bytes = group->layout->n * sizeof(double);
  group->rows = pf_array_take(&run->rows[index], &group->n_rows);
  group->row_values = pf_array_take(&run->row_values[index], NULL);
  group->optimum = best->optimum;
  group->status = best->status;
  group->error = best->error;
  memcpy(group->values_start, best->from, bytes);
  memcpy(group->values, best->values, bytes);
  if (group->interrupted && group->status == PF_OK) { /* one start is whole, another was stopped */
    group->status = pf_fail(&group->error, PF_POINT_FAILED,
                            "interrupted before all of %zu starts had ended", group->n_starts);
  }
}

/* PF_STOP when every group was stopped: then there is no result at all, and the first line says
 * why. */
static pf_status count_failures(const fit_run *run, pf_error *error)
{
  pf_fit *fit = run->fit;
  size_t n_stopped = 0;
  for (size_t u = 0; u < fit->n_groups; u++) {
    const pf_fit_group *group = &fit->groups[u];
    const bool claims = group->status == PF_OK && !run->optimiser->fixed_passes;
    fit->n_failed += group->status != PF_OK ? 1 : 0;
    fit->n_interrupted += group->interrupted ? 1 : 0;
    fit->n_unconverged += claims && !group->optimum.converged ? 1 : 0;
    n_stopped += group->status < 0 ? 1 : 0;
  }
  if (n_stopped == fit->n_groups) {
    return pf_fail(error, PF_STOP, "%s", fit->groups[0].error.text);
  }
  return PF_OK;
}

static pf_status run_fit(fit_run *run, pf_progress progress, void *payload, pf_error *error)
{
  const pf_problem *problem = run->problem;
  pf_status status = pf_fit_groups_create(problem, run->fit, error);
  if (status != PF_OK) {
    return status;
  }
  status = make_jobs(run, error);
  if (status != PF_OK) {
    goto done;
  }
  run->threads = plan_threads(problem, run->fit->n_groups);
  status = pf_thread_workspaces_create(problem->model, &problem->data,
                                       (size_t)pf_fit_n_threads(problem, run->fit->n_groups),
                                       &run->workspaces, error);
  if (status != PF_OK) {
    goto done;
  }
  pf_ticker_start(&run->ticker, progress, payload, "fitting", count_work(run));
  run_jobs(run);
  pf_ticker_end(&run->ticker);
  for (size_t u = 0; u < run->fit->n_groups; u++) {
    keep_best(run, u);
  }
  status = count_failures(run, error);
done:
  pf_thread_workspaces_free(&run->workspaces);
  free_jobs(run);
  return status;
}

pf_status pf_fit_run(const pf_problem *problem, pf_progress progress, pf_stop stop, void *payload,
                     pf_fit **out, pf_error *error)
{
  const double started = pf_clock_seconds();
  fit_run run = {.problem = problem,
                 .stop = stop,
                 .n_starts = count_starts(problem),
                 .optimiser = pf_fit_optimiser(problem)};
  if (run.optimiser == NULL) {
    return pf_fail(error, PF_STOP, "there is no optimiser '%s'; choose one of %s",
                   problem->settings->fit.optimiser, PF_OPTIMISER_CHOICES);
  }
  run.whole = !run.optimiser->by_parts || problem->settings->fit.batch == PF_BATCH_FULL;
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
