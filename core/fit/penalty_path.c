#include "core/fit/penalty_path.h"

#include "core/base/memory.h"
#include "core/model/terms.h"

#include <math.h>
#include <string.h>

/* Rounds in which terms that should not be 0 join; iterations of a fit. */
enum { MAX_ROUNDS = 8, MAX_PENALISED = 60, MAX_REFIT = 100 };

static const double path_nats = 1e-4; /* left to gain: the next penalty goes on from there */
static const double refit_nats = 1e-6;
static const double least_share = 0.01; /* the last penalty of a grid, of the first */
static const double slack = 1e-3;       /* of the penalty: how far a gradient may be above it */

static bool is_term(const pf_path_data *data, size_t k)
{
  const pf_layout *layout = data->group->layout;
  return pf_is_open_term(data->problem->model, layout->instances[layout->index[k]].parameter);
}

static size_t count_terms(const pf_path_data *data, const double *values)
{
  size_t n = 0;
  for (size_t k = 0; k < data->group->layout->n; k++) {
    n += is_term(data, k) && values[k] != 0.0 ? 1 : 0;
  }
  return n;
}

/* The same problem under another penalty on its terms. */
static pf_problem penalised_problem(const pf_path_data *data, double l1)
{
  pf_problem problem = *data->problem;
  problem.options.l1 = l1;
  return problem;
}

static pf_group_objective_in objective_of(const pf_path_data *data, const pf_problem *problem,
                                          const pf_layout *layout)
{
  return (pf_group_objective_in){.problem = problem,
                                 .layout = layout,
                                 .batches = data->batches,
                                 .penalised = true,
                                 .workspaces = data->workspaces,
                                 .n_workspaces = data->n_workspaces};
}

/* ---- the gradient without L1 ---- */

static pf_status find_gradient(const pf_path_data *data, const double *values, double *gradient,
                               pf_error *error)
{
  const pf_problem problem = penalised_problem(data, 0.0);
  const pf_group_objective_in in = objective_of(data, &problem, data->group->layout);
  pf_group_objective *function = NULL;
  pf_optimum count = {0};
  pf_derivatives out = {.gradient = gradient};
  pf_status status = pf_group_objective_create(&in, &function, error);
  if (status == PF_OK) {
    status = pf_function_evaluate(pf_group_objective_get(function), values, &out, &count, error);
  }
  pf_group_objective_free(function);
  return status;
}

/* ---- fits of some of the values ---- */

static pf_status freeze_terms(const pf_path_data *data, const double *values, const bool *kept,
                              pf_layout **out, pf_error *error)
{
  const pf_layout *layout = data->group->layout;
  bool *frozen = pf_memory_need(layout->n_instances, sizeof *frozen, error);
  if (frozen == NULL) {
    return PF_STOP;
  }
  for (size_t k = 0; k < layout->n; k++) {
    frozen[layout->index[k]] = is_term(data, k) && !kept[k];
  }
  const pf_status status = pf_layout_freeze(layout, values, frozen, out, error);
  pf_memory_free(frozen);
  return status;
}

/* From one layout's values to another's of the same recordings. */
static pf_status move_values(const pf_layout *from, const double *values, const pf_layout *to,
                             double *out, pf_error *error)
{
  double *instances = pf_memory_need(from->n_instances, sizeof *instances, error);
  if (instances == NULL) {
    return PF_STOP;
  }
  pf_layout_instances(from, values, instances);
  pf_layout_values(to, instances, out);
  pf_memory_free(instances);
  return PF_OK;
}

/* What a fit is asked for. */
typedef struct asked {
  double l1;
  pf_optimiser_settings settings;
} asked;

static asked ask_for(const pf_path_data *data, double l1)
{
  asked out = {.l1 = l1, .settings = pf_optimiser_defaults()};
  out.settings.iterations = l1 > 0.0 ? MAX_PENALISED : MAX_REFIT;
  out.settings.tolerance_nats = l1 > 0.0 ? path_nats : refit_nats;
  out.settings.seed = data->problem->seed;
  return out;
}

