#include "core/recover/recover.h"

#include "core/base/memory.h"
#include "core/base/ticker.h"
#include "core/infer/improve.h"
#include "core/marginal/marginal.h"
#include "core/problem/replicate.h"
#include "core/recover/missed.h"
#include "core/recover/population_recovery.h"
#include "core/recover/recovery_table.h"
#include "core/truth/truth.h"

#include <string.h>

/** When to stop, for all threads. */
typedef struct interruption {
  pf_stop stop;
  void *payload;
} interruption;

static bool asked_to_stop(void *payload)
{
  const interruption *w = payload;
  return w->stop != NULL && w->stop(w->payload);
}

/* ---- one data set ---- */

static void keep_why(pf_recover_set *set, const char *text)
{
  pf_error unused = pf_error_none();
  if (set->why == NULL && text != NULL) {
    /* without memory for a reason the counts still say that there was one */
    set->why = pf_memory_string(text, &unused);
  }
}

/* Of group g, whose cells are `first` and on. A term that its fit left out has no interval. */
static void keep_intervals(const pf_recovery *r, const pf_inference_group *inferred, size_t g,
                           size_t first, pf_recover_set *set)
{
  const pf_layout *layout = inferred->group->layout;
  for (size_t m = 0; m < (size_t)PF_N_INTERVAL_METHODS; m++) {
    const pf_intervals *from = &inferred->methods[m];
    if (r->asked[m] && !from->there) {
      keep_why(set, from->why);
    }
    for (size_t k = 0; from->there && k < r->layouts[g]->n; k++) {
      const size_t place = pf_layout_value_of(layout, r->layouts[g], k);
      if (place != PF_LAYOUT_NONE) {
        *pf_recovery_interval(r, set, m, first + k) =
            (pf_recover_interval){from->se[place], from->lower[place], from->upper[place]};
      }
    }
  }
  for (size_t k = 0; k < r->layouts[g]->n; k++) {
    const size_t place = pf_layout_value_of(layout, r->layouts[g], k);
    set->verdicts[first + k] =
        place == PF_LAYOUT_NONE ? (uint32_t)PF_VERDICT_NONE : inferred->verdict[place];
  }
}

/** The truth of group g's values in this data set. */
static pf_status keep_truths(const pf_recovery *r, const pf_problem *replicate,
                             const pf_fit_group *group, size_t g, double *truths, pf_error *error)
{
  const pf_layout *layout = group->layout; /* its instances are those of r->layouts[g] */
  double *copies = pf_memory_need(layout->n_instances, sizeof *copies, error);
  if (copies == NULL) {
    return PF_STOP;
  }
  const pf_status status = pf_truth_of_copies(replicate, r->truth, layout, copies, error);
  pf_layout_values(r->layouts[g], copies, truths);
  pf_memory_free(copies);
  return status;
}

/** What the set keeps of group g, whose cells are `first` and on. */
static pf_status keep_group(const pf_recovery *r, const pf_fit_group *group, size_t g, size_t first,
                            pf_recover_set *set, pf_error *error)
{
  const pf_layout *layout = r->layouts[g];
  if (group->layout->n_instances != layout->n_instances) {
    return pf_fail(error, PF_STOP, "%s has %zu values to fit in one data set and %zu in another",
                   group->name, layout->n_instances, group->layout->n_instances);
  }
  set->fits[g].fitted = group->status == PF_OK;
  set->fits[g].converged = pf_fit_claims(group);
  set->fits[g].passes_done = group->status == PF_OK && pf_fit_verdict(group) == PF_FIT_PASSES_DONE;
  if (group->status != PF_OK) {
    keep_why(set, group->error.text);
    return PF_OK;
  }
  double *instances = pf_memory_need(layout->n_instances, sizeof *instances, error);
  if (instances == NULL) {
    return PF_STOP;
  }
  pf_layout_instances(group->layout, group->values, instances);
  pf_layout_values(layout, instances, set->estimates + first);
  pf_memory_free(instances);
  return PF_OK;
}

/** Does the truth, of the values of `layout`, fit better? Not known where the fit left out what
 * truly is not 0. */
