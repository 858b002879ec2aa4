/*
 * A fit: every start of every group is a job of its own; of a group's starts the best is kept.
 *
 * Starts are made in waves, whose sizes do not depend on the number of threads: after each it is
 * counted how often the best optimum of a group was found, and there is another wave until that is
 * often enough (core/fit/multistart.h). Then the fit is judged (core/fit/judgement.h), and where
 * that comes across a better point there is one more start, from there.
 */
#include "core/fit/fit.h"

#include "core/base/memory.h"
#include "core/base/threads.h"
#include "core/fit/fit_job.h"
#include "core/fit/judgement.h"
#include "core/fit/multistart.h"
#include "core/fit/path_start.h"
#include "core/fit/thread_workspaces.h"
#include "core/model/terms.h"
#include "core/optimise/value_scales.h"

#include <math.h>
#include <string.h>

/* How threads are shared out: over jobs, or inside the objective of one job after the other. */
typedef struct thread_plan {
  int outer, inner;
} thread_plan;

/* Starts without fit.starts, and with more values than a multistart helps. */
enum { MAX_STARTS = 20, MAX_SPREAD_VALUES = 100, N_ROUNDS = 2 };

/* Without fit.found: how often the best optimum is to be found. Where data are few its rivals are
 * many, and a start costs next to nothing: measured with 88 flies of 160 choices and a rule that
 * may grow without end, 26 of 88 fits miss the best of 60 starts with 3, 13 with 8. */
enum { FOUND = 3, FOUND_OF_FEW = 8, MAX_STARTS_OF_FEW = 40 };
/* Starts of a group's own in its first wave, however many points are given besides. */
enum { FIRST_OF_OWN = 2 };
static const double few_steps = 1000.0; /* of all draws */
/* More starts where the best one was found too seldom; how often; how far from it, as a share. */
enum { N_AROUND = 10, MAX_AROUND = 5, MAX_SIZED = 3 };
static const double around = 0.3;

/* A start to be made: number k of group u. */
typedef struct start_job {
  size_t u, k;
} start_job;

/* A group at work. */
typedef struct group_run {
  pf_group_batches batches;
  double *scale;           /* [layout->n] core/optimise/value_scales.h; NULL: unknown */
  double *spread, *first;  /* [layout->n] of starts, and around what */
  pf_array *rows;          /* of pf_fit_row, of each start */
  pf_array *row_values;    /* likewise, of double */
  pf_multistart_rule rule; /* when starts end */
  bool is_small;           /* few data: starts are cheap, and rivals many */
  size_t n_given;          /* of them, from given points: after the first */
  size_t n_points;         /* of these, the caller's */
  size_t n_point;          /* values of a caller's point */
  size_t n_around;    /* times that more starts were made since the best was found too seldom */
  double *path_start; /* [layout->n] a given point, where a penalty path ends; NULL: none */
  size_t *full; /* [layout->n] the place of each value among those of a caller's point; NULL: the
                   same */
} group_run;

