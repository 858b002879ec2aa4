#include "core/infer/infer.h"

#include "core/base/memory.h"
#include "core/base/threads.h"
#include "core/base/ticker.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { NAME = 160, FEW_CELLS = 250, MAX_PROFILED = 30, MAX_AGAIN = 3 };

const char *pf_verdict_words(uint32_t verdict)
{
  static const char *const words[] = {"", "identified", "practically not identified",
                                      "not identified by this design"};
  return verdict < sizeof words / sizeof words[0] ? words[verdict] : "";
}

void pf_value_name(const pf_problem *problem, const pf_layout *layout, size_t k, char *text,
                   size_t capacity)
{
  const size_t instance = layout->index[k], i = layout->instances[instance].parameter;
  const pf_model_parameter *parameter = &layout->parameters[i];
  const char *label =
      parameter->declared.label != NULL ? parameter->declared.label : parameter->declared.name;
  const bool says_owner = parameter->owner != NULL &&
                          (problem->model->n_plastic > 1 || i >= problem->model->network_theta0);
  const char *animal = "";
  int64_t experiment = -1;
  char whose[96] = "";
  pf_layout_copy(layout, instance, &animal, &experiment);
  if (experiment >= 0) {
    (void)snprintf(whose, sizeof whose, " [%.60s, experiment %lld]", animal, (long long)experiment);
  } else if (animal[0] != '\0') {
    (void)snprintf(whose, sizeof whose, " [%.60s]", animal);
  }
  (void)snprintf(text, capacity, "%s%s%s%s", says_owner ? parameter->owner : "",
                 says_owner ? ": " : "", label, whose);
}

/* ---- memory ---- */

pf_status pf_intervals_create(size_t n, pf_intervals *out, pf_error *error)
{
  out->se = pf_memory_need(n, sizeof *out->se, error);
  out->lower = pf_memory_need(n, sizeof *out->lower, error);
  out->upper = pf_memory_need(n, sizeof *out->upper, error);
  if (out->se == NULL || out->lower == NULL || out->upper == NULL) {
    return PF_STOP;
  }
  for (size_t k = 0; k < n; k++) {
    out->se[k] = out->lower[k] = out->upper[k] = NAN;
  }
  out->there = true;
  return PF_OK;
}

static char *print(pf_error *error, const char *format, va_list arguments)
{
  char text[1024];
  (void)vsnprintf(text, sizeof text, format, arguments);
  return pf_memory_string(text, error);
}

pf_status pf_infer_why(char **why, pf_error *error, const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  char *text = print(error, format, arguments);
  va_end(arguments);
  pf_memory_free(*why);
  *why = text;
  return text == NULL ? PF_STOP : PF_OK;
}

pf_status pf_infer_warn(pf_inference_group *group, pf_error *error, const char *format, ...)
{
  va_list arguments;
  char **grown = pf_memory_need(group->n_warnings + 1, sizeof(char *), error);
  if (grown == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; i < group->n_warnings; i++) {
    grown[i] = group->warnings[i];
  }
  pf_memory_free(group->warnings);
  group->warnings = grown;
  va_start(arguments, format);
  grown[group->n_warnings] = print(error, format, arguments);
  va_end(arguments);
  if (grown[group->n_warnings] == NULL) {
    return PF_STOP;
  }
  group->n_warnings++;
  return PF_OK;
}

static void clear_group(pf_inference_group *group)
{
  for (size_t k = 0; group->note != NULL && k < group->n; k++) {
    pf_memory_free(group->note[k]);
  }
  for (size_t i = 0; i < group->n_warnings; i++) {
    pf_memory_free(group->warnings[i]);
  }
  for (size_t m = 0; m < PF_N_INTERVAL_METHODS; m++) {
    pf_memory_free(group->methods[m].se);
    pf_memory_free(group->methods[m].lower);
    pf_memory_free(group->methods[m].upper);
    pf_memory_free(group->methods[m].why);
  }
  pf_spectrum_free(group->spectrum);
  pf_memory_free(group->why);
  pf_memory_free(group->variance);
  pf_memory_free(group->information);
  pf_memory_free(group->covariance);
  pf_memory_free(group->at_bound);
  pf_memory_free(group->verdict);
  pf_memory_free(group->note);
  pf_memory_free(group->warnings);
}

