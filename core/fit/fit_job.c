#include "core/fit/fit_job.h"

#include "core/base/memory.h"
#include "core/fit/subsampled_start.h"

#include <math.h>
#include <string.h>

/* Most values for which the secant correction from a subsample of draws is passed on. */
enum { MAX_SECANT = 300 };

static void log_row(pf_fit_job *job, const pf_iterate *at)
{
  pf_fit_row *row = pf_array_append(&job->rows, NULL);
  if (row == NULL ||
      pf_array_append_all(&job->row_values, at->v, job->group->layout->n, NULL) != PF_OK) {
    job->lost = true;
    return;
  }
  *row = (pf_fit_row){.epoch = job->n_steps + at->iteration,
                      .objective = at->objective,
                      .data_term = pf_group_objective_data_term(job->function, at),
                      .gradient_norm = at->gradient_norm};
}

static bool is_asked_to_stop(void *payload)
{
  const pf_fit_job *job = payload;
  return job->stop != NULL && job->stop(job->ticker->payload);
}

static void log_iterate(void *payload, const pf_iterate *at)
{
  pf_fit_job *job = payload;
  const pf_fit_settings *fit = &job->in.problem->settings->fit;
  if (!job->optimiser->fixed_passes) {
    log_row(job, at);
    return;
  }
  const bool every = fit->log_every > 0 && at->iteration % fit->log_every == 0;
  if (at->iteration == 0 || at->iteration == fit->epochs || every) {
    log_row(job, at);
  }
  if (at->iteration > 0) {
    pf_ticker_add(job->ticker, (int64_t)job->group->n_draws);
  }
}

static pf_optimiser_settings read_settings(const pf_fit_job *job)
{
  const pf_problem *problem = job->in.problem;
  const pf_fit_settings *fit = &problem->settings->fit;
  return (pf_optimiser_settings){.iterations =
                                     job->optimiser->fixed_passes ? fit->epochs : fit->iterations,
                                 .evaluations = fit->evaluations,
                                 .tolerance_nats = fit->tolerance_nats,
                                 .learning_rate = fit->learning_rate,
                                 .beta1 = fit->beta1,
                                 .beta2 = fit->beta2,
                                 .epsilon = fit->epsilon,
                                 .follows_valleys = true,
                                 .seed = problem->seed};
}

pf_status pf_fit_job_begin(pf_fit_job *job, pf_error *error)
{
  job->rows = pf_array_of(sizeof(pf_fit_row));
  job->row_values = pf_array_of(sizeof(double));
  return pf_group_objective_create(&job->in, &job->function, error);
}

void pf_fit_job_clear(pf_fit_job *job)
{
  pf_group_objective_free(job->function);
  pf_array_free(&job->rows);
  pf_array_free(&job->row_values);
}

/* From the optimum of a subsample of the draws to that of all: going there is the first step, and
 * the optimiser's own are counted from it. */
static pf_status start_from_subsample(pf_fit_job *job, const pf_optimiser_settings *settings,
                                      double *values, pf_subsampled_start *out, pf_error *error)
{
  const pf_watch watch = {.payload = job, .stop = is_asked_to_stop};
  const pf_subsample_in in = {.group = job->group,
                              .all = &job->in,
                              .function = pf_group_objective_get(job->function),
                              .optimiser = job->optimiser,
                              .settings = settings,
                              .watch = &watch};
  double *from = pf_memory_need(job->group->layout->n, sizeof *from, error);
  if (from == NULL) {
    return PF_STOP;
  }
  memcpy(from, values, job->group->layout->n * sizeof *from);
  const pf_status status = pf_subsampled_start_find(&in, values, out, error);
  if (status == PF_OK && out->moved) {
    if (!isnan(out->start)) {
      log_row(job, &(pf_iterate){.v = from, .objective = out->start, .gradient_norm = NAN});
    }
    job->n_steps = 1;
  }
  job->n_draws_seen = out->n_evaluations;
  pf_memory_free(from);
  return status;
}

pf_status pf_fit_job_minimise(pf_fit_job *job, const double *from, double *values,
                              pf_optimum *optimum, pf_error *error)
{
  const pf_function *function = pf_group_objective_get(job->function);
  const pf_watch watch = {.payload = job, .stop = is_asked_to_stop, .iterate = log_iterate};
  pf_optimiser_settings settings = read_settings(job);
  pf_subsampled_start few = {.start = NAN};
  pf_status status = PF_OK;
  memcpy(values, from, function->n * sizeof *values);
  if (job->subsamples) {
    if (function->n <= MAX_SECANT) {
      settings.secant = pf_memory_need(function->n * function->n, sizeof(double), error);
      if (settings.secant == NULL) {
        return PF_STOP;
      }
    }
    status = start_from_subsample(job, &settings, values, &few, error);
  }
  if (status == PF_OK) {
    status = job->optimiser->minimise(function, &settings, &watch, values, optimum, error);
  }
  pf_memory_free(settings.secant);
  job->n_draws_seen += pf_group_objective_n_evaluations(job->function);
  if (few.moved) {
    optimum->iterations += job->n_steps;
    optimum->start = isnan(few.start) ? optimum->start : few.start;
    optimum->n_shrunk = optimum->n_shrunk > 0 ? optimum->n_shrunk : few.optimum.n_shrunk;
  }
  return status;
}
