#include "core/recover/recover.h"
#include "core/base/memory.h"
#include "core/base/ticker.h"
#include "core/fit/fit_groups.h"
#include "core/problem/replicate.h"
#include "core/truth/names.h"

#include <math.h>
#include <string.h>

/* ---- memory ---- */

static void free_set(pf_recover_set *set)
{
  pf_memory_free(set->why);
  pf_memory_free(set->fitted);
  pf_memory_free(set->converged);
  pf_memory_free(set->missed);
  pf_memory_free(set->estimates);
  pf_memory_free(set->intervals);
  pf_memory_free(set->verdicts);
}

void pf_recovery_free(pf_recovery *r)
{
  if (r == NULL) {
    return;
  }
  for (size_t d = 0; r->sets != NULL && d < r->n_sets; d++) {
    free_set(&r->sets[d]);
  }
  for (size_t u = 0; u < r->n_groups; u++) {
    pf_memory_free(r->unit_names == NULL ? NULL : r->unit_names[u]);
    pf_layout_free(r->layouts == NULL ? NULL : r->layouts[u]);
  }
  pf_keys_free(r->problem->model, r->keys);
  pf_memory_free(r->unit_names);
  pf_memory_free(r->layouts);
  pf_memory_free(r->cells);
  pf_memory_free(r->sets);
  pf_memory_free(r->truth);
  pf_memory_free(r->lines);
  pf_memory_free(r);
}

static pf_status make_set(const pf_recovery *r, size_t d, pf_recover_set *set, pf_error *error)
{
  *set =
      (pf_recover_set){.seed = r->problem->settings->seed + d,
                       .fitted = pf_memory_need(r->n_groups, sizeof *set->fitted, error),
                       .converged = pf_memory_need(r->n_groups, sizeof *set->converged, error),
                       .missed = pf_memory_need(r->n_groups, sizeof *set->missed, error),
                       .estimates = pf_memory_need(r->n_cells, sizeof *set->estimates, error),
                       .intervals = pf_memory_need((size_t)PF_N_INTERVAL_METHODS * r->n_cells * 3,
                                                   sizeof(double), error),
                       .verdicts = pf_memory_need(r->n_cells, sizeof *set->verdicts, error)};
  if (set->fitted == NULL || set->converged == NULL || set->missed == NULL ||
      set->estimates == NULL || set->intervals == NULL || set->verdicts == NULL) {
    return PF_STOP;
  }
  for (size_t c = 0; c < r->n_cells; c++) {
    set->estimates[c] = NAN;
  }
  for (size_t i = 0; i < (size_t)PF_N_INTERVAL_METHODS * r->n_cells * 3; i++) {
    set->intervals[i] = NAN;
  }
  return PF_OK;
}

static pf_status make_cells(pf_recovery *r, pf_error *error)
{
  const pf_problem *problem = r->problem;
  for (size_t u = 0; u < r->n_groups; u++) {
    const char *name =
        problem->settings->fit.per == PF_FIT_SHARED ? "all" : problem->data.animals[u];
    r->unit_names[u] = pf_memory_string(name, error);
    if (r->unit_names[u] == NULL || pf_group_layout(problem, u, &r->layouts[u], error) != PF_OK) {
      return PF_STOP;
    }
    r->n_cells += r->layouts[u]->n;
  }
  r->cells = pf_memory_need(r->n_cells, sizeof *r->cells, error);
  if (r->cells == NULL) {
    return PF_STOP;
  }
  for (size_t u = 0, c = 0; u < r->n_groups; u++) {
    const pf_layout *layout = r->layouts[u];
    for (size_t k = 0; k < layout->n; k++, c++) {
      r->cells[c] = (pf_recover_cell){
          .group = u, .value = k, .parameter = layout->instances[layout->index[k]].parameter};
      pf_layout_copy(layout, layout->index[k], &r->cells[c].animal, &r->cells[c].experiment);
    }
  }
  return r->n_cells > 0 ? PF_OK
                        : pf_fail(error, PF_STOP,
                                  "nothing is fitted: every parameter is fixed, so nothing can be "
                                  "recovered");
}

