#include "core/fit/judgement.h"

#include "core/base/memory.h"
#include "core/fit/group_objective.h"
#include "core/optimise/valley.h"

#include <lapacke.h>
#include <math.h>
#include <string.h>

enum { MAX_DIRECTIONS = 60 }; /* values beyond which directions are not looked along */

static const double rise = 1.92; /* nats that the parabola says at the end of a look */
/* Nats: less is no change, more is a change. */
static const double no_change = 1e-3, change = 0.01;
static const double far = 3.0, very_far = 30.0; /* spreads: core/optimise/value_scales.h */
/* Of the largest: curvature below which a direction is looked along, besides the least. */
static const double small_curvature = 0.05;

typedef struct judge {
  const pf_function *function;
  const pf_fit_group *group;
  double nats, objective;
  double *point;      /* [n] */
  const double *size; /* [n] of a value: the change that costs half a nat; 0: it has none */
  pf_judgement *out;
} judge;

static double objective_at(const judge *j, const double *v)
{
  double f = 0.0;
  pf_optimum count = {0};
  pf_error ignored = pf_error_none();
  const pf_status status = pf_function_value(j->function, v, &f, &count, &ignored);
  return status == PF_OK ? f + pf_l1_of(j->function, v) : (double)INFINITY;
}

static void keep_better(judge *j, double found)
{
  if (j->nats * (j->objective - found) > change && !j->out->has_better) {
    j->out->has_better = true;
    memcpy(j->out->better, j->point, j->function->n * sizeof *j->point);
  }
}

/* Without plasticity: all of the rules' values 0, the others where they ended, or where they
 * began. Where a bound excludes 0 there is no such point. */
static void compare_null(judge *j, const pf_problem *problem, const double *others)
{
  const pf_layout *layout = j->group->layout;
  bool any = false;
  for (size_t k = 0; k < layout->n; k++) {
    const bool of_rule =
        layout->instances[layout->index[k]].parameter < problem->model->network_theta0;
    any = any || of_rule;
    j->point[k] = of_rule ? 0.0 : others[k];
    if (of_rule && (layout->lower[k] > 0.0 || layout->upper[k] < 0.0)) {
      return;
    }
  }
  if (!any) {
    return;
  }
  const double found = objective_at(j, j->point);
  if (j->nats * (j->objective - found) > change) {
    j->out->worse_than_null = true;
    keep_better(j, found);
  }
}

/* ---- directions ---- */

/* The change in nats at `length` along a direction; infinite where there is no value. */
static double change_along(judge *j, const double *direction, double length)
{
  for (size_t i = 0; i < j->function->n; i++) {
    j->point[i] = j->group->values[i] + length * direction[i];
  }
  pf_clip_to_bounds(j->function, j->point);
  const double found = objective_at(j, j->point);
  keep_better(j, found);
  return j->nats * (found - j->objective);
}

/* Does a step along a direction change predictions by more than there is of them? Where the data
 * have a say it does not: so most fits are done with at once. */
static bool is_far(const judge *j, const double *direction, double length)
{
  const double *scale = j->function->scale;
  double largest = 0.0;
  for (size_t i = 0; scale != NULL && i < j->function->n; i++) {
    const double spread = sqrt(fmax(j->function->cells, 1.0)) * scale[i];
    largest = fmax(largest, fabs(direction[i]) * length / spread);
  }
  return scale == NULL || largest > far;
}

/* Do all values that a step moves end at a bound? Those that move by less than a tenth of the one
 * that moves most do not count. */
static bool ends_at_bounds(const judge *j, const double *direction, double length)
{
  double most = 0.0;
  for (size_t i = 0; i < j->function->n; i++) {
    most = fmax(most, j->size[i] > 0.0 ? fabs(direction[i]) / j->size[i] : 0.0);
  }
  for (size_t i = 0; i < j->function->n; i++) {
    const double v = j->group->values[i] + length * direction[i];
    const bool moves = j->size[i] > 0.0 && fabs(direction[i]) / j->size[i] >= 0.1 * most;
    if (moves && v > j->function->lower[i] && v < j->function->upper[i]) {
      return false;
    }
  }
  return true;
}

/* Does the likelihood fall to one side alone, where a parabola falls to both? Nowhere at all is
 * another matter: there the data say nothing. At a bound it ends. */
static bool rises_without_end(judge *j, const double *direction, double curvature)
{
  const double length = sqrt(2.0 * rise / curvature);
  if (!is_far(j, direction, length)) {
    return false;
  }
  for (int side = 1; side >= -1; side -= 2) {
    double share = 1.0;
    for (int nearer = 0; nearer < 10; nearer++, share *= 0.25) { /* nearer, where it overflows */
      if (change_along(j, direction, side * share * length) <= no_change) {
        if (!ends_at_bounds(j, direction, side * share * length) &&
            change_along(j, direction, -side * share * length) > 0.1) {
          return true;
        }
        break;
      }
    }
  }
  return false;
}

/* Does a value that is far out go on growing, the others with it, without a change? Along a curved
 * valley no straight line shows that. */
