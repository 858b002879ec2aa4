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

/* Which thetas could not be had, and why: of a unit. */
typedef struct trouble {
  pf_status status;
  pf_error error;
} trouble;

/* Has somebody asked to stop? Then that is why something is missing. */
typedef struct stopper {
  pf_stop asked;
  void *payload;
} stopper;

/* An evaluation under way. */
typedef struct evaluating {
  const pf_problem *problem;
  const pf_fit *fit;
  pf_evaluation_plan plan;
  stopper stop;
  trouble *troubles; /* [fit->n_groups] */
  scorers scorers;
  pf_ticker ticker;
  pf_evaluation *out;
} evaluating;

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

static bool is_stopped(const stopper *stop, pf_status *status, pf_error *error)
{
  if (stop->asked == NULL || !stop->asked(stop->payload)) {
    return false;
  }
  *status = pf_fail(error, PF_POINT_FAILED, "interrupted before it was scored");
  return true;
}

/* Of all recordings that the layout has, into their places. */
static void spread_thetas(const pf_evaluation_plan *plan, const pf_layout *layout,
                          const double *values, size_t n_theta, double *thetas)
{
  if (layout->data != plan->data) { /* nothing has copies */
    for (size_t i = 0; i < plan->data->n; i++) {
      pf_layout_theta(layout, values, 0, thetas + i * n_theta);
    }
    return;
  }
  /* the last place of a recording counts, where it has several */
  for (size_t k = 0; k < layout->n_recordings; k++) {
    const pf_layout_place *place = &layout->places[k];
    pf_layout_theta(layout, values, place->local, thetas + place->recording * n_theta);
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
    spread_thetas(plan, layout, values, n_theta, evaluation->thetas);
    status = pf_refit_null(problem, layout, values, &null, error);
  }
  if (status == PF_OK) {
    evaluation->null_refitted = evaluation->null_refitted || null.layout != NULL;
    spread_thetas(plan, null.layout != NULL ? null.layout : layout,
                  null.layout != NULL ? null.values : values, n_theta, evaluation->null_thetas);
  }
  pf_refit_clear(&own);
  pf_refit_clear(&null);
  return status;
}

static pf_status make_thetas(evaluating *e, pf_error *error)
{
  const pf_fit *fit = e->fit;
  const size_t cells = e->plan.data->n * e->problem->model->n_parameters;
  e->out->thetas = pf_memory_need(cells, sizeof(double), error);
  e->out->null_thetas = pf_memory_need(cells, sizeof(double), error);
  if (e->out->thetas == NULL || e->out->null_thetas == NULL) {
    return PF_STOP;
  }
  for (size_t u = 0; u < fit->n_groups; u++) {
    trouble *of = &e->troubles[u];
    of->error = pf_error_none();
    if (fit->groups[u].status == PF_OK && !is_stopped(&e->stop, &of->status, &of->error)) {
      of->status = thetas_of_unit(e->problem, &e->plan, &fit->groups[u], e->out, &of->error);
    }
  }
  return PF_OK;
}

/* ---- scores ---- */

static void score_one(const evaluating *e, size_t animal, pf_scorer *scorer)
{
  const pf_scoring scoring = {.problem = e->problem,
                              .plan = &e->plan,
                              .thetas = e->out->thetas,
                              .null_thetas = e->out->null_thetas};
  pf_animal_result *result = &e->out->animals[animal];
  pf_animal_score score;
  const int64_t index = pf_evaluation_group(e->problem, e->fit, animal);
  result->name = e->plan.data->animals[animal];
  result->error = pf_error_none();
  result->scores = pf_scores_none();
  if (index < 0) {
    result->status =
        pf_fail(&result->error, PF_POINT_FAILED,
                "no theta was fitted for '%s': there are %zu fits, one per animal; use fit.per = "
                "\"shared\" to score other animals",
                result->name, e->fit->n_groups);
    result->unit = e->fit->n_groups;
    return;
  }
  const pf_fit_group *unit = &e->fit->groups[index];
  result->unit = (size_t)index;
  if (unit->status == PF_OK && is_stopped(&e->stop, &result->status, &result->error)) {
    result->interrupted = true;
    return;
  }
  if (unit->status != PF_OK ||
      e->troubles[index].status != PF_OK) { /* a theta at which a fit broke off says nothing */
    result->status = unit->status != PF_OK ? unit->status : e->troubles[index].status;
    result->error = unit->status != PF_OK ? unit->error : e->troubles[index].error;
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

static void score_all(evaluating *e)
{
  const int64_t n = (int64_t)e->out->n_animals;
  const scorers *all = &e->scorers;
#pragma omp parallel for schedule(dynamic) num_threads(all->n) if (all->n > 1)
  for (int64_t a = 0; a < n; a++) {
    score_one(e, (size_t)a, &all->items[pf_this_thread()]);
    pf_ticker_add(&e->ticker, 1);
  }
  for (int64_t a = 0; a < n; a++) {
    e->out->n_interrupted += e->out->animals[a].interrupted ? 1 : 0;
  }
}

pf_status pf_evaluate(const pf_problem *problem, const pf_fit *fit, const pf_observer *observer,
                      pf_evaluation **out, pf_error *error)
{
  evaluating e = {.problem = problem,
                  .fit = fit,
                  .plan = pf_evaluation_plan_of(problem),
                  .stop = {observer->stop, observer->payload}};
  pf_evaluation *evaluation = pf_memory_need(1, sizeof *evaluation, error);
  if (evaluation == NULL) {
    return PF_STOP;
  }
  pf_status status = PF_STOP;
  e.out = evaluation;
  evaluation->evaluated_on = e.plan.on;
  evaluation->n_animals = e.plan.data->n_animals;
  evaluation->animals = pf_memory_need(evaluation->n_animals, sizeof *evaluation->animals, error);
  e.troubles = pf_memory_need(fit->n_groups, sizeof *e.troubles, error);
  if (evaluation->animals == NULL || e.troubles == NULL) {
    goto done;
  }
  status = make_scorers(problem, &e.plan, &e.scorers, error);
  if (status != PF_OK) {
    goto done;
  }
  status = make_thetas(&e, error);
  if (status != PF_OK) {
    goto done;
  }
  pf_ticker_start(&e.ticker, observer->progress, observer->payload, "evaluating",
                  (int64_t)evaluation->n_animals);
  score_all(&e);
  pf_ticker_end(&e.ticker);
  status = pf_scores_summarise(evaluation->animals, evaluation->n_animals, &evaluation->mean,
                               &evaluation->median, &evaluation->pooled, error);
done:
  free_scorers(&e.scorers);
  pf_memory_free(e.troubles);
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