typedef struct fit_run {
  const pf_problem *problem;
  const pf_start_points *points; /* [n_groups]; NULL: none */
  pf_fit *fit;
  const pf_optimiser *optimiser;
  bool whole;        /* one batch of all draws, else one for each */
  group_run *groups; /* [n_groups] */
  pf_array jobs;     /* of start_job: a wave */
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

/** Does a fit stay where it starts: no iterations (adam: no passes)? */
static bool fit_stays(const pf_problem *problem)
{
  const pf_fit_settings *fit = &problem->settings->fit;
  return (pf_fit_optimiser(problem)->fixed_passes ? fit->epochs : fit->iterations) == 0;
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

/* Where start k of group u begins, into start->from. */
static pf_status place_start(const fit_run *run, const pf_fit_job *job, size_t u, size_t k,
                             pf_start_result *start, pf_error *error)
{
  const pf_problem *problem = run->problem;
  const group_run *group = &run->groups[u];
  if (start->given) {
    return PF_OK;
  }
  const pf_multistart starts = {.seed = problem->seed,
                                .group = pf_problem_group_stream(problem, job->group->layout),
                                .n_starts = group->rule.limit,
                                .layout = job->group->layout,
                                .first = group->first,
                                .spread = group->spread,
                                .wide = group->is_small,
                                .by_size =
                                    group->n_around == 1 && job->group->layout->n <= MAX_SIZED};
  return pf_multistart_values(&starts, k == 0 ? 0 : k - group->n_given,
                              pf_group_objective_get(job->function), start->from, error);
}

static pf_status minimise_start(const fit_run *run, pf_fit_job *job, size_t u, size_t k,
                                pf_start_result *start, pf_error *error)
{
  pf_status status = place_start(run, job, u, k, start, error);
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

static pf_fit_job job_of(fit_run *run, size_t u, pf_workspace *const *workspaces)
{
  return (pf_fit_job){.optimiser = run->optimiser,
                      .group = &run->fit->groups[u],
                      .in = {.problem = run->problem,
                             .layout = run->fit->groups[u].layout,
                             .batches = &run->groups[u].batches,
                             .penalised = true,
                             .by_parts = run->optimiser->by_parts,
                             .workspaces = workspaces,
                             .n_workspaces = (size_t)run->threads.inner},
                      .stop = run->stop,
                      .ticker = &run->ticker,
                      .subsamples = !fit_stays(run->problem)};
}

static void run_job(fit_run *run, start_job at, pf_workspace *const *workspaces)
{
  pf_fit_group *group = &run->fit->groups[at.u];
  pf_start_result *start = &group->starts[at.k];
  pf_fit_job job = job_of(run, at.u, workspaces);
  start->status = pf_fit_job_begin(&job, &start->error);
  if (start->status != PF_OK) {
    return;
  }
  pf_group_objective_set_scale(job.function, run->groups[at.u].scale);
  start->status = minimise_start(run, &job, at.u, at.k, start, &start->error);
  const pf_fit_row *last = pf_fit_job_last(&job);
  start->data_term = start->status == PF_OK && last != NULL ? last->data_term : (double)NAN;
#pragma omp critical(pf_fit_sums)
  {
    group->derivatives |= pf_group_objective_how(job.function);
    run->fit->n_gradients += job.n_draws_seen;
  }
  run->groups[at.u].rows[at.k] = job.rows;
  run->groups[at.u].row_values[at.k] = job.row_values;
  pf_group_objective_free(job.function);
}

/* ---- once more, from a better point ---- */

/* Nats that a fit without an optimum must gain on one that has an optimum: what a 95 % interval of
 * one value spans. Nearer, the data do not tell the two apart, and only one of them is an answer.
 */
static const double real_gain = 1.92;

/* Is optimum a better than b? */
static bool is_improvement(const pf_function *function, const pf_optimum *a, const pf_optimum *b)
{
  if (a->converged == b->converged) {
    return a->objective < b->objective;
  }
  const double nats = pf_function_nats(function, fmin(a->objective, b->objective));
  const double gain = nats * (b->objective - a->objective);
  return a->converged ? gain >= -real_gain : gain > real_gain;
}

/* Rows of a fit that went on from another point: after those that are there. */
static pf_status append_rows(pf_fit_group *group, const pf_fit_job *job, pf_error *error)
{
  const size_t n_before = group->n_rows;
  const int64_t before = n_before > 0 ? group->rows[n_before - 1].epoch + 1 : 0;
  const pf_status status =
      pf_fit_group_append_rows(group, job->rows.items, job->rows.n, job->row_values.items, error);
  for (size_t i = n_before; i < group->n_rows; i++) {
    group->rows[i].epoch += before;
  }
  return status;
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

/* Minimises from `from`; the best start is replaced where that is better. values: room, [n]. */
static pf_status minimise_from(pf_fit_group *group, pf_fit_job *job, const double *from,
                               double *values, pf_error *error)
{
  pf_error ignored = pf_error_none(); /* of a fit that is not kept: nobody wants to read it */
  pf_optimum optimum = pf_optimum_none();
  if (pf_fit_job_minimise(job, from, values, &optimum, &ignored) != PF_OK || job->rows.n == 0 ||
      job->lost) {
    return PF_OK;
  }
  return is_improvement(pf_group_objective_get(job->function), &optimum, &group->optimum)
             ? replace_best(group, job, &optimum, values, error)
             : PF_OK;
}

/* Scales of the values, as at the start of the fit. scale: room, [n]. */
static pf_status set_scales(const pf_fit_group *group, pf_fit_job *job, double *scale,
                            pf_error *error)
{
  bool is_scaled = false;
  const pf_status status = pf_value_scales(pf_group_objective_get(job->function),
                                           group->values_start, scale, &is_scaled, error);
  if (status == PF_OK) {
    pf_group_objective_set_scale(job->function, is_scaled ? scale : NULL);
  }
  return status;
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
  double *values = pf_memory_need(2 * group->layout->n, sizeof *values, error);
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
  status = set_scales(group, &job, values + group->layout->n, error);
  if (status != PF_OK) {
    goto done;
  }
  status = minimise_from(group, &job, from, values, error);
done:
  pf_fit_job_clear(&job);
  pf_group_batches_clear(&batches);
  pf_thread_workspaces_free(&workspaces);
  pf_memory_free(values);
  return status;
}

/* ---- all of them ---- */

/* When the starts of a fit with so many values, and with few data or not, end. A fit of no
 * iterations stays where it starts, so others would say nothing. */
static pf_multistart_rule start_rule(const pf_problem *problem, size_t n_values, bool few)
{
  const pf_fit_settings *fit = &problem->settings->fit;
  const bool fixed_passes = pf_fit_optimiser(problem)->fixed_passes;
  pf_multistart_rule rule = {few ? FOUND_OF_FEW : FOUND, few ? MAX_STARTS_OF_FEW : MAX_STARTS};
  if (fit->found > 0) {
    rule.found = (size_t)fit->found;
  }
  const bool has_many_terms =
      pf_count_open_terms(problem->model) > PF_MANY_TERMS && !problem->options.chooses_l1;
  if (fixed_passes || has_many_terms || n_values > MAX_SPREAD_VALUES) {
    rule.limit = 1;
  }
  if (fit->starts > 0) {
    rule.limit = (size_t)fit->starts;
  }
  if (problem->options.starts > 0) {
    rule = (pf_multistart_rule){problem->options.starts, problem->options.starts};
  }
  if (fit_stays(problem)) {
    rule.limit = 1;
  }
  rule.found = fixed_passes ? rule.limit : rule.found;
  return rule;
}

/* Steps of all draws of a group. */
static double count_steps(const pf_fit_group *group)
{
  double n = 0.0;
  for (size_t d = 0; d < group->n_draws; d++) {
    n += (double)group->draws[d]->n_steps;
  }
  return n;
}

static thread_plan plan_threads(const pf_problem *problem, size_t n_groups)
{
  const pf_optimiser *optimiser = pf_fit_optimiser(problem);
  const int n_threads = problem->options.n_threads > 1 ? problem->options.n_threads : 1;
  const pf_multistart_rule rule = start_rule(problem, problem->model->n_parameters, false);
  const size_t n_jobs = n_groups * pf_multistart_next(&rule, 0, 0);
  const bool whole = problem->settings->fit.batch == PF_BATCH_FULL || !optimiser->by_parts;
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

/* One more start, from `from` where that is not NULL. */
static pf_status add_start(fit_run *run, size_t u, const double *from, pf_error *error)
{
  pf_fit_group *group = &run->fit->groups[u];
  const size_t n = group->layout->n;
  pf_start_result *start = &group->starts[group->n_starts];
  *start = (pf_start_result){.error = pf_error_none(),
                             .data_term = NAN,
                             .optimum = pf_optimum_none(),
                             .given = from != NULL,
                             .from = pf_memory_need(n, sizeof *start->from, error),
                             .values = pf_memory_need(n, sizeof *start->values, error)};
  group->n_starts++;
  start_job *job = pf_array_append(&run->jobs, error);
  if (start->from == NULL || start->values == NULL || job == NULL) {
    return PF_STOP;
  }
  if (from != NULL) {
    memcpy(start->from, from, n * sizeof *from);
  }
  *job = (start_job){u, group->n_starts - 1};
  return PF_OK;
}

static pf_status make_group(fit_run *run, size_t u, pf_error *error)
{
  pf_fit_group *group = &run->fit->groups[u];
  group_run *g = &run->groups[u];
  const size_t n = group->layout->n;
  g->n_points = run->points == NULL || fit_stays(run->problem) ? 0 : run->points[u].n;
  g->n_given = g->n_points;
  g->n_point = n;
  g->is_small = count_steps(group) <= few_steps;
  g->rule = start_rule(run->problem, n, g->is_small);
  const size_t most =
      g->rule.limit + g->n_given + 1 + N_ROUNDS + N_AROUND * MAX_AROUND; /* 1: of a path */
  g->rows = pf_memory_need(most, sizeof *g->rows, error);
  g->row_values = pf_memory_need(most, sizeof *g->row_values, error);
  g->spread = pf_memory_need(3 * n, sizeof *g->spread, error);
  group->starts = pf_memory_need(most, sizeof *group->starts, error);
  if (g->rows == NULL || g->row_values == NULL || g->spread == NULL || group->starts == NULL) {
    return PF_STOP;
  }
  return PF_OK;
}

static void free_groups(fit_run *run)
{
  for (size_t u = 0; run->groups != NULL && u < run->fit->n_groups; u++) {
    group_run *g = &run->groups[u];
    for (size_t k = 0; g->row_values != NULL && k < run->fit->groups[u].n_starts; k++) {
      pf_array_free(&g->rows[k]);
      pf_array_free(&g->row_values[k]);
    }
    pf_group_batches_clear(&g->batches);
    pf_memory_free(g->rows);
    pf_memory_free(g->row_values);
    pf_memory_free(g->spread);
    pf_memory_free(g->path_start);
    pf_memory_free(g->full);
  }
  pf_memory_free(run->groups);
  pf_array_free(&run->jobs);
}

static int64_t count_work(const fit_run *run)
{
  const int64_t epochs = run->problem->settings->fit.epochs;
  int64_t n = 0;
  for (size_t u = 0; u < run->fit->n_groups; u++) {
    const pf_fit_group *group = &run->fit->groups[u];
    if (group->status == PF_OK) {
      n += run->optimiser->fixed_passes
               ? (int64_t)(run->groups[u].rule.limit * group->n_draws) * epochs
               : 1;
    }
  }
  return n;
}

/* ---- waves ---- */

/* Starting weights that are learned, but begin far above what the units of the data make of them:
 * then the starts that are drawn begin lower. */
static pf_status lower_weights(const fit_run *run, size_t u, const pf_function *function,
                               double *first, pf_error *error)
{
  const pf_layout *layout = run->fit->groups[u].layout;
  const pf_model *model = run->problem->model;
  const size_t first_weight = model->network_theta0 + model->declared.parameters.count;
  bool any = false;
  bool *is_weight = pf_memory_need(layout->n, sizeof *is_weight, error);
  if (is_weight == NULL) {
    return PF_STOP;
  }
  for (size_t k = 0; k < layout->n; k++) {
    is_weight[k] = layout->instances[layout->index[k]].parameter >= first_weight;
    any = any || is_weight[k];
  }
  const pf_status status = any ? pf_function_near_data(function, is_weight, first, error) : PF_OK;
  pf_memory_free(is_weight);
  return status;
}

/* INFINITY: there is none. */
static double objective_at(const pf_function *function, const double *v)
{
  double f = 0.0;
  pf_optimum count = pf_optimum_none();
  pf_error ignored = pf_error_none();
  return pf_function_value(function, v, &f, &count, &ignored) == PF_OK ? f : (double)INFINITY;
}

/* Where predictions at `v` are worse by far than nearer to 0, as in other units of inputs, scales
 * say nothing there: then halfway to 0 again and again. point: room, [n]. */
static void leave_bad_start(const pf_function *function, double *v, double *point)
{
  static const double much_lower = 0.75;
  enum { MAX_HALVINGS = 200 };
  if (function->value == NULL || function->n == 0) {
    return;
  }
  double f = objective_at(function, v);
  for (int halved = 0; halved < MAX_HALVINGS; halved++) {
    for (size_t i = 0; i < function->n; i++) {
      point[i] = 0.5 * v[i];
    }
    pf_clip_to_bounds(function, point);
    if (memcmp(point, v, function->n * sizeof *v) == 0) {
      return;
    }
    const double nearer = objective_at(function, point);
    if (!(nearer < much_lower * f) && (isfinite(f) || isfinite(nearer))) {
      return;
    }
    f = nearer;
    memcpy(v, point, function->n * sizeof *v);
  }
}

/* The scales of a group, and starts around `first`. */
static pf_status scale_group(fit_run *run, size_t u, const double *first,
                             pf_workspace *const *workspaces, pf_error *error)
{
  group_run *g = &run->groups[u];
  const size_t n = run->fit->groups[u].layout->n;
  pf_status status = PF_OK;
  pf_fit_job job = job_of(run, u, workspaces);
  status = pf_fit_job_begin(&job, error);
  if (status != PF_OK) {
    return status;
  }
  const pf_function *function = pf_group_objective_get(job.function);
  double *scale = g->spread + n;
  bool known = false;
  g->first = scale + n;
  memcpy(g->first, first, n * sizeof *first);
  status = lower_weights(run, u, function, g->first, error);
  if (status == PF_OK) {
    leave_bad_start(function, g->first, scale);
    status = pf_value_scales(function, g->first, scale, &known, error);
  }
  g->scale = known ? scale : NULL;
  for (size_t i = 0; i < n; i++) {
    /* all values move at once */
    const double factor = run->problem->settings->fit.spread / sqrt((double)n);
    g->spread[i] = factor * (known ? pf_value_spread(function, scale[i]) : 1.0);
  }
  pf_fit_job_clear(&job);
  return status;
}

static bool is_stopped(void *payload)
{
  const fit_run *run = payload;
  return run->stop != NULL && run->stop(run->ticker.payload);
}

/* The places of a group's values among those that it had before terms were chosen. */
static pf_status find_places(group_run *g, const pf_layout *layout, const size_t *before,
                             pf_error *error)
{
  g->full = pf_memory_need(layout->n, sizeof *g->full, error);
  if (g->full == NULL) {
    return PF_STOP;
  }
  for (size_t k = 0; k < layout->n; k++) {
    g->full[k] = before[layout->index[k]];
  }
  return PF_OK;
}

/* Down a penalty path, to a start or to the terms that are left. */
static pf_status walk_path(fit_run *run, size_t u, pf_workspace *const *workspaces, pf_error *error)
{
  pf_fit_group *group = &run->fit->groups[u];
  group_run *g = &run->groups[u];
  const size_t n = group->layout->n, n_instances = group->layout->n_instances;
  const pf_watch watch = {.payload = run, .stop = is_stopped};
  const pf_path_data data = {.problem = run->problem,
                             .group = group,
                             .batches = &g->batches,
                             .workspaces = workspaces,
                             .n_workspaces = (size_t)run->threads.inner,
                             .watch = &watch};
  bool found = false;
  pf_status status = PF_STOP;
  size_t *before = pf_memory_need(n_instances, sizeof *before, error);
  g->path_start = pf_memory_need(n, sizeof *g->path_start, error);
  if (before == NULL || g->path_start == NULL) {
    goto done;
  }
  for (size_t s = 0; s < n_instances; s++) {
    before[s] = group->layout->instances[s].value;
  }
  status = pf_path_start(&data, group, g->path_start, &found, error);
  if (group->layout->n > PF_MANY_TERMS && run->problem->settings->fit.starts == 0) {
    g->rule.limit = 1; /* that of the path */
  }
  if (status == PF_OK && group->layout->n < n) {
    status = find_places(g, group->layout, before, error);
  }
done:
  if (!found) {
    pf_memory_free(g->path_start);
    g->path_start = NULL;
  }
  g->n_given += found ? 1 : 0;
  pf_memory_free(before);
  return status;
}

/* Batches and scales of a group. */
static pf_status prepare_group(fit_run *run, size_t u, pf_workspace *const *workspaces,
                               pf_error *error)
{
  pf_fit_group *group = &run->fit->groups[u];
  pf_status status =
      pf_group_batches_create(run->problem, group, run->whole, &run->groups[u].batches, error);
  if (status == PF_OK && pf_path_is_used(run->problem, run->optimiser, group->layout->n) &&
      !fit_stays(run->problem)) {
    status = walk_path(run, u, workspaces, error);
  }
  return status != PF_OK ? status : scale_group(run, u, group->values_start, workspaces, error);
}

static void prepare_groups(fit_run *run)
{
  const thread_plan plan = run->threads;
  const int64_t n_groups = (int64_t)run->fit->n_groups;
#pragma omp parallel for schedule(dynamic) num_threads(plan.outer) if (plan.outer > 1)
  for (int64_t u = 0; u < n_groups; u++) {
    pf_fit_group *group = &run->fit->groups[u];
    if (group->status == PF_OK) {
      group->status = prepare_group(run, (size_t)u,
                                    run->workspaces.items + (plan.inner > 1 ? 0 : pf_this_thread()),
                                    &group->error);
    }
  }
}

/* Results do not depend on the schedule: a job shares nothing with another but the workspace's
 * memory. */
static void run_wave(fit_run *run)
{
  const thread_plan plan = run->threads;
  const start_job *jobs = run->jobs.items;
  const int64_t n_jobs = (int64_t)run->jobs.n;
#pragma omp parallel for schedule(dynamic) num_threads(plan.outer) if (plan.outer > 1)
  for (int64_t i = 0; i < n_jobs; i++) {
    run_job(run, jobs[i], run->workspaces.items + (plan.inner > 1 ? 0 : pf_this_thread()));
  }
}

/* Is start a better to keep than b? One that worked, then the better optimum (of equal ones, the
 * first). */
static bool is_better(const pf_function *function, const pf_start_result *a,
                      const pf_start_result *b)
{
  if ((a->status == PF_OK) != (b->status == PF_OK)) {
    return a->status == PF_OK;
  }
  return is_improvement(function, &a->optimum, &b->optimum) ||
         (isnan(b->optimum.objective) && !isnan(a->optimum.objective));
}

/* A start that was stopped (no memory left), not one that failed where it was: what the others
 * found is not what all would have found. */
static pf_status check_stopped(const pf_fit_group *group, pf_error *error)
{
  for (size_t k = 0; k < group->n_starts; k++) {
    const pf_start_result *start = &group->starts[k];
    if (start->status < 0) {
      return pf_fail_key(error, start->status, start->error.key, "%s", start->error.text);
    }
  }
  return PF_OK;
}

/* Which start is the best, and which others reached it. */
static pf_status compare_starts(fit_run *run, size_t u, pf_error *error)
{
  pf_fit_group *group = &run->fit->groups[u];
  pf_workspace *const *workspaces = run->workspaces.items;
  pf_fit_job job = job_of(run, u, workspaces);
  const pf_status status = pf_group_objective_create(&job.in, &job.function, error);
  if (status != PF_OK) {
    return status;
  }
  const pf_function *function = pf_group_objective_get(job.function);
  for (size_t k = 0; k < group->n_starts; k++) {
    const pf_start_result *start = &group->starts[k];
    if (is_better(function, start, &group->starts[group->best])) {
      group->best = k;
    }
    group->interrupted = group->interrupted || start->optimum.reason == PF_REASON_INTERRUPTED;
  }
  const double best = group->starts[group->best].optimum.objective;
  for (size_t k = 0; k < group->n_starts; k++) {
    pf_start_result *start = &group->starts[k];
    start->reached =
        start->status == PF_OK && pf_multistart_reached(function, start->optimum.objective, best);
  }
  pf_group_objective_free(job.function);
  return PF_OK;
}

/* Starts from the points that are given. */
static pf_status add_given_starts(fit_run *run, size_t u, pf_error *error)
{
  const group_run *g = &run->groups[u];
  const pf_layout *layout = run->fit->groups[u].layout;
  double *point = pf_memory_need(layout->n, sizeof *point, error);
  pf_status status = point == NULL ? PF_STOP : PF_OK;
  if (status == PF_OK && g->path_start != NULL) {
    status = add_start(run, u, g->path_start, error);
  }
  for (size_t p = 0; p < g->n_points; p++) {
    if (status != PF_OK) {
      break;
    }
    const double *values = run->points[u].values + p * g->n_point;
    for (size_t k = 0; k < layout->n; k++) {
      point[k] = values[g->full == NULL ? k : g->full[k]];
    }
    status = add_start(run, u, point, error);
  }
  pf_memory_free(point);
  return status;
}

/* The starts of the next wave of a group. */
static pf_status plan_starts(fit_run *run, size_t u, pf_error *error)
{
  const pf_fit_group *group = &run->fit->groups[u];
  const group_run *g = &run->groups[u];
  const bool first = group->n_starts == 0;
  size_t n_reached = 0;
  if (group->status != PF_OK || group->interrupted) {
    return PF_OK;
  }
  for (size_t k = 0; k < group->n_starts; k++) {
    n_reached += group->starts[k].reached ? 1 : 0;
  }
  const size_t n_done = first ? 0 : group->n_starts - g->n_given;
  size_t n = pf_multistart_next(&g->rule, n_done, n_reached);
  if (first && n > FIRST_OF_OWN) { /* where given points arrive too, that is found often enough */
    n = n > FIRST_OF_OWN + g->n_given ? n - g->n_given : FIRST_OF_OWN;
  }
  for (size_t k = 0; k < n; k++) {
    pf_status status = add_start(run, u, first && k == 0 ? group->values_start : NULL, error);
    if (status == PF_OK && first && k == 0) {
      status = add_given_starts(run, u, error);
    }
    if (status != PF_OK) {
      return status;
    }
  }
  if (n == 0 && !run->optimiser->fixed_passes) {
    pf_ticker_add(&run->ticker, 1);
  }
  return PF_OK;
}

/* The best of a group's starts so far is its result. */
static pf_status keep_best(fit_run *run, size_t u, pf_error *error)
{
  pf_fit_group *group = &run->fit->groups[u];
  if (group->status != PF_OK) {
    return PF_OK;
  }
  pf_status status = check_stopped(group, error);
  if (status == PF_OK) {
    status = compare_starts(run, u, error);
  }
  if (status != PF_OK) {
    return status;
  }
  const pf_start_result *best = &group->starts[group->best];
  const size_t bytes = group->layout->n * sizeof(double);
  group->optimum = best->optimum;
  memcpy(group->values_start, best->from, bytes);
  memcpy(group->values, best->values, bytes);
  return PF_OK;
}

static pf_status keep_all_best(fit_run *run, pf_error *error)
{
  for (size_t u = 0; u < run->fit->n_groups; u++) {
    const pf_status status = keep_best(run, u, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

/* The starts that were planned; then each group's best so far. */
static pf_status run_planned(fit_run *run, pf_error *error)
{
  run_wave(run);
  return keep_all_best(run, error);
}

static pf_status run_waves(fit_run *run, pf_error *error)
{
  for (;;) {
    run->jobs.n = 0;
    for (size_t u = 0; u < run->fit->n_groups; u++) {
      const pf_status status = plan_starts(run, u, error);
      if (status != PF_OK) {
        return status;
      }
    }
    if (run->jobs.n == 0) {
      return PF_OK;
    }
    const pf_status status = run_planned(run, error);
    if (status != PF_OK) {
      return status;
    }
  }
}

/* Of few data, was the best optimum found too seldom by all starts that there may be? Then the
 * objective is rough: others begin at any power of ten, then around the best, since lower points
 * are near low ones. */
static bool is_found_too_seldom(const fit_run *run, size_t u)
{
  const pf_fit_group *group = &run->fit->groups[u];
  const group_run *g = &run->groups[u];
  size_t n_reached = 0;
  for (size_t k = 0; k < group->n_starts; k++) {
    n_reached += group->starts[k].reached ? 1 : 0;
  }
  return group->status == PF_OK && !group->interrupted && g->is_small && g->rule.limit > 1 &&
         run->problem->settings->fit.starts == 0 && run->problem->options.starts == 0 &&
         n_reached < g->rule.found && n_reached < FOUND && g->n_around < MAX_AROUND;
}

static pf_status start_again_where_rough(fit_run *run, pf_error *error)
{
  for (int round = 0; round < MAX_AROUND; round++) {
    bool any = false;
    for (size_t u = 0; u < run->fit->n_groups; u++) {
      const pf_fit_group *group = &run->fit->groups[u];
      group_run *g = &run->groups[u];
      if (!is_found_too_seldom(run, u)) {
        continue;
      }
      any = true;
      g->n_around++;
      g->rule.limit += N_AROUND;
      g->first = g->spread + 2 * group->layout->n;
      for (size_t i = 0; i < group->layout->n; i++) {
        const double size = g->n_around > 1 ? around * fabs(group->values[i]) : 0.0;
        g->first[i] = group->values[i];
        g->spread[i] = size > 0.0 ? size : g->spread[i];
      }
    }
    if (!any) {
      return PF_OK;
    }
    const pf_status status = run_waves(run, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

/* What the fits amount to, and one more start from each better point that comes up. */
static pf_status judge_group(fit_run *run, size_t u, bool again, pf_error *error)
{
  pf_fit_group *group = &run->fit->groups[u];
  if (group->status != PF_OK || group->starts[group->best].status != PF_OK || group->interrupted ||
      run->optimiser->fixed_passes || fit_stays(run->problem)) {
    return PF_OK;
  }
  pf_fit_job job = job_of(run, u, run->workspaces.items);
  pf_judgement judgement = {.better =
                                pf_memory_need(group->layout->n, sizeof *judgement.better, error)};
  if (judgement.better == NULL) {
    return PF_STOP;
  }
  pf_status status = pf_group_objective_create(&job.in, &job.function, error);
  if (status == PF_OK) {
    pf_group_objective_set_scale(job.function, run->groups[u].scale);
    status =
        pf_fit_judge(run->problem, group, pf_group_objective_get(job.function), &judgement, error);
    pf_group_objective_free(job.function);
  }
  group->runs_off = judgement.runs_off || group->optimum.reason == PF_REASON_RUNS_OFF;
  group->runs_off_most =
      judgement.runs_off ? judgement.runs_off_most : group->optimum.runs_off_value;
  group->worse_than_null = judgement.worse_than_null;
  if (status == PF_OK && again && judgement.has_better) {
    status = add_start(run, u, judgement.better, error);
    run->groups[u].n_given++; /* so it does not count against the limit */
  }
  pf_memory_free(judgement.better);
  return status;
}

/* Where the start from a better point is the best now, others look around it. */
static pf_status start_around_better(fit_run *run, pf_error *error)
{
  for (size_t u = 0; u < run->fit->n_groups; u++) {
    const pf_fit_group *group = &run->fit->groups[u];
    if (group->n_starts > 1 && group->best == group->n_starts - 1 &&
        group->starts[group->best].given) {
      const pf_status status = scale_group(run, u, group->values, run->workspaces.items, error);
      if (status != PF_OK) {
        return status;
      }
    }
  }
  return run_waves(run, error);
}

static pf_status judge_groups(fit_run *run, pf_error *error)
{
  for (int round = 0; round <= N_ROUNDS; round++) {
    run->jobs.n = 0;
    for (size_t u = 0; u < run->fit->n_groups; u++) {
      const pf_status status = judge_group(run, u, round < N_ROUNDS, error);
      if (status != PF_OK) {
        return status;
      }
    }
    if (run->jobs.n == 0) {
      return PF_OK;
    }
    if (run_planned(run, error) != PF_OK || start_around_better(run, error) != PF_OK) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

/* What is to be told of a group: the rows of its best start, and why it failed. */
static void finish_group(fit_run *run, size_t u)
{
  pf_fit_group *group = &run->fit->groups[u];
  group_run *g = &run->groups[u];
  if (group->status != PF_OK || group->n_starts == 0) {
    return;
  }
  const pf_start_result *best = &group->starts[group->best];
  group->rows = pf_array_take(&g->rows[group->best], &group->n_rows);
  group->row_values = pf_array_take(&g->row_values[group->best], NULL);
  group->status = best->status;
  group->error = best->error;
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
    fit->n_unconverged += claims && !pf_fit_claims(group) ? 1 : 0;
    n_stopped += group->status < 0 ? 1 : 0;
  }
  if (n_stopped == fit->n_groups) {
    return pf_fail(error, PF_STOP, "%s", fit->groups[0].error.text);
  }
  return PF_OK;
}

static pf_status make_groups(fit_run *run, pf_error *error)
{
  const size_t n_groups = run->fit->n_groups;
  run->jobs = pf_array_of(sizeof(start_job));
  run->groups = pf_memory_need(n_groups, sizeof *run->groups, error);
  if (run->groups == NULL) {
    return PF_STOP;
  }
  for (size_t u = 0; u < n_groups; u++) {
    const pf_status status = make_group(run, u, error);
    if (status != PF_OK) {
      return status;
    }
  }
  run->threads = plan_threads(run->problem, n_groups);
  return pf_thread_workspaces_create(run->problem->model, &run->problem->data,
                                     (size_t)pf_fit_n_threads(run->problem, n_groups),
                                     &run->workspaces, error);
}

static pf_status run_fit(fit_run *run, const pf_observer *observer, pf_error *error)
{
  pf_status status = pf_fit_groups_create(run->problem, run->fit, error);
  if (status != PF_OK) {
    return status;
  }
  status = make_groups(run, error);
  if (status != PF_OK) {
    goto done;
  }
  prepare_groups(run);
  pf_ticker_start(&run->ticker, observer->progress, observer->payload, "fitting", count_work(run));
  status = run_waves(run, error);
  if (status == PF_OK) {
    status = start_again_where_rough(run, error);
  }
  if (status == PF_OK) {
    status = judge_groups(run, error);
  }
  pf_ticker_end(&run->ticker);
  for (size_t u = 0; u < run->fit->n_groups; u++) {
    finish_group(run, u);
  }
  if (status == PF_OK) {
    status = count_failures(run, error);
  }
done:
  pf_thread_workspaces_free(&run->workspaces);
  free_groups(run);
  return status;
}

pf_status pf_fit_run(const pf_problem *problem, pf_progress progress, pf_stop stop, void *payload,
                     pf_fit **out, pf_error *error)
{
  return pf_fit_run_from(problem, NULL, &(pf_observer){progress, stop, payload}, out, error);
}

pf_status pf_fit_run_from(const pf_problem *problem, const pf_start_points *points,
                          const pf_observer *observer, pf_fit **out, pf_error *error)
{
  const double started = pf_clock_seconds();
  fit_run run = {.problem = problem,
                 .points = points,
                 .stop = observer->stop,
                 .ticker = {.payload = observer->payload},
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
  const pf_status status = run_fit(&run, observer, error);
  if (status != PF_OK) {
    pf_fit_free(problem, run.fit);
    return status;
  }
  run.fit->seconds = pf_clock_seconds() - started;
  *out = run.fit;
  return PF_OK;
}
