#include "core/marginal/marginal.h"

#include "core/base/threads.h"
#include "core/fit/thread_workspaces.h"
#include "core/marginal/monte_carlo_em.h"

/* Draws of the fit of the mean, at most: it is but where Monte Carlo EM starts. */
enum { STARTING_DRAWS = 4 };

static pf_status run_group(const pf_em_in *in)
{
  pf_fit_group *group = in->group;
  const pf_status status =
      pf_group_set_draws(in->problem, group, in->problem->settings->marginal.draws);
  return status == PF_OK ? pf_em_run(in, &group->error) : status;
}

static void fit_group(const pf_problem *problem, pf_fit_group *group, const pf_filters *filters,
                      pf_workspaces workspaces, const pf_observer *observer)
{
  const pf_em_in in = {.problem = problem,
                       .group = group,
                       .filters = filters,
                       .workspaces = workspaces.items,
                       .n_workspaces = workspaces.n,
                       .stop = observer->stop,
                       .payload = observer->payload};
  if (group->status == PF_OK && !group->interrupted && group->layout->n > 0 &&
      pf_group_has_unknowns(problem, group)) {
    group->status = run_group(&in);
  }
}

/* Threads are shared out over groups, or over the recordings of one group after the other. */
static pf_status fit_groups(const pf_problem *problem, pf_fit *fit, const pf_observer *observer,
                            pf_error *error)
{
  const int n_threads = problem->options.n_threads > 1 ? problem->options.n_threads : 1;
  const bool over_groups = fit->n_groups >= (size_t)n_threads;
  pf_filters filters = {0};
  pf_thread_workspaces workspaces = {0};
  pf_ticker ticker;
  pf_status status = pf_filters_create(problem, (size_t)n_threads, &filters, error);
  if (status != PF_OK) {
    return status;
  }
  status = pf_thread_workspaces_create(problem->model, &problem->data, (size_t)n_threads,
                                       &workspaces, error);
  if (status != PF_OK) {
    pf_filters_free(&filters);
    return status;
  }
  pf_ticker_start(&ticker, observer->progress, observer->payload, "integrating out inputs",
                  (int64_t)fit->n_groups);
#pragma omp parallel for schedule(dynamic) num_threads(n_threads) if (over_groups && n_threads > 1)
  for (size_t u = 0; u < fit->n_groups; u++) {
    const size_t t = over_groups ? (size_t)pf_this_thread() : 0;
    const size_t n = over_groups ? 1 : (size_t)n_threads;
    const pf_filters own = {.items = filters.items + t, .n = n};
    fit_group(problem, &fit->groups[u], &own, (pf_workspaces){workspaces.items + t, n}, observer);
    pf_ticker_add(&ticker, 1);
  }
  pf_ticker_end(&ticker);
  pf_thread_workspaces_free(&workspaces);
  pf_filters_free(&filters);
  return PF_OK;
}

/* How many failed, and how many did not converge, after all. */
static void count_groups(pf_fit *fit)
{
  fit->n_failed = fit->n_interrupted = fit->n_unconverged = 0;
  for (size_t u = 0; u < fit->n_groups; u++) {
    const pf_fit_group *group = &fit->groups[u];
    fit->n_failed += group->status != PF_OK ? 1 : 0;
    fit->n_interrupted += group->interrupted ? 1 : 0;
    fit->n_unconverged += group->status == PF_OK && !pf_fit_claims(group) ? 1 : 0;
  }
}

/* Is anything of any recording unknown? */
static bool has_unknowns(const pf_problem *problem)
{
  for (size_t i = 0; i < problem->data.n; i++) {
    pf_unknowns unknowns;
    pf_stream stream;
    pf_problem_unknowns(problem, &problem->data, i, false, &unknowns, &stream);
    if (pf_unknowns_any(problem->model, &unknowns)) {
      return true;
    }
  }
  return false;
}

/* The fit of the mean over few draws, and of the marginal likelihood from there. */
static pf_status fit_marginal(const pf_problem *problem, const pf_start_points *points,
                              const pf_observer *observer, pf_fit **out, pf_error *error)
{
  pf_problem start = *problem;
  pf_settings settings = *problem->settings;
  start.settings = &settings;
  settings.draws = settings.draws < STARTING_DRAWS ? settings.draws : STARTING_DRAWS;
  const pf_status status = pf_fit_run_from(&start, points, observer, out, error);
  if (status != PF_OK) {
    return status;
  }
  for (size_t u = 0; u < (*out)->n_groups; u++) { /* `start` ends here */
    if ((*out)->groups[u].layout != NULL) {
      (*out)->groups[u].layout->data = &problem->data;
    }
  }
  return fit_groups(problem, *out, observer, error);
}

pf_status pf_estimate(const pf_problem *problem, const pf_start_points *points,
                      const pf_observer *observer, pf_fit **out, pf_error *error)
{
  const double started = pf_clock_seconds();
  if (problem->settings->marginal.kind != PF_LIKELIHOOD_MARGINAL || !has_unknowns(problem)) {
    return pf_fit_run_from(problem, points, observer, out, error);
  }
  *out = NULL;
  const pf_status status = fit_marginal(problem, points, observer, out, error);
  if (status != PF_OK) {
    pf_fit_free(problem, *out);
    *out = NULL;
    return status;
  }
  count_groups(*out);
  (*out)->seconds = pf_clock_seconds() - started;
  return PF_OK;
}
