#include "core/infer/infer.h"

#include "core/base/memory.h"
#include "core/base/threads.h"
#include "core/fit/thread_workspaces.h"
#include "core/infer/agreement.h"
#include "core/infer/drawn_start.h"
#include "core/infer/input_noise.h"
#include "core/infer/latent.h"
#include "core/intervals/covariance.h"
#include "core/intervals/interval_method.h"
#include "core/intervals/profile.h"
#include "core/intervals/rivals.h"

#include <math.h>
#include <string.h>

/* Below how many cells for each value Fisher's intervals are not relied on; how many values are
 * profiled without being asked for it; from how many animals on they are clusters. */
enum { FEW_CHOICES = 250, FEW_ACTIVITIES = 50, MAX_PROFILED = 30, MANY_ANIMALS = 10 };

/* ---- one group ---- */

static pf_status allocate_group(const pf_problem *problem, pf_inference_group *out, pf_error *error)
{
  const size_t n = out->n;
  out->variance = pf_memory_need(problem->model->n_losses, sizeof *out->variance, error);
  out->information = pf_memory_need(n * n, sizeof *out->information, error);
  out->covariance = pf_memory_need(n * n, sizeof *out->covariance, error);
  out->at_bound = pf_memory_need(n, sizeof *out->at_bound, error);
  out->verdict = pf_memory_need(n, sizeof *out->verdict, error);
  out->note = pf_memory_need(n, sizeof(char *), error);
  return out->variance == NULL || out->information == NULL || out->covariance == NULL ||
                 out->at_bound == NULL || out->verdict == NULL || out->note == NULL
             ? PF_STOP
             : PF_OK;
}

/** The key of the config that the penalty of value k comes from. */
static void name_penalty(const pf_problem *problem, const pf_layout *layout, size_t k, bool is_l1,
                         char *key, size_t capacity)
{
  const pf_model *model = problem->model;
  const size_t i = layout->instances[layout->index[k]].parameter;
  const char *name = layout->parameters[i].declared.name;
  const char *kind = is_l1 ? "l1" : "l2";
  const bool of_network =
      i >= model->network_theta0 && i < model->network_theta0 + model->declared.parameters.count;
  if (!layout->parameters[i].own_penalty) {
    (void)snprintf(key, capacity, "penalty.%s", kind);
  } else if (i < model->network_theta0) {
    (void)snprintf(key, capacity, "the rule's parameters.%s.%s", name, kind);
  } else if (of_network) {
    (void)snprintf(key, capacity, "network.parameters.%s.%s", name, kind);
  } else {
    (void)snprintf(key, capacity, "network.initial_weights.%s", kind);
  }
}

/** "penalty.l1=0, network.initial_weights.l2=0": every penalty that there is, once, as far as the
 * text goes; "": none. */
static void list_penalties(const pf_problem *problem, const pf_layout *layout, char *keys,
                           size_t capacity)
{
  keys[0] = '\0';
  for (size_t k = 0; k < layout->n; k++) {
    double of[2] = {0.0, 0.0};
    pf_value_penalty(problem, layout, k, &of[0], &of[1]);
    for (int is_l2 = 0; is_l2 < 2; is_l2++) {
      if (!(of[is_l2] > 0.0)) {
        continue;
      }
      char key[200];
      name_penalty(problem, layout, k, is_l2 == 0, key, sizeof key - 2);
      (void)snprintf(key + strlen(key), 3, "=0");
      const size_t length = strlen(keys);
      if (strstr(keys, key) == NULL && length + strlen(key) + 3 < capacity) {
        (void)snprintf(keys + length, capacity - length, "%s%s", length > 0 ? ", " : "", key);
      }
    }
  }
}

