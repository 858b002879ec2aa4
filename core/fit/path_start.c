#include "core/fit/path_start.h"

#include "core/base/memory.h"
#include "core/fit/penalty_choice.h"
#include "core/model/terms.h"

#include <math.h>
#include <string.h>

enum { N_STEPS = 14 }; /* of a path to a penalty that is given */

bool pf_path_is_used(const pf_problem *problem, const pf_optimiser *optimiser, size_t n)
{
  if (n > PF_MAX_PATH_VALUES && !problem->settings->fit.asks_auto) {
    return false;
  }
  return !optimiser->fixed_passes &&
         (problem->options.chooses_l1 || pf_count_open_terms(problem->model) > PF_MANY_TERMS);
}

/* The group has the terms alone that are not 0 in `values`, and starts there. */
static pf_status keep_terms(const pf_problem *problem, pf_fit_group *group, const double *values,
                            pf_error *error)
{
  pf_layout *layout = NULL;
  double *instances = pf_memory_need(group->layout->n_instances, sizeof *instances, error);
  if (instances == NULL) {
    return PF_STOP;
  }
  const pf_status status = pf_path_layout(problem, group->layout, values, &layout, error);
  if (status == PF_OK) {
    pf_layout_instances(group->layout, values, instances);
    pf_layout_values(layout, instances, group->values);
    memcpy(group->values_start, group->values, layout->n * sizeof *group->values);
    pf_layout_free(group->layout);
    group->layout = layout;
  }
  pf_memory_free(instances);
  return status;
}

static pf_status choose_terms(const pf_path_data *data, pf_fit_group *group, pf_error *error)
{
  double *values = pf_memory_need(group->layout->n, sizeof *values, error);
  if (values == NULL) {
    return PF_STOP;
  }
  pf_status status = pf_penalty_choose(data, values, &group->penalty, error);
  if (status == PF_OK) {
    status = keep_terms(data->problem, group, values, error);
  }
  pf_memory_free(values);
  return status;
}

/* Down to the penalty that is given; where there is none, the best of the fits without it. */
static pf_status walk_down(const pf_path_data *data, double *start, bool *found, pf_error *error)
{
  const double target = data->problem->options.l1;
  double l1[N_STEPS];
  pf_penalty_path path = {0};
  pf_status status = pf_penalty_grid(data, l1, N_STEPS, error);
  if (status != PF_OK || !(l1[0] > 0.0)) {
    return status < 0 ? status : PF_OK;
  }
  const double first = fmax(l1[0], target);
  for (size_t i = 0; target > 0.0 && i < N_STEPS; i++) {
    l1[i] =
        i + 1 == N_STEPS ? target : first * pow(target / first, (double)i / (double)(N_STEPS - 1));
  }
  status = pf_penalty_path_create(data, l1, N_STEPS, !(target > 0.0), &path, error);
  const pf_path_point *best = NULL;
  const size_t n_points = status == PF_OK ? path.n : 0;
  for (size_t i = 0; i < n_points; i++) {
    const pf_path_point *point = &path.points[i];
    const bool is_better =
        target > 0.0 || best == NULL || (point->refitted && point->objective < best->objective);
    best = is_better && (target > 0.0 || point->refitted) ? point : best;
  }
  if (best != NULL) {
    *found = true;
    memcpy(start, target > 0.0 ? best->penalised : best->refit,
           data->group->layout->n * sizeof *start);
  }
  pf_penalty_path_clear(&path);
  return status;
}

pf_status pf_path_start(const pf_path_data *data, pf_fit_group *group, double *start, bool *found,
                        pf_error *error)
{
  *found = false;
  if (group->layout->n > PF_MAX_PATH_VALUES) {
    return pf_fail(error, PF_POINT_FAILED,
                   "penalty.l1 = \"auto\" cannot choose terms beside as many as %zu values (%d at "
                   "most); give a number, or learn fewer starting weights",
                   group->layout->n, PF_MAX_PATH_VALUES);
  }
  return data->problem->options.chooses_l1 ? choose_terms(data, group, error)
                                           : walk_down(data, start, found, error);
}