/* ---- one data set ---- */

static void keep_why(pf_recover_set *set, const char *text)
{
  pf_error unused = pf_error_none();
  if (set->why == NULL && text != NULL) {
    set->why = pf_memory_string(
        text, &unused); /* no memory for a reason: the counts still say that there was one */
  }
}

static pf_status keep_group(const pf_recovery *r, const pf_fit_group *group,
                            const pf_inference_group *inferred, size_t u, size_t first,
                            pf_recover_set *set, pf_error *error)
{
  if (group->layout->n != r->layouts[u]->n) {
    return pf_fail(error, PF_STOP, "%s has %zu values to fit in one data set and %zu in another",
                   group->name, r->layouts[u]->n, group->layout->n);
  }
  set->fitted[u] = group->status == PF_OK;
  set->converged[u] = group->status == PF_OK && group->optimum.converged;
  if (group->status != PF_OK) {
    keep_why(set, group->error.text);
    return PF_OK;
  }
  if (group->layout->n > 0) {
    memcpy(set->estimates + first, group->values, group->layout->n * sizeof *group->values);
  }
  if (inferred == NULL || inferred->why != NULL) {
    keep_why(set, inferred == NULL ? NULL : inferred->why);
    return PF_OK;
  }
  for (size_t m = 0; m < (size_t)PF_N_INTERVAL_METHODS; m++) {
    const pf_intervals *from = &inferred->methods[m];
    if (r->asked[m] && !from->there) {
      keep_why(set, from->why);
    }
    for (size_t k = 0; from->there && k < group->layout->n; k++) {
      double *to = set->intervals + (m * r->n_cells + first + k) * 3;
      to[0] = from->se[k];
      to[1] = from->lower[k];
      to[2] = from->upper[k];
    }
  }
  memcpy(set->verdicts + first, inferred->verdict, group->layout->n * sizeof *set->verdicts);
  return PF_OK;
}

typedef struct watching {
  pf_stop stop;
  void *payload;
} watching;

static bool asked_to_stop(void *payload)
{
  const watching *w = payload;
  return w->stop != NULL && w->stop(w->payload);
}

/* PF_POINT_FAILED: this data set gave nothing, others may. */
static pf_status do_set(const pf_recovery *r, pf_recover_set *set, int n_threads, watching *watch,
                        pf_error *error)
{
  pf_problem *again = NULL;
  pf_fit *fit = NULL;
  pf_inference *inference = NULL;
  pf_status status = pf_problem_replicate(r->problem, set->seed, &again, error);
  if (status == PF_OK) {
    again->options.n_threads = n_threads;
    status = pf_fit_run(again, NULL, asked_to_stop, watch, &fit, error);
  }
  status = status == PF_OK ? pf_infer(again, fit, NULL, asked_to_stop, watch, &inference, error)
                           : status;
  for (size_t u = 0, first = 0; u < r->n_groups && status == PF_OK; first += r->layouts[u++]->n) {
    status = keep_group(r, &fit->groups[u], u < inference->n_groups ? &inference->groups[u] : NULL,
                        u, first, set, error);
    status = status == PF_OK && set->fitted[u]
                 ? pf_recover_missed(r, again, &fit->groups[u], first, &set->missed[u], error)
                 : status;
  }
  pf_inference_free(inference);
  if (fit != NULL) {
    pf_fit_free(again, fit);
  }
  pf_problem_replicate_free(again);
  return status;
}

/* ---- all of them ---- */