/** Says why there is nothing to infer; leaves out->why NULL where there is. */
static pf_status check_fit(const pf_problem *problem, const pf_fit_group *group,
                           pf_inference_group *out, pf_error *error)
{
  const pf_layout *layout = group->layout;
  if (group->status != PF_OK) {
    return pf_infer_why(&out->why, error, "the fit failed");
  }
  if (layout->n == 0) {
    return pf_infer_why(&out->why, error, "nothing was fitted");
  }
  char penalties[400];
  list_penalties(problem, layout, penalties, sizeof penalties);
  if (penalties[0] != '\0') {
    return pf_infer_why(
        &out->why, error,
        "a penalty moves coefficients away from the maximum of the likelihood, so the curvature "
        "there does not give their errors; fit without a penalty (%s)",
        penalties);
  }
  switch (pf_fit_verdict(group)) {
  case PF_FIT_CONVERGED:
  case PF_FIT_SEPARATION: /* the profile says how far values may go */
    break;
  case PF_FIT_PASSES_DONE:
    return pf_infer_why(&out->why, error,
                        "%s stops when its passes are used up, not at an optimum; fit with "
                        "fit.optimiser=lm",
                        pf_fit_optimiser(problem)->name);
  case PF_FIT_WORSE_THAN_NULL:
    return pf_infer_why(&out->why, error,
                        "the fit is worse than weights that never change, so a better fit exists; "
                        "fit from more starts (fit.starts=20)");
  default:
    return pf_infer_why(&out->why, error, "the fit did not converge: %s",
                        pf_reason_words(group->optimum.reason));
  }
  if (layout->n > (size_t)problem->settings->intervals.max_values) {
    return pf_infer_why(&out->why, error, "%zu values are more than intervals.max_values = %lld",
                        layout->n, (long long)problem->settings->intervals.max_values);
  }
  return PF_OK;
}

static pf_status set_verdict(pf_inference_group *out, size_t k, const char *const *names,
                             pf_error *error)
{
  char text[1000];
  const pf_unidentified_subspace *subspace = pf_spectrum_subspace(out->spectrum, k);
  out->verdict[k] = subspace == NULL ? PF_IDENTIFIED : PF_NOT_IDENTIFIED_BY_DESIGN;
  if (subspace != NULL) {
    pf_subspace_print(subspace, names, (int64_t)k, text, sizeof text);
    return pf_infer_why(&out->note[k], error, "%s", text);
  }
  return out->at_bound[k] ? pf_infer_why(&out->note[k], error, "at its bound") : PF_OK;
}

/** Verdicts from the spectrum. */
static pf_status set_verdicts(pf_infer_job *job, pf_error *error)
{
  const char **names = pf_value_names(job->problem, job->group->layout, error);
  pf_status status = names == NULL ? PF_STOP : PF_OK;
  for (size_t k = 0; k < job->out->n; k++) {
    if (status == PF_OK) {
      status = set_verdict(job->out, k, names, error);
    }
  }
  pf_memory_free((void *)names);
  return status;
}

/*
 * Are the data so few that Fisher's intervals are too short? Measured on choices (doc/coverage.md):
 * with 90 a coefficient they hold 86 to 96 % of true values, with 180 89 to 94 %, with 360 94 to 97
 * %. Of activities the likelihood is nearly a parabola with fewer.
 */
static bool has_few_data(const pf_infer_job *job)
{
  double cells = 0.0, few = FEW_CHOICES;
  for (size_t k = 0; k < job->problem->model->n_losses; k++) {
    few = isnan(job->evidence.variance[k]) ? few : FEW_ACTIVITIES;
    cells += job->evidence.cells[k];
  }
  return job->out->n <= MAX_PROFILED && cells < few * (double)job->out->n;
}

/* Where animals that share values are many, how they vary is seen and need not be assumed. */
static bool has_many_animals(const pf_infer_job *job)
{
  const pf_layout *layout = job->group->layout;
  size_t n_shared = 0;
  for (size_t k = 0; k < layout->n; k++) {
    n_shared += pf_layout_is_shared(layout, k) ? 1 : 0;
  }
  return n_shared > 0 && layout->n_animals >= MANY_ANIMALS && layout->n_animals > 2 * n_shared;
}