/* Minimise over a layout of some of the values; `values` [group->layout->n] in place. */
static pf_status minimise_some(const pf_path_data *data, const asked *want, const pf_layout *layout,
                               double *values, pf_optimum *optimum, pf_error *error)
{
  const pf_problem problem = penalised_problem(data, want->l1);
  const pf_group_objective_in in = objective_of(data, &problem, layout);
  pf_group_objective *function = NULL;
  double *some = pf_memory_need(layout->n, sizeof *some, error);
  pf_status status = PF_STOP;
  *optimum = pf_optimum_none();
  if (some == NULL) {
    goto done;
  }
  status = move_values(data->group->layout, values, layout, some, error);
  if (status != PF_OK) {
    goto done;
  }
  status = pf_group_objective_create(&in, &function, error);
  if (status != PF_OK) {
    goto done;
  }
  status = pf_optimiser_lm.minimise(pf_group_objective_get(function), &want->settings, data->watch,
                                    some, optimum, error);
  if (status == PF_OK) {
    status = move_values(layout, some, data->group->layout, values, error);
  }
done:
  pf_group_objective_free(function);
  pf_memory_free(some);
  return status;
}

static pf_status minimise_kept(const pf_path_data *data, const asked *want, const bool *kept,
                               double *values, pf_optimum *optimum, pf_error *error)
{
  pf_layout *layout = NULL;
  pf_status status = freeze_terms(data, values, kept, &layout, error);
  if (status == PF_OK) {
    status = minimise_some(data, want, layout, values, optimum, error);
  }
  pf_layout_free(layout);
  return status;
}

pf_status pf_path_layout(const pf_problem *problem, const pf_layout *layout, const double *values,
                         pf_layout **out, pf_error *error)
{
  bool *frozen = pf_memory_need(layout->n_instances, sizeof *frozen, error);
  if (frozen == NULL) {
    return PF_STOP;
  }
  for (size_t k = 0; k < layout->n; k++) {
    const size_t s = layout->index[k];
    frozen[s] = values[k] == 0.0 && pf_is_open_term(problem->model, layout->instances[s].parameter);
  }
  const pf_status status = pf_layout_freeze(layout, values, frozen, out, error);
  pf_memory_free(frozen);
  return status;
}

/* ---- the path ---- */

typedef struct walk {
  const pf_path_data *data;
  double *values, *gradient; /* [n] where it is, and the gradient without L1 there */
  double last_l1;
  bool *kept; /* [n] values that are fitted */
  size_t n_kept;
} walk;

static pf_status begin_walk(const pf_path_data *data, walk *w, pf_error *error)
{
  const size_t n = data->group->layout->n;
  *w = (walk){.data = data, .values = pf_memory_need(2 * n, sizeof *w->values, error)};
  w->kept = pf_memory_need(n, sizeof *w->kept, error);
  if (w->values == NULL || w->kept == NULL) {
    return PF_STOP;
  }
  w->gradient = w->values + n;
  memcpy(w->values, data->group->values_start, n * sizeof *w->values);
  for (size_t k = 0; k < n; k++) {
    if (is_term(data, k)) {
      w->values[k] = 0.0;
    }
  }
  return PF_OK;
}

static void end_walk(walk *w)
{
  pf_memory_free(w->values);
  pf_memory_free(w->kept);
}

/* Terms whose gradient is above `limit` join those that are fitted. How many joined. */
static size_t join_terms(walk *w, double limit)
{
  size_t joined = 0;
  for (size_t k = 0; k < w->data->group->layout->n; k++) {
    if (is_term(w->data, k) && !w->kept[k] &&
        (w->values[k] != 0.0 || fabs(w->gradient[k]) > limit)) {
      w->kept[k] = true;
      joined++;
    }
  }
  w->n_kept += joined;
  return joined;
}