static pf_status prepare(pf_recovery *r, pf_error *error)
{
  const pf_problem *problem = r->problem;
  r->n_groups = problem->settings->fit.per == PF_FIT_SHARED ? 1 : problem->data.n_animals;
  r->unit_names = pf_memory_need(r->n_groups, sizeof *r->unit_names, error);
  r->layouts = pf_memory_need(r->n_groups, sizeof *r->layouts, error);
  if (r->unit_names == NULL || r->layouts == NULL) {
    return PF_STOP;
  }
  pf_status status = make_cells(r, error);
  status = status == PF_OK ? pf_keys_create(problem->model, &r->keys, error) : status;
  status = status == PF_OK ? pf_truth_create(problem, &r->truth, error) : status;
  r->sets = status == PF_OK ? pf_memory_need((size_t)problem->settings->recover.data_sets,
                                             sizeof *r->sets, error)
                            : NULL;
  status = status == PF_OK && r->sets == NULL ? PF_STOP : status;
  for (size_t d = 0; status == PF_OK && d < (size_t)problem->settings->recover.data_sets; d++) {
    r->n_sets = d + 1;
    status = make_set(r, d, &r->sets[d], error);
  }
  memcpy(r->asked, problem->settings->intervals.methods, sizeof r->asked);
  r->asked[PF_INTERVAL_PROFILE] =
      r->asked[PF_INTERVAL_PROFILE] || problem->settings->intervals.automatic;
  return status;
}

/* Threads over data sets, or inside one after the other where there are fewer of them than threads.
 */
static pf_status run_sets(pf_recovery *r, pf_progress progress, watching *watch, pf_error *error)
{
  const int n_threads = r->problem->options.n_threads > 1 ? r->problem->options.n_threads : 1;
  const bool over_sets = r->n_sets >= (size_t)n_threads;
  pf_error *errors = pf_memory_need(r->n_sets, sizeof *errors, error);
  pf_ticker ticker;
  if (errors == NULL) {
    return PF_STOP;
  }
  pf_ticker_start(&ticker, progress, watch->payload, "recovering", (int64_t)r->n_sets);
#pragma omp parallel for schedule(dynamic) num_threads(n_threads) if (over_sets)
  for (int64_t d = 0; d < (int64_t)r->n_sets; d++) {
    errors[d] = pf_error_none();
    if (!asked_to_stop(watch)) {
      r->sets[d].status = do_set(r, &r->sets[d], over_sets ? 1 : n_threads, watch, &errors[d]);
    }
    pf_ticker_add(&ticker, 1);
  }
  pf_ticker_end(&ticker);
  size_t n_failed = 0;
  size_t first_failed = 0;
  for (size_t d = r->n_sets; d-- > 0;) {
    if (r->sets[d].status != PF_OK) {
      keep_why(&r->sets[d], errors[d].text);
      n_failed++;
      first_failed = d;
    }
  }
  pf_status status = PF_OK;
  if (asked_to_stop(watch)) {
    status = pf_fail(error, PF_POINT_FAILED, "interrupted; nothing is written");
  } else if (n_failed == r->n_sets) {
    status = pf_fail(error, PF_STOP, "%s", errors[first_failed].text);
  }
  pf_memory_free(errors);
  return status;
}

pf_status pf_recover_run(const pf_problem *problem, pf_progress progress, pf_stop stop,
                         void *payload, pf_recovery **out, pf_error *error)
{
  const double started = pf_clock_seconds();
  watching watch = {.stop = stop, .payload = payload};
  pf_recovery *r = pf_memory_need(1, sizeof *r, error);
  if (r == NULL) {
    return PF_STOP;
  }
  r->problem = problem;
  pf_status status = prepare(r, error);
  status = status == PF_OK ? run_sets(r, progress, &watch, error) : status;
  status = status == PF_OK ? pf_recover_tabulate(r, error) : status;
  if (status != PF_OK) {
    pf_recovery_free(r);
    return status;
  }
  r->seconds = pf_clock_seconds() - started;
  *out = r;
  return PF_OK;
}