/* Curvatures by differences are never quite 0. Those by which a change of a value as large as
 * itself costs no nats that can be seen are made so. */
static void remove_rounding(const double *values, size_t n, double *h)
{
  static const double nothing = 1e-8; /* nats */
  for (size_t k = 0; k < n; k++) {
    if (h[k * n + k] * values[k] * values[k] > nothing || values[k] == 0.0) {
      continue;
    }
    for (size_t i = 0; i < n; i++) {
      h[k * n + i] = h[i * n + k] = 0.0;
    }
  }
}

/* The spectrum of the information at `share` of the values. PF_POINT_FAILED: there is none. */
static pf_status find_spectrum_nearer(const pf_infer_job *job, double share, pf_spectrum **out,
                                      pf_error *error)
{
  const size_t n = job->out->n;
  double *memory = pf_memory_need((n + 2) * n, sizeof *memory, error);
  pf_group_objective *function = NULL;
  if (memory == NULL) {
    return PF_STOP;
  }
  double *values = memory, *gradient = values + n, *h = gradient + n, f = 0.0;
  const pf_layout *layout = job->group->layout;
  for (size_t k = 0; k < n; k++) {
    values[k] = fmin(fmax(share * job->group->values[k], layout->lower[k]), layout->upper[k]);
  }
  pf_status status = pf_infer_objective(job, &job->evidence.batches, &function, error);
  if (status == PF_OK) {
    const pf_function *objective = pf_group_objective_get(function);
    status = objective->curvature(objective->self, values, &f, gradient, h, error);
  }
  if (status == PF_OK) {
    remove_rounding(job->group->values, n, h);
    status = pf_spectrum_create_at(h, job->group->values, n,
                                   job->problem->settings->intervals.rank_tolerance, out, error);
  }
  pf_group_objective_free(function);
  pf_memory_free(memory);
  return status;
}

/*
 * Where choices are predicted with certainty, the likelihood is flat, and directions look free that
 * the design determines. Nearer to 0 it shows which are: then those are separated, not free.
 */
static pf_status look_nearer(pf_infer_job *job, pf_error *error)
{
  static const double shares[] = {0.3, 0.1, 0.03, 0.01};
  pf_inference_group *out = job->out;
  for (size_t i = 0; i < sizeof shares / sizeof shares[0]; i++) {
    pf_spectrum *nearer = NULL;
    pf_error line = pf_error_none();
    const pf_status status = find_spectrum_nearer(job, shares[i], &nearer, &line);
    if (status < 0) {
      return pf_fail(error, status, "%s", line.text);
    }
    if (status != PF_OK || nearer->n_free >= out->spectrum->n_free) {
      pf_spectrum_free(nearer);
      continue;
    }
    pf_spectrum_free(out->spectrum);
    out->spectrum = nearer;
    out->is_separated = true;
  }
  return PF_OK;
}

/* Does the likelihood have no maximum, or is every choice predicted so well that it only creeps up
 * to its limit? */
static pf_status find_separation(pf_infer_job *job, pf_error *error)
{
  static const double nearly_none = 0.1; /* nats in all */
  const bool has_limit = pf_infer_has_only_likelihoods(job);
  job->out->is_separated = pf_fit_verdict(job->group) == PF_FIT_SEPARATION ||
                           (has_limit && -job->out->log_likelihood < nearly_none);
  return has_limit && job->out->spectrum->n_free > 0 ? look_nearer(job, error) : PF_OK;
}