static pf_status find_missed(const pf_problem *replicate, const pf_fit_group *group,
                             const pf_layout *layout, const double *truths, bool *out,
                             pf_error *error)
{
  double *left = pf_memory_need(layout->n, sizeof *left, error);
  bool any_lost = false;
  if (left == NULL) {
    return PF_STOP;
  }
  for (size_t k = 0; k < layout->n; k++) {
    const size_t place = pf_layout_value_of(group->layout, layout, k);
    any_lost = any_lost || (place == PF_LAYOUT_NONE && truths[k] != 0.0);
    if (place != PF_LAYOUT_NONE) {
      left[place] = truths[k];
    }
  }
  pf_status status = PF_OK;
  if (!any_lost) {
    status = pf_recover_missed(replicate, group, left, out, error);
  }
  pf_memory_free(left);
  return status;
}

/* inference: NULL for a population's fit, which has intervals of its own. */
static pf_status keep_set(const pf_recovery *r, const pf_problem *replicate, const pf_fit *fit,
                          const pf_inference *inference, pf_recover_set *set, pf_error *error)
{
  size_t first = 0;
  for (size_t g = 0; g < r->n_groups; g++) {
    const pf_fit_group *group = &fit->groups[g];
    double *truths = set->truths + first;
    pf_status status = keep_group(r, group, g, first, set, error);
    if (status != PF_OK) {
      return status;
    }
    status = keep_truths(r, replicate, group, g, truths, error);
    if (status != PF_OK) {
      return status;
    }
    if (set->fits[g].fitted && inference != NULL) {
      if (g < inference->n_groups && inference->groups[g].why == NULL) {
        keep_intervals(r, &inference->groups[g], g, first, set);
      } else if (g < inference->n_groups) {
        keep_why(set, inference->groups[g].why);
      }
      status = find_missed(replicate, group, r->layouts[g], truths, &set->fits[g].missed, error);
      if (status != PF_OK) {
        return status;
      }
    }
    first += r->layouts[g]->n;
  }
  return PF_OK;
}

/* Fits again, from recover.arriving starts, all of them made: by how much are those better? */
static pf_status compare_arrivals(const pf_problem *replicate, const pf_fit *fit,
                                  interruption *until, pf_recover_set *set, pf_error *error)
{
  pf_problem thorough = *replicate;
  pf_fit *best = NULL;
  thorough.options.starts = (size_t)replicate->settings->recover.arriving;
  if (thorough.options.starts == 0) {
    return PF_OK;
  }
  pf_status status = pf_fit_run(&thorough, NULL, asked_to_stop, until, &best, error);
  if (status != PF_OK) {
    return status;
  }
  for (size_t g = 0; g < fit->n_groups; g++) {
    if (fit->groups[g].status != PF_OK || best->groups[g].status != PF_OK) {
      continue;
    }
    status = pf_recover_excess(replicate, &fit->groups[g], best->groups[g].values,
                               &set->fits[g].short_by, error);
    if (status != PF_OK) {
      break;
    }
  }
  pf_fit_free(&thorough, best);
  return status;
}

/* A set whose animals are drawn from a population. */
static pf_status do_cohort(const pf_recovery *r, const pf_problem *replicate, pf_recover_set *set,
                           const pf_observer *observer, pf_error *error)
{
  pf_fit *fit = NULL;
  pf_animal_population *found = NULL;
  pf_status status = pf_fit_population(replicate, observer, &fit, &found, error);
  if (status != PF_OK) {
    return status;
  }
  status = keep_set(r, replicate, fit, NULL, set, error);
  if (status == PF_OK && found != NULL) {
    pf_population_recovery_keep(r, (size_t)(set - r->sets), fit, found);
  }
  pf_fit_population_free(found);
  pf_fit_free(replicate, fit);
  return status;
}

