#include "core/evaluate/evaluate.h"
#include "core/base/memory.h"
#include "core/base/threads.h"
#include "core/evaluate/score.h"
#include "core/fit/ticker.h"

/* Scorers, one per thread. */
typedef struct scorers {
  pf_scorer *items;
  int n;
} scorers;

static pf_status make_scorers(const pf_problem *problem, const pf_evaluation_plan *plan, scorers *out, pf_error *error)
{
  const int n_threads = problem->fit.n_threads > 1 ? problem->fit.n_threads : 1;
  const size_t n_animals = plan->data->n_animals;
  const int n = n_animals < (size_t)n_threads ? (int)n_animals : n_threads;
  const int64_t longest = pf_evaluation_longest(plan);
  out->items = pf_memory_need((size_t)n, sizeof *out->items, error);
  if (out->items == NULL) {
    return PF_STOP;
  }
  out->n = n;
  for (int t = 0; t < n; t++) {
    pf_status status = pf_workspace_create(problem->model, longest, &out->items[t].model, error);
    if (status == PF_OK && problem->teacher != NULL) {
      status = pf_workspace_create(problem->teacher, longest, &out->items[t].teacher, error);
    }
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

static void free_scorers(scorers *all)
{
  for (int t = 0; t < all->n; t++) {
    pf_workspace_free(all->items[t].model);
    pf_workspace_free(all->items[t].teacher);
  }
  pf_memory_free(all->items);
}

static void score(const pf_problem *problem, const pf_fit *fit, const pf_evaluation_plan *plan, size_t animal,
                  pf_scorer *scorer, pf_animal_result *result)
{
  const int64_t index = pf_evaluation_unit(problem, fit, animal);
  result->name = plan->data->animals[animal];
  result->error = pf_error_none();
  result->scores = pf_scores_none();
  if (index < 0) {
    result->status = pf_fail(&result->error, PF_POINT_FAILED,
                             "no theta was fitted for '%s': there are %zu fits, one per animal; use fit.per = "
                             "\"shared\" to score other animals",
                             result->name, fit->n_units);
    result->unit = fit->n_units;
    return;
  }
  const pf_fit_unit *unit = &fit->units[index];
  result->unit = (size_t)index;
  if (unit->status != PF_OK) { /* a theta at which the fit broke off says nothing */
    result->status = unit->status;
    result->error = unit->error;
    return;
  }
  const size_t n_theta = problem->model->n_parameters;
  double *thetas = pf_memory_need(plan->data->n * n_theta, sizeof *thetas, &result->error);
  for (size_t i = 0; thetas != NULL && i < plan->data->n; i++) {
    if (plan->data->recordings[i].animal_index == animal) {
      pf_evaluation_theta(plan, unit, i, thetas + i * n_theta);
    }
  }
  result->status = thetas == NULL
                       ? PF_STOP
                       : pf_score_animal(problem, plan, animal, thetas, scorer, &result->scores, &result->error);
  pf_memory_free(thetas);
}

static void score_all(const pf_problem *problem, const pf_fit *fit, const pf_evaluation_plan *plan, const scorers *all,
                      pf_ticker *ticker, pf_evaluation *evaluation)
{
  const int64_t n = (int64_t)evaluation->n_animals;
#pragma omp parallel for schedule(dynamic) num_threads(all->n) if (all->n > 1)
  for (int64_t a = 0; a < n; a++) {
    score(problem, fit, plan, (size_t)a, &all->items[pf_this_thread()], &evaluation->animals[a]);
    pf_ticker_add(ticker, 1);
  }
}

pf_status pf_evaluate(const pf_problem *problem, const pf_fit *fit, pf_progress progress, void *payload,
                      pf_evaluation **out, pf_error *error)
{
  const pf_evaluation_plan plan = pf_evaluation_plan_of(problem);
  scorers all = {0};
  pf_evaluation *evaluation = pf_memory_need(1, sizeof *evaluation, error);
  if (evaluation == NULL) {
    return PF_STOP;
  }
  evaluation->evaluated_on = plan.on;
  evaluation->n_animals = plan.data->n_animals;
  evaluation->animals = pf_memory_need(evaluation->n_animals, sizeof *evaluation->animals, error);
  pf_status status = evaluation->animals == NULL ? PF_STOP : make_scorers(problem, &plan, &all, error);
  if (status == PF_OK) {
    pf_ticker ticker;
    pf_ticker_start(&ticker, progress, payload, "evaluating", (int64_t)evaluation->n_animals);
    score_all(problem, fit, &plan, &all, &ticker, evaluation);
    pf_ticker_end(&ticker);
    status =
        pf_scores_summarise(evaluation->animals, evaluation->n_animals, &evaluation->mean, &evaluation->median, error);
  }
  free_scorers(&all);
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
    pf_memory_free(evaluation);
  }
}