static pf_status compute_intervals(pf_infer_job *job, const pf_interval_method *method,
                                   pf_intervals *to, pf_error *error)
{
  if (job->evidence.no_sigma != NULL) {
    return pf_infer_why(&to->why, error, "%s", job->evidence.no_sigma);
  }
  if (job->group->marginal != NULL && method->needs_mean != NULL) {
    return pf_infer_why(&to->why, error, "%s", method->needs_mean);
  }
  if (!job->evidence.proportional && method->needs_likelihood != NULL) {
    return pf_infer_why(&to->why, error, "%s", method->needs_likelihood);
  }
  if (job->out->is_separated && !method->is_global) {
    return pf_infer_why(&to->why, error,
                        "separation: the likelihood keeps rising while values grow, so it has no "
                        "maximum; intervals.methods=[\"profile\"] says how far they may go");
  }
  return method->compute(job, to, error);
}

static pf_status compute_method(pf_infer_job *job, uint32_t m, pf_error *error)
{
  pf_inference_group *out = job->out;
  const pf_interval_method *method = pf_interval_methods[m];
  const pf_status status = compute_intervals(job, method, &out->methods[m], error);
  out->is_global = out->is_global || (out->methods[m].there && method->is_global);
  return status;
}

/*
 * Which methods "auto" adds to fisher: where data are few, or choices separate, the profile; where
 * animals are many, the sandwich by animal. The last that has intervals is shown, but separated
 * data have no other than the profile's. What is one animal's own has none by the sandwich: of it
 * another is shown (core/uncertainty/uncertainty.c).
 */
static void choose_automatic(const pf_infer_job *job, bool *added)
{
  if (!job->problem->settings->intervals.automatic) {
    return;
  }
  const bool is_separated = job->out->is_separated && job->out->n <= MAX_PROFILED;
  added[PF_INTERVAL_profile] = job->group->marginal == NULL && (has_few_data(job) || is_separated);
  added[PF_INTERVAL_sandwich] = has_many_animals(job) && !is_separated;
}

/* Where the first method has no intervals another that was asked for takes its place. */
static pf_status show_another(pf_inference_group *out, pf_error *error)
{
  const uint32_t first = out->main;
  for (uint32_t m = 0; m < PF_N_INTERVAL_METHODS && !out->methods[out->main].there; m++) {
    out->main = out->methods[m].there ? m : out->main;
  }
  if (out->main == first || out->methods[first].why == NULL) {
    return PF_OK;
  }
  return pf_infer_warn(out, error, "no %s intervals: %s; those shown are by %s",
                       pf_interval_methods[first]->name, out->methods[first].why,
                       pf_interval_methods[out->main]->name);
}

/* Where "auto" wanted animals as clusters, and these do not vary as animals do. */
static pf_status warn_of_alike(pf_inference_group *out, pf_error *error)
{
  const pf_intervals *refused = &out->methods[PF_INTERVAL_sandwich];
  if (refused->there || refused->why == NULL || !out->methods[out->main].there) {
    return PF_OK;
  }
  return pf_infer_warn(out, error, "no sandwich intervals: %s; those shown are by %s", refused->why,
                       pf_interval_methods[out->main]->name);
}

/* Every method that is wanted, until one finds that the fit is no optimum. */
static pf_status compute_methods(pf_infer_job *job, pf_error *error)
{
  const pf_interval_settings *wanted = &job->problem->settings->intervals;
  pf_inference_group *out = job->out;
  bool added[PF_N_INTERVAL_METHODS] = {false};
  choose_automatic(job, added);
  for (uint32_t m = 0; m < PF_N_INTERVAL_METHODS; m++) {
    if (!wanted->methods[m] && !added[m]) {
      continue;
    }
    const pf_status status = compute_method(job, m, error);
    if (status != PF_OK || out->why != NULL) {
      return status;
    }
  }
  const pf_status status = show_another(out, error);
  if (status != PF_OK) {
    return status;
  }
  const uint32_t shown[] = {PF_INTERVAL_profile, PF_INTERVAL_sandwich};
  for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++) {
    out->main = added[shown[i]] && out->methods[shown[i]].there ? shown[i] : out->main;
  }
  return added[PF_INTERVAL_sandwich] ? warn_of_alike(out, error) : PF_OK;
}

/* Where the likelihood has no maximum and no profile was asked for, nobody knows which values the
 * data limit: then none is called identified. */