/* PF_POINT_FAILED: this data set gave nothing, others may. */
static pf_status do_set(const pf_recovery *r, pf_recover_set *set, int n_threads,
                        interruption *until, pf_error *error)
{
  pf_problem *replicate = NULL;
  pf_fit *fit = NULL;
  pf_inference *inference = NULL;
  pf_status status = pf_problem_replicate(r->problem, set->seed, &replicate, error);
  if (status != PF_OK) {
    goto done;
  }
  replicate->options.n_threads = n_threads;
  const pf_observer observer = {.stop = asked_to_stop, .payload = until};
  if (r->population != NULL) {
    status = do_cohort(r, replicate, set, &observer, error);
    goto done;
  }
  status = pf_estimate(replicate, NULL, &observer, &fit, error);
  if (status != PF_OK) {
    goto done;
  }
  status = pf_infer_and_improve(replicate, fit, &observer, &inference, error);
  if (status != PF_OK) {
    goto done;
  }
  status = keep_set(r, replicate, fit, inference, set, error);
  if (status != PF_OK) {
    goto done;
  }
  status = compare_arrivals(replicate, fit, until, set, error);
done:
  pf_inference_free(inference);
  if (fit != NULL) {
    pf_fit_free(replicate, fit);
  }
  pf_problem_replicate_free(replicate);
  return status;
}

/* ---- all of them ---- */

/* A data set whose fit ran out of memory says nothing of the method: it is no failed fit, but the
 * end of the recovery. */
static pf_status check_memory(const pf_recovery *r, const pf_error *errors, pf_error *error)
{
  for (size_t d = 0; d < r->n_sets; d++) {
    const char *why = r->sets[d].status != PF_OK ? errors[d].text : r->sets[d].why;
    if (why != NULL && strstr(why, "out of memory") != NULL) {
      return pf_fail(error, PF_STOP, "data set %zu: %s", d + 1, why);
    }
  }
  return PF_OK;
}

/* Threads over data sets, or inside one after the other where there are fewer of them than threads.
 */
static pf_status do_all_sets(pf_recovery *r, pf_progress progress, interruption *until,
                             pf_error *error)
{
  const int asked = r->problem->options.n_threads;
  const int n_threads = asked > 1 ? asked : 1;
  const bool over_sets = r->n_sets >= (size_t)n_threads;
  pf_error *errors = pf_memory_need(r->n_sets, sizeof *errors, error);
  pf_ticker ticker;
  if (errors == NULL) {
    return PF_STOP;
  }
  pf_ticker_start(&ticker, progress, until->payload, "recovering", (int64_t)r->n_sets);
#pragma omp parallel for schedule(dynamic) num_threads(n_threads) if (over_sets)
  for (int64_t d = 0; d < (int64_t)r->n_sets; d++) {
    errors[d] = pf_error_none();
    if (!asked_to_stop(until)) {
      r->sets[d].status = do_set(r, &r->sets[d], over_sets ? 1 : n_threads, until, &errors[d]);
    }
    pf_ticker_add(&ticker, 1);
  }
  pf_ticker_end(&ticker);
  size_t n_failed = 0, first_failed = 0;
  for (size_t d = r->n_sets; d-- > 0;) {
    if (r->sets[d].status != PF_OK) {
      keep_why(&r->sets[d], errors[d].text);
      n_failed++;
      first_failed = d;
    }
  }
  pf_status status = PF_OK;
  if (asked_to_stop(until)) {
    status = pf_fail(error, PF_POINT_FAILED, "interrupted; nothing is written");
  } else if (n_failed == r->n_sets) {
    status = pf_fail(error, PF_STOP, "%s", errors[first_failed].text);
  } else {
    status = check_memory(r, errors, error);
  }
  pf_memory_free(errors);
  return status;
}

pf_status pf_recover_run(const pf_problem *problem, pf_progress progress, pf_stop stop,
                         void *payload, pf_recovery **out, pf_error *error)
{
  const double started = pf_clock_seconds();
  interruption until = {.stop = stop, .payload = payload};
  pf_recovery *r = NULL;
  pf_status status = pf_recovery_create(problem, &r, error);
  if (status != PF_OK) {
    return status;
  }
  if (problem->settings->fit.per == PF_FIT_POPULATION) {
    status = pf_population_recovery_create(r, error);
  }
  if (status == PF_OK) {
    status = do_all_sets(r, progress, &until, error);
  }
  if (status == PF_OK) {
    status = pf_recover_tabulate(r, error);
  }
  if (status == PF_OK && r->population != NULL) {
    status = pf_population_recovery_tabulate(r, error);
  }
  if (status != PF_OK) {
    pf_recovery_free(r);
    return status;
  }
  r->seconds = pf_clock_seconds() - started;
  *out = r;
  return PF_OK;
}