void pf_inference_free(pf_inference *inference)
{
  for (size_t u = 0; inference != NULL && u < inference->n_groups; u++) {
    clear_group(&inference->groups[u]);
  }
  if (inference != NULL) {
    pf_memory_free(inference->groups);
    pf_memory_free(inference);
  }
}

static pf_status allocate(const pf_problem *problem, pf_inference_group *out, pf_error *error)
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

/* ---- one unit ---- */

/** Says why there is nothing to infer; leaves out->why NULL where there is. */
static pf_status look(const pf_problem *problem, const pf_fit_group *group, pf_inference_group *out,
                      pf_error *error)
{
  if (group->status != PF_OK) {
    return pf_infer_why(&out->why, error, "the fit failed");
  }
  if (group->layout->n == 0) {
    return pf_infer_why(&out->why, error, "nothing was fitted");
  }
  for (size_t k = 0; k < group->layout->n; k++) {
    double l1 = 0.0, l2 = 0.0;
    pf_value_penalty(problem, group->layout, k, &l1, &l2);
    if (l1 > 0.0 || l2 > 0.0) {
      return pf_infer_why(
          &out->why, error,
          "a penalty draws coefficients away from where the likelihood has its maximum, so its "
          "curvature says nothing of their errors; fit without (penalty.l1=0)");
    }
  }
  if (!group->optimum.converged) {
    const pf_optimiser *optimiser = pf_fit_optimiser(problem);
    return optimiser->fixed_passes
               ? pf_infer_why(&out->why, error,
                              "%s stops when its passes are used up, not at an optimum; fit with "
                              "fit.optimiser=lm",
                              optimiser->name)
               : pf_infer_why(&out->why, error, "the fit did not converge: %s",
                              pf_reason_words(group->optimum.reason));
  }
  if (group->layout->n > (size_t)problem->settings->intervals.max_values) {
    return pf_infer_why(&out->why, error, "%zu values are more than intervals.max_values = %lld",
                        group->layout->n, (long long)problem->settings->intervals.max_values);
  }
  return PF_OK;
}

/** Verdicts from the spectrum. */
static pf_status judge(const pf_infer_job *job, pf_error *error)
{
  pf_inference_group *out = job->out;
  const size_t n = out->n;
  char *memory = pf_memory_need(n, NAME, error);
  const char **names = pf_memory_need(n, sizeof *names, error);
  pf_status status = memory == NULL || names == NULL ? PF_STOP : PF_OK;
  for (size_t k = 0; k < n && status == PF_OK; k++) {
    pf_value_name(job->problem, job->group->layout, k, memory + k * NAME, NAME);
    names[k] = memory + k * NAME;
  }
  for (size_t k = 0; k < n && status == PF_OK; k++) {
    char text[1000];
    const pf_unidentified_subspace *subspace = pf_spectrum_subspace(out->spectrum, k);
    out->verdict[k] = subspace == NULL ? PF_IDENTIFIED : PF_NOT_IDENTIFIED_BY_DESIGN;
    if (subspace != NULL) {
      pf_subspace_print(subspace, names, (int64_t)k, text, sizeof text);
      status = pf_infer_why(&out->note[k], error, "%s", text);
    } else if (out->at_bound[k]) {
      status = pf_infer_why(&out->note[k], error, "at its bound");
    }
  }
  pf_memory_free(memory);
  pf_memory_free((void *)names);
  return status;
}

/*
 * Are the data so few that Fisher's intervals are too short? Measured on choices (doc/coverage.md):
 * with 90 a coefficient they hold 86 to 96 % of true values, with 180 89 to 94 %, with 360 94 to 97
 * %. Activities are another matter: there the likelihood is nearly a parabola with fewer.
 */
