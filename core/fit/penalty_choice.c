#include "core/fit/penalty_choice.h"

#include "core/base/memory.h"
#include "core/fit/penalty_folds.h"
#include "core/model/terms.h"

#include <math.h>
#include <string.h>

enum { N_GRID = 14 };

/* Scores of all units at all penalties. */
typedef struct score_table {
  double *scores; /* [n_units][N_GRID]; infinite: no fit, or it overflows there */
  size_t n_units;
  size_t n;         /* penalties that every fold went down to */
  size_t n_scored;  /* units so far */
  const double *l1; /* [n] penalties, the largest first */
} score_table;

static double score_at(const score_table *table, size_t unit, size_t i)
{
  return table->scores[unit * N_GRID + i];
}

/* ---- folds ---- */

/* Scores of a fold's units, into the next rows of the table. */
static pf_status score_fold(const pf_path_data *data, const pf_fold *fold,
                            const pf_penalty_path *path, score_table *out, pf_error *error)
{
  for (size_t u = 0; u < fold->n_units; u++) {
    double *row = out->scores + (out->n_scored + u) * N_GRID;
    for (size_t i = 0; i < N_GRID; i++) {
      row[i] = INFINITY;
      if (i >= path->n || !path->points[i].refitted) {
        continue;
      }
      const pf_status status = pf_fold_score(&fold->units[u], path->points[i].refit,
                                             data->workspaces, data->n_workspaces, &row[i], error);
      if (status != PF_OK) {
        return status;
      }
    }
  }
  return PF_OK;
}

static pf_status run_fold(const pf_path_data *data, const pf_penalty_folds *plan, size_t k,
                          score_table *out, pf_error *error)
{
  pf_fold fold;
  pf_penalty_path path = {0};
  pf_status status = pf_fold_create(data->problem, data->group, plan, k, &fold, error);
  if (status == PF_OK) {
    pf_path_data train = *data;
    train.problem = fold.train.problem;
    train.group = &fold.train.fit->groups[0];
    train.batches = &fold.train.batches;
    status = pf_penalty_path_create(&train, out->l1, out->n, true, &path, error);
  }
  if (status == PF_OK) {
    out->n = path.n;
    status = score_fold(data, &fold, &path, out, error);
    out->n_scored += fold.n_units;
  }
  pf_penalty_path_clear(&path);
  pf_fold_clear(&fold);
  return status;
}

/* ---- the choice ---- */

static double sum_at(const score_table *table, size_t i)
{
  double sum = 0.0;
  for (size_t u = 0; u < table->n_units; u++) {
    sum += score_at(table, u, i);
  }
  return sum;
}

/* Is penalty i within one standard error of the best one's score? */
static bool is_as_good(const score_table *table, size_t i, size_t best)
{
  const double n = (double)table->n_units;
  const double mean = (sum_at(table, i) - sum_at(table, best)) / n;
  double squares = 0.0;
  if (!isfinite(mean)) {
    return false;
  }
  for (size_t u = 0; u < table->n_units; u++) {
    const double off = score_at(table, u, i) - score_at(table, u, best) - mean;
    squares += off * off;
  }
  return n > 1.0 && mean <= sqrt(squares / (n * (n - 1.0)));
}

/* The index of the chosen penalty; table->n: none has a score. */
static size_t choose_index(const score_table *table, const pf_penalty_path *whole)
{
  size_t best = table->n;
  for (size_t i = 0; i < table->n && i < whole->n; i++) {
    if (whole->points[i].refitted && isfinite(sum_at(table, i)) &&
        (best == table->n || sum_at(table, i) < sum_at(table, best))) {
      best = i;
    }
  }
  for (size_t i = 0; i < best && best < table->n; i++) {
    if (whole->points[i].refitted && is_as_good(table, i, best)) {
      return i;
    }
  }
  return best;
}

static pf_status choose_from(const pf_path_data *data, score_table *table, double *values,
                             pf_chosen_penalty *out, pf_error *error)
{
  pf_penalty_path whole = {0};
  pf_status status = pf_penalty_path_create(data, table->l1, table->n, true, &whole, error);
  if (status != PF_OK) {
    goto done;
  }
  const size_t chosen = choose_index(table, &whole);
  if (chosen == table->n) {
    status = pf_fail(error, PF_POINT_FAILED,
                     "penalty.l1 = \"auto\": under no penalty did all fits to parts of the data "
                     "arrive, so none can be chosen; give one (penalty.l1=0.01), or fewer terms");
    goto done;
  }
  out->chosen = true;
  out->l1 = whole.points[chosen].l1;
  out->n_left = whole.points[chosen].n_terms;
  out->score = sum_at(table, chosen);
  out->score_without = sum_at(table, 0);
  memcpy(values, whole.points[chosen].penalised, data->group->layout->n * sizeof *values);
done:
  pf_penalty_path_clear(&whole);
  return status;
}

pf_status pf_penalty_choose(const pf_path_data *data, double *values, pf_chosen_penalty *out,
                            pf_error *error)
{
  const pf_penalty_folds plan = pf_penalty_folds_plan(data->group);
  double l1[N_GRID];
  score_table table = {.n_units = plan.n_units, .n = N_GRID, .l1 = l1};
  *out = (pf_chosen_penalty){.by_animals = plan.by_animals,
                             .n_folds = plan.n,
                             .n_units = plan.n_units,
                             .n_terms = pf_count_open_terms(data->problem->model)};
  table.scores = pf_memory_need(plan.n_units * N_GRID, sizeof *table.scores, error);
  if (table.scores == NULL) {
    return PF_STOP;
  }
  pf_status status = pf_penalty_grid(data, l1, N_GRID, error);
  for (size_t k = 0; k < plan.n; k++) {
    if (status != PF_OK || table.n == 0) {
      break;
    }
    status = run_fold(data, &plan, k, &table, error);
  }
  if (status == PF_OK) {
    status = choose_from(data, &table, values, out, error);
  }
  pf_memory_free(table.scores);
  return status;
}