static pf_status follow_far_values(judge *j, pf_error *error)
{
  const pf_function *function = j->function;
  const pf_optimiser_settings settings = pf_optimiser_defaults();
  pf_optimum count = pf_optimum_none();
  const pf_valley_in in = {.function = function, .settings = &settings, .count = &count};
  for (size_t k = 0; function->scale != NULL && k < function->n && !j->out->runs_off; k++) {
    const double spread = sqrt(fmax(function->cells, 1.0)) * function->scale[k];
    const double v = j->group->values[k];
    if (fabs(v) <= very_far * spread || 4.0 * v <= function->lower[k] ||
        4.0 * v >= function->upper[k]) {
      continue;
    }
    bool level = false;
    const pf_valley_look out = {.k = k, .factor = 4.0, .nats = no_change};
    const pf_valley_look back = {.k = k, .factor = 1e-6, .nats = no_change};
    pf_status status = pf_valley_is_level(&in, j->group->values, &out, &level, error);
    if (status != PF_OK) {
      return status;
    }
    bool is_free = false; /* level all the way back too: the data say nothing of it */
    if (level) {
      status = pf_valley_is_level(&in, j->group->values, &back, &is_free, error);
    }
    if (status != PF_OK) {
      return status;
    }
    j->out->runs_off = level && !is_free;
    j->out->runs_off_most = k;
  }
  return PF_OK;
}

/* Directions of small curvature, in units in which every value alone has curvature 1. */
static pf_status look_along(judge *j, double *gradient, double *h, double *size, pf_error *error)
{
  const size_t n = j->function->n;
  pf_optimum count = {0};
  pf_derivatives at = {.gradient = gradient, .h = h};
  pf_error ignored = pf_error_none();
  if (pf_function_evaluate(j->function, j->group->values, &at, &count, &ignored) != PF_OK) {
    return PF_OK;
  }
  for (size_t i = 0; i < n; i++) {
    const double diagonal = j->nats * h[i * n + i];
    size[i] = diagonal > 0.0 && isfinite(1.0 / sqrt(diagonal)) ? 1.0 / sqrt(diagonal) : 0.0;
  }
  for (size_t i = 0; i < n * n; i++) {
    h[i] *= j->nats * size[i / n] * size[i % n];
  }
  double *values = gradient, *direction = size + n;
  j->size = size;
  const lapack_int order = (lapack_int)n;
  const int info = LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'V', 'L', order, h, order, values);
  if (info == LAPACK_WORK_MEMORY_ERROR || info == LAPACK_TRANSPOSE_MEMORY_ERROR) {
    return pf_fail(error, PF_STOP, "no memory left for the directions of a fit");
  }
  bool first = true;
  for (size_t k = 0; k < n && !j->out->runs_off; k++) { /* one value alone */
    memset(direction, 0, n * sizeof *direction);
    direction[k] = size[k];
    j->out->runs_off = size[k] > 0.0 && rises_without_end(j, direction, 1.0);
    j->out->runs_off_most = k;
  }
  for (size_t k = 0; info == 0 && k < n && !j->out->runs_off; k++) {
    if (values[k] <= 1e-12 || !(first || values[k] < small_curvature * values[n - 1])) {
      continue; /* flat to rounding, or well determined */
    }
    first = false;
    size_t most = 0;
    for (size_t i = 0; i < n; i++) {
      direction[i] = size[i] * h[i * n + k];
      most = fabs(h[i * n + k]) > fabs(h[most * n + k]) ? i : most;
    }
    j->out->runs_off_most = most;
    j->out->runs_off = rises_without_end(j, direction, values[k]);
  }
  return PF_OK;
}

static bool is_penalised(const pf_problem *problem, const pf_layout *layout)
{
  for (size_t k = 0; k < layout->n; k++) {
    double l1 = 0.0, l2 = 0.0;
    pf_value_penalty(problem, layout, k, &l1, &l2);
    if (l1 > 0.0 || l2 > 0.0) {
      return true;
    }
  }
  return false;
}

pf_status pf_fit_judge(const pf_problem *problem, const pf_fit_group *group,
                       const pf_function *function, pf_judgement *out, pf_error *error)
{
  const size_t n = function->n;
  out->runs_off = out->worse_than_null = out->has_better = false;
  if (n == 0 || function->value == NULL) {
    return PF_OK;
  }
  const bool looks =
      n <= MAX_DIRECTIONS && function->curvature != NULL && !is_penalised(problem, group->layout);
  double *memory = pf_memory_need(n * (looks ? 4 + n : 1), sizeof *memory, error);
  if (memory == NULL) {
    return PF_STOP;
  }
  judge j = {.function = function,
             .group = group,
             .objective = group->optimum.objective,
             .nats = pf_function_nats(function, group->optimum.objective),
             .point = memory,
             .out = out};
  pf_status status = PF_OK;
  compare_null(&j, problem, group->values);
  compare_null(&j, problem, group->values_start);
  if (looks && !out->worse_than_null) {
    status = look_along(&j, memory + n, memory + 4 * n, memory + 2 * n, error);
  }
  if (status == PF_OK && looks && !out->worse_than_null && pf_valley_is_possible(function)) {
    status = follow_far_values(&j, error);
  }
  pf_memory_free(memory);
  return status;
}
