#include "core/recover/recovery.h"

#include "core/base/memory.h"
#include "core/fit/fit_groups.h"
#include "core/truth/names.h"
#include "core/truth/truth.h"

#include <math.h>
#include <string.h>

static void free_set(pf_recover_set *set)
{
  pf_memory_free(set->why);
  pf_memory_free(set->fits);
  pf_memory_free(set->estimates);
  pf_memory_free(set->truths);
  pf_memory_free(set->verdicts);
  pf_memory_free(set->intervals);
}

static void free_population(pf_population_recovery *of)
{
  if (of == NULL) {
    return;
  }
  pf_memory_free(of->cells);
  pf_memory_free(of->converged);
  pf_memory_free(of->lines);
  pf_memory_free(of);
}

void pf_recovery_free(pf_recovery *r)
{
  if (r == NULL) {
    return;
  }
  for (size_t d = 0; d < r->n_sets; d++) {
    free_set(&r->sets[d]);
  }
  for (size_t g = 0; g < r->n_groups; g++) {
    pf_memory_free(r->group_names[g]);
    pf_layout_free(r->layouts[g]);
  }
  free_population(r->population);
  pf_keys_free(r->problem->model, r->keys);
  pf_memory_free(r->group_names);
  pf_memory_free(r->layouts);
  pf_memory_free(r->cells);
  pf_memory_free(r->sets);
  pf_memory_free(r->truth);
  pf_memory_free(r->lines);
  pf_memory_free(r);
}

static pf_status make_groups(pf_recovery *r, pf_error *error)
{
  const pf_problem *problem = r->problem;
  const bool shared = problem->settings->fit.per == PF_FIT_SHARED;
  const size_t n = shared ? 1 : problem->data.n_animals;
  r->group_names = pf_memory_need(n, sizeof *r->group_names, error);
  r->layouts = pf_memory_need(n, sizeof *r->layouts, error);
  if (r->group_names == NULL || r->layouts == NULL) {
    return PF_STOP;
  }
  for (size_t g = 0; g < n; g++) {
    r->n_groups = g + 1;
    r->group_names[g] = pf_memory_string(shared ? "all" : problem->data.animals[g], error);
    if (r->group_names[g] == NULL || pf_group_layout(problem, g, &r->layouts[g], error) != PF_OK) {
      return PF_STOP;
    }
    r->n_cells += r->layouts[g]->n;
  }
  return r->n_cells > 0 ? PF_OK
                        : pf_fail(error, PF_STOP,
                                  "nothing is fitted: every parameter is fixed, so nothing can be "
                                  "recovered");
}

static pf_status make_cells(pf_recovery *r, pf_error *error)
{
  r->cells = pf_memory_need(r->n_cells, sizeof *r->cells, error);
  if (r->cells == NULL) {
    return PF_STOP;
  }
  pf_recover_cell *cell = r->cells;
  for (size_t g = 0; g < r->n_groups; g++) {
    const pf_layout *layout = r->layouts[g];
    for (size_t k = 0; k < layout->n; k++, cell++) {
      *cell = (pf_recover_cell){
          .group = g, .value = k, .parameter = layout->instances[layout->index[k]].parameter};
      pf_layout_copy(layout, layout->index[k], &cell->animal, &cell->experiment);
    }
  }
  return PF_OK;
}

static pf_status make_set(const pf_recovery *r, size_t d, pf_recover_set *set, pf_error *error)
{
  const size_t n_intervals = (size_t)PF_N_INTERVAL_METHODS * r->n_cells;
  *set = (pf_recover_set){.seed = r->problem->settings->seed + d,
                          .fits = pf_memory_need(r->n_groups, sizeof *set->fits, error),
                          .estimates = pf_memory_need(r->n_cells, sizeof *set->estimates, error),
                          .truths = pf_memory_need(r->n_cells, sizeof *set->truths, error),
                          .verdicts = pf_memory_need(r->n_cells, sizeof *set->verdicts, error),
                          .intervals = pf_memory_need(n_intervals, sizeof *set->intervals, error)};
  if (set->fits == NULL || set->estimates == NULL || set->verdicts == NULL ||
      set->intervals == NULL) {
    return PF_STOP;
  }
  for (size_t c = 0; c < r->n_cells; c++) {
    set->estimates[c] = NAN;
  }
  for (size_t g = 0; g < r->n_groups; g++) {
    set->fits[g].short_by = NAN;
  }
  for (size_t i = 0; i < n_intervals; i++) {
    set->intervals[i] = (pf_recover_interval){NAN, NAN, NAN};
  }
  return PF_OK;
}

static pf_status make_recovery(pf_recovery *r, pf_error *error)
{
  const pf_problem *problem = r->problem;
  const size_t n = (size_t)problem->settings->recover.data_sets;
  if (problem->settings->fit.per != PF_FIT_POPULATION) { /* that has intervals of its own */
    pf_infer_methods(&problem->settings->intervals, r->asked);
  }
  if (make_groups(r, error) != PF_OK || make_cells(r, error) != PF_OK ||
      pf_keys_create(problem->model, &r->keys, error) != PF_OK ||
      pf_truth_create(problem, &r->truth, error) != PF_OK) {
    return PF_STOP;
  }
  r->sets = pf_memory_need(n, sizeof *r->sets, error);
  if (r->sets == NULL) {
    return PF_STOP;
  }
  for (size_t d = 0; d < n; d++) {
    r->n_sets = d + 1;
    if (make_set(r, d, &r->sets[d], error) != PF_OK) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

pf_status pf_recovery_create(const pf_problem *problem, pf_recovery **out, pf_error *error)
{
  pf_recovery *r = pf_memory_need(1, sizeof *r, error);
  if (r == NULL) {
    return PF_STOP;
  }
  r->problem = problem;
  if (make_recovery(r, error) != PF_OK) {
    pf_recovery_free(r);
    return PF_STOP;
  }
  *out = r;
  return PF_OK;
}

pf_recover_interval *pf_recovery_interval(const pf_recovery *r, const pf_recover_set *set,
                                          size_t method, size_t cell)
{
  return &set->intervals[method * r->n_cells + cell];
}

const char *pf_recovery_first_why(const pf_recovery *r)
{
  for (size_t d = 0; d < r->n_sets; d++) {
    if (r->sets[d].why != NULL) {
      return r->sets[d].why;
    }
  }
  return NULL;
}