static bool has_few(const pf_infer_job *job)
{
  double cells = 0.0;
  for (size_t k = 0; k < job->problem->model->n_losses; k++) {
    if (!isnan(job->evidence.variance[k])) {
      return false; /* squared errors */
    }
    cells += job->evidence.cells[k];
  }
  return job->out->n <= MAX_PROFILED && cells < FEW_CELLS * (double)job->out->n;
}

static pf_status infer_group(pf_infer_job *job, pf_error *error)
{
  pf_inference_group *out = job->out;
  const pf_interval_settings *wanted = &job->problem->settings->intervals;
  pf_status status = look(job->problem, job->group, out, error);
  if (status != PF_OK || out->why != NULL) {
    return status;
  }
  status = allocate(job->problem, out, error);
  status = status == PF_OK
               ? pf_evidence_create(job->problem, job->group, job->group->values, job->workspaces,
                                    job->n_workspaces, &job->evidence, error)
               : status;
  status = status == PF_OK ? pf_infer_fisher(job, error) : status;
  status = status == PF_OK ? judge(job, error) : status;
  status = status == PF_OK && wanted->methods[PF_INTERVAL_SANDWICH] ? pf_infer_sandwich(job, error)
                                                                    : status;
  status = status == PF_OK ? pf_infer_input_noise(job, error) : status;
  status = status == PF_OK ? pf_infer_latent(job, error) : status;
  const bool few = status == PF_OK && wanted->automatic && has_few(job);
  status = status == PF_OK && (few || wanted->methods[PF_INTERVAL_PROFILE])
               ? pf_infer_profile(job, error)
               : status;
  if (few && status == PF_OK && out->methods[PF_INTERVAL_PROFILE].there) {
    out->main = PF_INTERVAL_PROFILE;
  }
  status = status == PF_OK && out->why == NULL && wanted->methods[PF_INTERVAL_BOOTSTRAP]
               ? pf_infer_bootstrap(job, error)
               : status;
  pf_evidence_clear(&job->evidence);
  return status;
}

static void begin_group(pf_infer_job *job)
{
  *job->out = (pf_inference_group){.group = job->group,
                                   .n = job->group->layout->n,
                                   .main = job->problem->settings->intervals.main,
                                   .log_likelihood = NAN};
  job->found_better = false;
}

/** Infer; where a profile comes upon a better optimum, fit again from there, and once more. */
static pf_status infer_and_improve(pf_infer_job *job, pf_fit_group *group, pf_stop stop,
                                   void *payload, pf_error *error)
{
  begin_group(job);
  job->better = pf_memory_need(job->out->n, sizeof *job->better, error);
  pf_status status = job->better == NULL ? PF_STOP : infer_group(job, error);
  for (int again = 0; again < MAX_AGAIN && status == PF_OK && job->found_better; again++) {
    const size_t before = group->n_improved;
    const pf_observer observer = {.stop = stop, .payload = payload};
    status = pf_fit_improve(job->problem, group, job->better, &observer, error);
    if (status != PF_OK || group->n_improved == before) {
      break;
    }
    clear_group(job->out);
    begin_group(job);
    status = infer_group(job, error);
  }
  if (status == PF_OK && group->n_improved > 0) {
    status = pf_infer_warn(job->out, error,
                           "a profile came upon a better optimum, from which it was fitted again; "
                           "more starts may find "
                           "better ones still (fit.starts=20)");
  }
  pf_memory_free(job->better);
  return status;
}

/* ---- all of them ---- */

typedef struct unit_share {
  pf_status status;
  pf_error error;
} unit_share;