static pf_status doubt_separated(pf_infer_job *job, pf_error *error)
{
  pf_inference_group *out = job->out;
  if (out->why != NULL || !out->is_separated || out->is_global) {
    return PF_OK;
  }
  for (size_t k = 0; k < out->n; k++) {
    if (out->verdict[k] != PF_IDENTIFIED) {
      continue;
    }
    out->verdict[k] = PF_PRACTICALLY_NOT;
    const pf_status status = pf_infer_why(
        &out->note[k], error,
        "separation, the likelihood goes on rising; intervals.methods=[\"profile\"] says "
        "how far the data allow this one to go");
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

/* Intervals of what stands at a bound come from the profile, whatever the method. */
static pf_status add_bounds(pf_infer_job *job, pf_error *error)
{
  pf_inference_group *out = job->out;
  pf_intervals *shown = &out->methods[out->main];
  if (out->why != NULL || !shown->there || out->methods[PF_INTERVAL_profile].there ||
      !job->evidence.proportional || out->n > MAX_PROFILED) {
    return PF_OK;
  }
  return pf_profile_bounds(job, shown, error);
}

static pf_status infer_group(pf_infer_job *job, pf_error *error)
{
  /* second: also of the marginal likelihood; the others would take its draws for those of the mean
   */
  static const struct {
    pf_status (*run)(pf_infer_job *, pf_error *);
    bool of_marginal;
  } steps[] = {{pf_infer_information, true},  {find_separation, true},    {set_verdicts, true},
               {pf_infer_input_noise, false}, {pf_infer_latent, true},    {compute_methods, true},
               {doubt_separated, true},       {add_bounds, true},         {pf_rivals_judge, false},
               {pf_infer_drawn_start, false}, {pf_infer_agreement, false}};
  pf_inference_group *out = job->out;
  pf_status status = check_fit(job->problem, job->group, out, error);
  if (status != PF_OK || out->why != NULL) {
    return status;
  }
  status = allocate_group(job->problem, out, error);
  if (status == PF_OK) {
    status = pf_evidence_create(job->problem, job->group, job->group->values,
                                (pf_workspaces){job->workspaces, job->n_workspaces}, &job->evidence,
                                error);
  }
  for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
    if (status == PF_OK && out->why == NULL &&
        (steps[i].of_marginal || job->group->marginal == NULL)) {
      status = steps[i].run(job, error);
    }
  }
  pf_evidence_clear(&job->evidence);
  return status;
}

/* ---- all of them ---- */

typedef struct group_share {
  pf_status status;
  pf_error error;
} group_share;

/** A group, until somebody asks to stop: then it has none, and says why. What fails is its own
 * failure alone, unless it is memory. */
static void infer_share(pf_infer_job *job, group_share *share)
{
  *job->out = (pf_inference_group){.group = job->group,
                                   .n = job->group->layout->n,
                                   .main = job->problem->settings->intervals.main,
                                   .has_no_better = job->out->has_no_better,
                                   .log_likelihood = NAN};
  share->error = pf_error_none();
  share->status = pf_infer_is_stopped(job) ? PF_STOP : infer_group(job, &share->error);
  if (share->status < 0 && pf_infer_is_stopped(job)) {
    share->error = pf_error_none();
    share->status = pf_infer_why(&job->out->why, &share->error, "interrupted");
  }
  if (share->status == PF_POINT_FAILED) {
    share->status = pf_infer_why(&job->out->why, &share->error, "%s", share->error.text);
  }
}

/* What is reported to whoever waits: every group, and every value of it. */
static int64_t count_work(const pf_fit *fit)
{
  int64_t n = 0;
  for (size_t u = 0; u < fit->n_groups; u++) {
    n += 1 + (int64_t)fit->groups[u].layout->n;
  }
  return n;
}

static pf_status infer_groups(const pf_problem *problem, const pf_fit *fit,
                              const pf_observer *observer, pf_inference *into, pf_error *error)
{
  const int n_threads = pf_fit_n_threads(problem, fit->n_groups);
  const bool over_groups = (size_t)n_threads <= fit->n_groups;
  pf_thread_workspaces workspaces = {0};
  pf_ticker ticker;
  pf_ticker_start(&ticker, observer->progress, observer->payload, "inferring", count_work(fit));
  group_share *shares = pf_memory_need(fit->n_groups, sizeof *shares, error);
  pf_status status = shares == NULL
                         ? PF_STOP
                         : pf_thread_workspaces_create(problem->model, &problem->data,
                                                       (size_t)n_threads, &workspaces, error);
  if (status != PF_OK) {
    goto done;
  }
#pragma omp parallel for schedule(dynamic) num_threads(n_threads) if (over_groups && n_threads > 1)
  for (size_t u = 0; u < fit->n_groups; u++) {
    atomic_llong n_ticked;
    atomic_init(&n_ticked, 0);
    pf_infer_job job = {.problem = problem,
                        .group = &fit->groups[u],
                        .workspaces = workspaces.items + (over_groups ? pf_this_thread() : 0),
                        .n_workspaces = over_groups ? 1 : workspaces.n,
                        .observer = observer,
                        .ticker = &ticker,
                        .n_ticked = &n_ticked,
                        .out = &into->groups[u]};
    if (job.out->group == NULL) { /* else it is there */
      infer_share(&job, &shares[u]);
    }
    const int64_t n_left = 1 + (int64_t)job.group->layout->n - (int64_t)atomic_load(&n_ticked);
    pf_ticker_add(&ticker, n_left > 0 ? n_left : 0);
  }
  for (size_t u = 0; u < fit->n_groups; u++) {
    if (shares[u].status != PF_OK) {
      status =
          pf_fail(error, shares[u].status, "%s: %s", fit->groups[u].name, shares[u].error.text);
      goto done;
    }
  }
done:
  pf_ticker_end(&ticker);
  pf_thread_workspaces_free(&workspaces);
  pf_memory_free(shares);
  return status;
}

void pf_infer_methods(const pf_interval_settings *settings, bool *asked)
{
  for (size_t m = 0; m < PF_N_INTERVAL_METHODS; m++) {
    asked[m] =
        settings->methods[m] || (settings->automatic && pf_interval_methods[m]->joins_automatic);
  }
}

static pf_status create_inference(const pf_problem *problem, const pf_fit *fit, pf_inference **out,
                                  pf_error *error)
{
  bool asked[PF_N_INTERVAL_METHODS], is_any = false;
  pf_inference *inference = pf_memory_need(1, sizeof *inference, error);
  if (inference == NULL) {
    return PF_STOP;
  }
  inference->level = problem->settings->intervals.level;
  *out = inference;
  pf_infer_methods(&problem->settings->intervals, asked);
  for (size_t m = 0; m < PF_N_INTERVAL_METHODS; m++) {
    is_any = is_any || asked[m];
  }
  if (!is_any) {
    return PF_OK;
  }
  inference->groups = pf_memory_need(fit->n_groups, sizeof *inference->groups, error);
  inference->n_groups = inference->groups == NULL ? 0 : fit->n_groups;
  return inference->groups == NULL ? PF_STOP : PF_OK;
}

pf_status pf_infer(const pf_problem *problem, const pf_fit *fit, const pf_observer *observer,
                   pf_inference **out, pf_error *error)
{
  const double started = pf_clock_seconds();
  pf_status status = *out == NULL ? create_inference(problem, fit, out, error) : PF_OK;
  if (status == PF_OK && (*out)->n_groups > 0) {
    status = infer_groups(problem, fit, observer, *out, error);
  }
  if (status != PF_OK) {
    pf_inference_free(*out);
    *out = NULL;
    return status;
  }
  (*out)->seconds += pf_clock_seconds() - started;
  return PF_OK;
}
