#include "core/evaluate/evaluate.h"
#include "core/base/memory.h"
#include "core/base/threads.h"
#include "core/base/ticker.h"
#include "core/evaluate/refit.h"
#include "core/evaluate/score.h"

/* Scorers, one per thread. */
typedef struct scorers {
  pf_scorer *items;
  int n;
} scorers;

static pf_status make_scorers(const pf_problem *problem, const pf_evaluation_plan *plan,
                              scorers *out, pf_error *error)
{
  const int n_threads = problem->options.n_threads > 1 ? problem->options.n_threads : 1;
  const size_t n_animals = plan->data->n_animals;
  const int n = n_animals < (size_t)n_threads ? (int)n_animals : n_threads;
  out->items = pf_memory_need((size_t)n, sizeof *out->items, error);
  if (out->items == NULL) {
    return PF_STOP;
  }
  while (out->n < n) {
    const pf_status status =
        pf_scorer_create(problem, pf_evaluation_longest(plan), &out->items[out->n++], error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

static void free_scorers(scorers *all)
{
  for (int t = 0; t < all->n; t++) {
    pf_scorer_clear(&all->items[t]);
  }
  pf_memory_free(all->items);
}

/* ---- what each recording is simulated with ---- */

/* Has somebody asked to stop? Then that is why something is missing. */
typedef struct stopper {
  pf_stop asked;
  void *payload;
} stopper;

static bool is_stopped(const stopper *stop, pf_status *status, pf_error *error)
{
  if (stop->asked == NULL || !stop->asked(stop->payload)) {
    return false;
  }
  *status = pf_fail(error, PF_POINT_FAILED, "interrupted before it was scored");
  return true;
}

/* Which thetas could not be had, and why: of a unit. */
typedef struct trouble {
  pf_status status;
  pf_error error;
} trouble;

/* Of all recordings that the layout has, into their places. */
static void spread(const pf_evaluation_plan *plan, const pf_layout *layout, const double *values,
                   size_t n_theta, double *thetas)
{
  for (size_t i = 0; i < plan->data->n; i++) {
    const size_t r =
        layout->data == plan->data ? layout->local[i] : 0; /* of other data: nothing has copies */
    if (r != PF_LAYOUT_NONE) {
      pf_layout_theta(layout, values, r, thetas + i * n_theta);
    }
  }
}

/* The unit's own layout is that of the data evaluated, or else what it lacks is fitted to them. */
static pf_status thetas_of_unit(const pf_problem *problem, const pf_evaluation_plan *plan,
                                const pf_fit_group *unit, pf_evaluation *evaluation,
                                pf_error *error)
{
  const size_t n_theta = problem->model->n_parameters;
  pf_refit own = {0}, null = {0};
  pf_status status = unit->layout->data != plan->data
                         ? pf_refit_data(problem, unit, plan->data, &own, error)
                         : PF_OK;
  const pf_layout *layout = own.layout != NULL ? own.layout : unit->layout;
  const double *values = own.layout != NULL ? own.values : unit->values;
  if (status == PF_OK) {
    evaluation->refitted = evaluation->refitted || own.layout != NULL || unit->refitted;
    spread(plan, layout, values, n_theta, evaluation->thetas);
    status = pf_refit_null(problem, layout, values, &null, error);
  }
  if (status == PF_OK) {
    evaluation->null_refitted = evaluation->null_refitted || null.layout != NULL;
    spread(plan, null.layout != NULL ? null.layout : layout,
           null.layout != NULL ? null.values : values, n_theta, evaluation->null_thetas);
  }
  pf_refit_clear(&own);
  pf_refit_clear(&null);
  return status;
}

static pf_status make_thetas(const pf_problem *problem, const pf_fit *fit,
                             const pf_evaluation_plan *plan, const stopper *stop, trouble *troubles,
                             pf_evaluation *evaluation, pf_error *error)
{
  const size_t cells = plan->data->n * problem->model->n_parameters;
  evaluation->thetas = pf_memory_need(cells, sizeof(double), error);
  evaluation->null_thetas = pf_memory_need(cells, sizeof(double), error);
  if (evaluation->thetas == NULL || evaluation->null_thetas == NULL) {
    return PF_STOP;
  }
  for (size_t u = 0; u < fit->n_groups; u++) {
    troubles[u].error = pf_error_none();
    if (fit->groups[u].status == PF_OK &&
        !is_stopped(stop, &troubles[u].status, &troubles[u].error)) {
      troubles[u].status =
          thetas_of_unit(problem, plan, &fit->groups[u], evaluation, &troubles[u].error);
    }
  }
  return PF_OK;
}

/* ---- scores ---- */

static void score(const pf_problem *problem, const pf_fit *fit, const pf_evaluation_plan *plan,
                  const stopper *stop, const trouble *troubles, const pf_evaluation *evaluation,
                  size_t animal, pf_scorer *scorer, pf_animal_result *result)
{
  const pf_scoring scoring = {.problem = problem,
                              .plan = plan,
                              .thetas = evaluation->thetas,
                              .null_thetas = evaluation->null_thetas};
  pf_animal_score score;
  const int64_t index = pf_evaluation_group(problem, fit, animal);
  result->name = plan->data->animals[animal];
  result->error = pf_error_none();
  result->scores = pf_scores_none();
  if (index < 0) {
    result->status =
        pf_fail(&result->error, PF_POINT_FAILED,
                "no theta was fitted for '%s': there are %zu fits, one per animal; use fit.per = "
                "\"shared\" to score other animals",
                result->name, fit->n_groups);
    result->unit = fit->n_groups;
    return;
  }
  const pf_fit_group *unit = &fit->groups[index];
  result->unit = (size_t)index;
  if (unit->status == PF_OK && is_stopped(stop, &result->status, &result->error)) {
    result->interrupted = true;
    return;
  }
  if (unit->status != PF_OK ||
      troubles[index].status != PF_OK) { /* a theta at which a fit broke off says nothing */
    result->status = unit->status != PF_OK ? unit->status : troubles[index].status;
    result->error = unit->status != PF_OK ? unit->error : troubles[index].error;
    return;
  }
  result->status = pf_score_animal(&scoring, animal, scorer, &score, &result->error);
  if (result->status == PF_OK && score.r2_status != PF_OK) {
    result->status = score.r2_status;
    result->error = score.r2_error;
  }
  if (result->status == PF_OK) {
    result->scores = score.scores;
  }
}

static void score_all(const pf_problem *problem, const pf_fit *fit, const pf_evaluation_plan *plan,
                      const scorers *all, const stopper *stop, const trouble *troubles,
                      pf_ticker *ticker, pf_evaluation *evaluation)
{
  const int64_t n = (int64_t)evaluation->n_animals;
#pragma omp parallel for schedule(dynamic) num_threads(all->n) if (all->n > 1)
  for (int64_t a = 0; a < n; a++) {
    score(problem, fit, plan, stop, troubles, evaluation, (size_t)a, &all->items[pf_this_thread()],
          &evaluation->animals[a]);
    pf_ticker_add(ticker, 1);
  }
  for (int64_t a = 0; a < n; a++) {
    evaluation->n_interrupted += evaluation->animals[a].interrupted ? 1 : 0;
  }
}

pf_status pf_evaluate(const pf_problem *problem, const pf_fit *fit, pf_progress progress,
                      pf_stop stop, void *payload, pf_evaluation **out, pf_error *error)
{
  const pf_evaluation_plan plan = pf_evaluation_plan_of(problem);
  const stopper stopping = {stop, payload};
  scorers all = {0};
  pf_evaluation *evaluation = pf_memory_need(1, sizeof *evaluation, error);
  if (evaluation == NULL) {
    return PF_STOP;
  }
  evaluation->evaluated_on = plan.on;
  evaluation->n_animals = plan.data->n_animals;
  evaluation->animals = pf_memory_need(evaluation->n_animals, sizeof *evaluation->animals, error);
  trouble *troubles = pf_memory_need(fit->n_groups, sizeof *troubles, error);
  pf_status status = evaluation->animals == NULL || troubles == NULL
                         ? PF_STOP
                         : make_scorers(problem, &plan, &all, error);
  status = status == PF_OK
               ? make_thetas(problem, fit, &plan, &stopping, troubles, evaluation, error)
               : status;
  if (status == PF_OK) {
    pf_ticker ticker;
    pf_ticker_start(&ticker, progress, payload, "evaluating", (int64_t)evaluation->n_animals);
    score_all(problem, fit, &plan, &all, &stopping, troubles, &ticker, evaluation);
    pf_ticker_end(&ticker);
    status = pf_scores_summarise(evaluation->animals, evaluation->n_animals, &evaluation->mean,
                                 &evaluation->median, error);
  }
  free_scorers(&all);
  pf_memory_free(troubles);
  if (status != PF_OK) {
    pf_evaluation_free(evaluation);
    return status;
  }
  *out = evaluation;
  return PF_OK;
}

void pf_evaluation_free(pf_evaluation *evaluation)
{
  if (evaluation != NULL) {
    pf_memory_free(evaluation->animals);
    pf_memory_free(evaluation->thetas);
    pf_memory_free(evaluation->null_thetas);
    pf_memory_free(evaluation);
  }
}