static pf_status make_workspaces(const pf_problem *problem, int n, pf_workspace ***out,
                                 pf_error *error)
{
  const pf_recording *longest = pf_dataset_longest(&problem->data);
  *out = pf_memory_need((size_t)n, sizeof(pf_workspace *), error);
  pf_status status = *out == NULL ? PF_STOP : PF_OK;
  for (int t = 0; t < n && status == PF_OK; t++) {
    status = pf_workspace_create(problem->model, longest->n_steps, &(*out)[t], error);
  }
  return status;
}

static pf_status run(const pf_problem *problem, pf_fit *fit, pf_ticker *ticker, pf_stop stop,
                     pf_inference *into, pf_error *error)
{
  const int n_threads = pf_fit_n_threads(problem, fit->n_groups);
  const bool over_groups = (size_t)n_threads <= fit->n_groups;
  pf_workspace **workspaces = NULL;
  unit_share *shares = pf_memory_need(fit->n_groups, sizeof *shares, error);
  pf_status status =
      shares == NULL ? PF_STOP : make_workspaces(problem, n_threads, &workspaces, error);
  if (status == PF_OK) {
#pragma omp parallel for schedule(dynamic) num_threads(n_threads) if (over_groups && n_threads > 1)
    for (size_t u = 0; u < fit->n_groups; u++) {
      pf_infer_job job = {.problem = problem,
                          .group = &fit->groups[u],
                          .workspaces = over_groups ? &workspaces[pf_this_thread()] : workspaces,
                          .n_workspaces = over_groups ? 1 : (size_t)n_threads,
                          .out = &into->groups[u]};
      begin_group(&job);
      shares[u] = (unit_share){.status = PF_OK, .error = pf_error_none()};
      if (stop != NULL && stop(ticker->payload)) {
        shares[u].status = pf_infer_why(&job.out->why, &shares[u].error, "interrupted");
      } else {
        shares[u].status =
            infer_and_improve(&job, &fit->groups[u], stop, ticker->payload, &shares[u].error);
      }
      if (shares[u].status == PF_POINT_FAILED) { /* this unit's alone */
        shares[u].status =
            pf_infer_why(&job.out->why, &shares[u].error, "%s", shares[u].error.text);
      }
      pf_ticker_add(ticker, 1);
    }
  }
  for (size_t u = 0; u < fit->n_groups && status == PF_OK; u++) {
    status = shares[u].status;
    if (status != PF_OK) {
      (void)pf_fail(error, status, "%s: %s", fit->groups[u].name, shares[u].error.text);
    }
  }
  for (int t = 0; workspaces != NULL && t < n_threads; t++) {
    pf_workspace_free(workspaces[t]);
  }
  pf_memory_free(workspaces);
  pf_memory_free(shares);
  return status;
}

pf_status pf_infer(const pf_problem *problem, pf_fit *fit, pf_progress progress, pf_stop stop,
                   void *payload, pf_inference **out, pf_error *error)
{
  const double started = pf_clock_seconds();
  bool any = false;
  for (size_t m = 0; m < PF_N_INTERVAL_METHODS; m++) {
    any = any || problem->settings->intervals.methods[m];
  }
  pf_inference *inference = pf_memory_need(1, sizeof *inference, error);
  if (inference == NULL) {
    return PF_STOP;
  }
  *inference = (pf_inference){.level = problem->settings->intervals.level};
  pf_status status = PF_OK;
  if (any) {
    pf_ticker ticker;
    inference->groups = pf_memory_need(fit->n_groups, sizeof *inference->groups, error);
    inference->n_groups = inference->groups == NULL ? 0 : fit->n_groups;
    status = inference->groups == NULL ? PF_STOP : PF_OK;
    pf_ticker_start(&ticker, progress, payload, "inferring", (int64_t)fit->n_groups);
    status = status == PF_OK ? run(problem, fit, &ticker, stop, inference, error) : status;
    pf_ticker_end(&ticker);
  }
  if (status != PF_OK) {
    pf_inference_free(inference);
    return status;
  }
  inference->seconds = pf_clock_seconds() - started;
  *out = inference;
  return PF_OK;
}