/* All values but the terms where they are best while all terms are 0; the gradient there. */
static pf_status start_walk(walk *w, pf_error *error)
{
  const size_t n = w->data->group->layout->n;
  size_t n_others = 0;
  pf_optimum optimum = pf_optimum_none();
  for (size_t k = 0; k < n; k++) {
    n_others += is_term(w->data, k) ? 0 : 1;
  }
  if (n_others > 0) {
    const asked want = ask_for(w->data, 0.0);
    const pf_status status = minimise_kept(w->data, &want, w->kept, w->values, &optimum, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return find_gradient(w->data, w->values, w->gradient, error);
}

/* To the optimum under the penalty l1. */
static pf_status step_to(walk *w, double l1, bool *arrived, pf_error *error)
{
  const asked want = ask_for(w->data, l1);
  *arrived = false;
  memset(w->kept, 0, w->data->group->layout->n * sizeof *w->kept);
  w->n_kept = 0;
  (void)join_terms(w, fmax(2.0 * l1 - w->last_l1, 0.0));
  for (int round = 0; round < MAX_ROUNDS; round++) {
    pf_optimum optimum = pf_optimum_none();
    if (w->n_kept > 0) {
      const pf_status status = minimise_kept(w->data, &want, w->kept, w->values, &optimum, error);
      if (status != PF_OK) {
        return status;
      }
    }
    *arrived = w->n_kept == 0 || optimum.converged;
    const pf_status status = find_gradient(w->data, w->values, w->gradient, error);
    if (status != PF_OK || !*arrived || join_terms(w, (1.0 + slack) * l1) == 0) {
      w->last_l1 = l1;
      return status;
    }
  }
  w->last_l1 = l1;
  return PF_OK;
}

static pf_status refit_point(const walk *w, pf_path_point *point, pf_error *error)
{
  const pf_path_data *data = w->data;
  const asked want = ask_for(data, 0.0);
  pf_layout *layout = NULL;
  pf_optimum optimum = pf_optimum_none();
  pf_status status =
      pf_path_layout(data->problem, data->group->layout, point->penalised, &layout, error);
  if (status != PF_OK) {
    return status;
  }
  memcpy(point->refit, point->penalised, data->group->layout->n * sizeof *point->refit);
  status = minimise_some(data, &want, layout, point->refit, &optimum, error);
  point->refitted = status == PF_OK && optimum.converged;
  point->objective = optimum.objective;
  pf_layout_free(layout);
  return status < 0 ? status : PF_OK;
}

pf_status pf_penalty_grid(const pf_path_data *data, double *l1, size_t n, pf_error *error)
{
  walk w;
  double largest = 0.0;
  pf_status status = begin_walk(data, &w, error);
  if (status == PF_OK) {
    status = start_walk(&w, error);
  }
  for (size_t k = 0; k < data->group->layout->n && w.gradient != NULL; k++) {
    largest = is_term(data, k) ? fmax(largest, fabs(w.gradient[k])) : largest;
  }
  for (size_t i = 0; i < n; i++) {
    l1[i] = largest * pow(least_share, (double)i / (double)(n - 1));
  }
  end_walk(&w);
  return status;
}

static pf_status create_points(const pf_path_data *data, size_t n, pf_penalty_path *out,
                               pf_error *error)
{
  const size_t n_values = data->group->layout->n;
  *out = (pf_penalty_path){.points = pf_memory_need(n, sizeof *out->points, error),
                           .memory = pf_memory_need(2 * n * n_values, sizeof(double), error)};
  if (out->points == NULL || out->memory == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; i < n; i++) {
    out->points[i] = (pf_path_point){.objective = NAN,
                                     .penalised = out->memory + 2 * i * n_values,
                                     .refit = out->memory + (2 * i + 1) * n_values};
  }
  return PF_OK;
}

/* The next point; `arrived` false: the path ends before it. */
static pf_status add_point(walk *w, double l1, bool refits, pf_penalty_path *out, bool *arrived,
                           pf_error *error)
{
  pf_path_point *point = &out->points[out->n];
  pf_error ignored = pf_error_none();
  pf_status status = step_to(w, l1, arrived, &ignored);
  if (status < 0) {
    return pf_fail_key(error, status, ignored.key, "%s", ignored.text);
  }
  if (status > 0 || !*arrived) {
    *arrived = false;
    return PF_OK;
  }
  point->l1 = l1;
  point->arrived = true;
  memcpy(point->penalised, w->values, w->data->group->layout->n * sizeof *w->values);
  point->n_terms = count_terms(w->data, point->penalised);
  out->n++;
  return refits ? refit_point(w, point, error) : PF_OK;
}

pf_status pf_penalty_path_create(const pf_path_data *data, const double *l1, size_t n, bool refits,
                                 pf_penalty_path *out, pf_error *error)
{
  walk w = {.values = NULL};
  bool arrived = true;
  pf_status status = create_points(data, n, out, error);
  if (status == PF_OK) {
    status = begin_walk(data, &w, error);
  }
  if (status == PF_OK) {
    status = start_walk(&w, error);
    w.last_l1 = l1[0];
  }
  for (size_t i = 0; i < n && arrived; i++) {
    if (status == PF_OK) {
      status = add_point(&w, l1[i], refits, out, &arrived, error);
    }
  }
  end_walk(&w);
  return status;
}

void pf_penalty_path_clear(pf_penalty_path *path)
{
  pf_memory_free(path->points);
  pf_memory_free(path->memory);
  *path = (pf_penalty_path){0};
}
