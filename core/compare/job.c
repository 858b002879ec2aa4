#include "core/compare/job.h"

#include "core/base/memory.h"
#include "core/compare/key.h"
#include "core/problem/subset.h"

#include <string.h>

/* ---- which jobs ---- */

/** Flags of a recording in a fold, [n_steps]. */
static pf_status fold_flags(const pf_recording *recording, const pf_compare_settings *settings,
                            const pf_jobs *jobs, const pf_job *job, uint32_t *flags,
                            pf_error *error)
{
  switch (job->validation) {
  case PF_FORECAST:
    return pf_mask_forecast(recording, settings->forecast_fit, flags, error);
  case PF_LEAVE_BLOCK:
    pf_mask_fold(recording, jobs->folds, job->fold, flags);
    return PF_OK;
  case PF_LEAVE_ANIMAL:
    for (int64_t t = 0; t < recording->n_steps; t++) {
      const bool left_out = recording->animal_number == (size_t)job->fold;
      flags[t] = recording->flags[t] & ~(uint32_t)(left_out ? PF_STEP_FIT : PF_STEP_SCORE);
    }
    return PF_OK;
  default:
    memcpy(flags, recording->flags, (size_t)recording->n_steps * sizeof *flags);
    return PF_OK;
  }
}

/** Has the animal steps to fit and steps to score in this fold? One that cannot be masked is a job,
 * and will say why.
 */
static pf_status has_steps(const pf_problem *problem, const pf_compare_settings *settings,
                           const pf_jobs *jobs, const pf_job *job, bool *yes, pf_error *error)
{
  bool fits = false, scores = false;
  *yes = true;
  for (size_t i = 0; i < problem->data.n; i++) {
    const pf_recording *recording = &problem->data.recordings[i];
    if (job->animal != PF_ALL_ANIMALS && recording->animal_number != job->animal) {
      continue;
    }
    pf_error unused = pf_error_none();
    uint32_t *flags = pf_memory_need((size_t)recording->n_steps, sizeof *flags, error);
    if (flags == NULL) {
      return PF_STOP;
    }
    const bool masked = fold_flags(recording, settings, jobs, job, flags, &unused) == PF_OK;
    fits = fits || !masked || pf_count_steps(flags, recording->n_steps, PF_STEP_FIT) > 0;
    scores = scores || !masked || pf_count_steps(flags, recording->n_steps, PF_STEP_SCORE) > 0;
    pf_memory_free(flags);
  }
  *yes = fits && scores;
  return PF_OK;
}

static const pf_variant *variant_of(const pf_candidates *candidates, const pf_job *job)
{
  const pf_candidate *candidate = &candidates->items[job->candidate];
  return job->validation == PF_LEAVE_ANIMAL ? &candidate->shared : &candidate->own;
}

/** Everything of the settings that a job's result depends on. */
static void make_key(const pf_candidates *candidates, const pf_compare_settings *settings,
                     const pf_jobs *jobs, pf_job *job)
{
  const pf_variant *variant = variant_of(candidates, job);
  const int64_t numbers[] = {(int64_t)job->validation,
                             job->refit ? 1 : 0,
                             job->fold,
                             job->animal == PF_ALL_ANIMALS ? -1 : (int64_t)job->animal,
                             settings->ablations ? 1 : 0,
                             settings->asked[PF_IN_SAMPLE_FRESH] ? 1 : 0,
                             jobs->folds.n,
                             jobs->folds.from_data ? 1 : 0};
  memcpy(job->key, variant->key, sizeof job->key);
  pf_key_add(job->key, numbers, sizeof numbers);
  pf_key_add(job->key, &settings->forecast_fit, sizeof settings->forecast_fit);
}

/** Appends the job, unless it has nothing to do. */
static pf_status add_job(const pf_candidates *candidates, const pf_compare_settings *settings,
                         pf_jobs *jobs, pf_job job, size_t capacity, pf_error *error)
{
  bool yes = false;
  const pf_status status =
      has_steps(variant_of(candidates, &job)->problem, settings, jobs, &job, &yes, error);
  if (status == PF_OK && yes && jobs->n < capacity) {
    make_key(candidates, settings, jobs, &job);
    jobs->items[jobs->n++] = job;
  }
  return status;
}

/** Are there penalties, so that information criteria want another fit? */
static bool is_penalised(const pf_problem *problem)
{
  return problem->settings->fit.l1 > 0.0 || problem->settings->fit.l2 > 0.0;
}

static pf_status add_folds(const pf_candidates *candidates, const pf_compare_settings *settings,
                           pf_jobs *jobs, pf_job job, int64_t n_folds, size_t capacity,
                           pf_error *error)
{
  const pf_problem *problem = variant_of(candidates, &job)->problem;
  const bool shared = problem->settings->fit.per == PF_FIT_SHARED;
  pf_status status = PF_OK;
  for (job.fold = 0; job.fold < n_folds; job.fold++) {
    for (size_t a = 0; a < (shared ? 1 : problem->data.n_animals) && status == PF_OK; a++) {
      job.animal = shared ? PF_ALL_ANIMALS : a;
      status = add_job(candidates, settings, jobs, job, capacity, error);
    }
  }
  return status;
}

pf_status pf_jobs_create(const pf_candidates *candidates, const pf_compare_settings *settings,
                         pf_jobs *out, pf_error *error)
{
  const pf_dataset *data = &candidates->items[0].own.problem->data;
  *out = (pf_jobs){.folds = pf_folds_of(data, settings->parts)};
  if (settings->asked[PF_LEAVE_ANIMAL] && data->n_animals < 2) {
    return pf_fail(error, PF_STOP,
                   "compare.validation has leave-one-animal-out, but the data have one animal "
                   "('%s'); leave that out",
                   data->animals[0]);
  }
  const size_t per_candidate =
      (size_t)(3 + out->folds.n + (int64_t)data->n_animals) * data->n_animals;
  const size_t capacity = candidates->n * per_candidate;
  out->items = pf_memory_need(capacity, sizeof *out->items, error);
  pf_status status = out->items == NULL ? PF_STOP : PF_OK;
  for (size_t c = 0; c < candidates->n && status == PF_OK; c++) {
    const pf_problem *problem = candidates->items[c].own.problem;
    pf_job job = {.candidate = c, .validation = PF_IN_SAMPLE};
    if (settings->asked[PF_IN_SAMPLE] || settings->asked[PF_IN_SAMPLE_FRESH] || settings->refit) {
      status = add_folds(candidates, settings, out, job, 1, capacity, error);
    }
    if (status == PF_OK && settings->refit && is_penalised(problem)) {
      job.refit = true;
      status = add_folds(candidates, settings, out, job, 1, capacity, error);
      job.refit = false;
    }
    const int64_t n_folds[PF_N_VALIDATIONS] = {[PF_FORECAST] = 1,
                                               [PF_LEAVE_BLOCK] = out->folds.n,
                                               [PF_LEAVE_ANIMAL] = (int64_t)data->n_animals};
    for (uint32_t v = PF_FORECAST; v < PF_N_VALIDATIONS && status == PF_OK; v++) {
      job.validation = v;
      status = settings->asked[v]
                   ? add_folds(candidates, settings, out, job, n_folds[v], capacity, error)
                   : PF_OK;
    }
  }
  if (status == PF_OK && out->n == 0) {
    status = pf_fail(error, PF_STOP,
                     "no animal has steps to fit and steps to score in any of compare.validation");
  }
  if (status != PF_OK) {
    pf_jobs_free(out);
  }
  return status;
}

void pf_jobs_free(pf_jobs *jobs)
{
  pf_memory_free(jobs->items);
  *jobs = (pf_jobs){0};
}

/* ---- doing one ---- */

/** The recordings of a job that have `flag` steps in its fold, with its masks. *out NULL: none. */
static pf_status make_view(const pf_problem *problem, const pf_compare_settings *settings,
                           const pf_jobs *jobs, const pf_job *job, uint32_t flag, pf_problem **out,
                           pf_error *error)
{
  size_t *chosen = pf_memory_need(problem->data.n, sizeof *chosen, error);
  uint32_t *flags =
      pf_memory_need((size_t)pf_dataset_longest(&problem->data)->n_steps, sizeof *flags, error);
  pf_status status = chosen == NULL || flags == NULL ? PF_STOP : PF_OK;
  size_t n = 0;
  *out = NULL;
  for (size_t i = 0; i < problem->data.n && status == PF_OK; i++) {
    const pf_recording *recording = &problem->data.recordings[i];
    if (job->animal == PF_ALL_ANIMALS || recording->animal_number == job->animal) {
      status = fold_flags(recording, settings, jobs, job, flags, error);
      chosen[n] = i;
      n += status == PF_OK && pf_count_steps(flags, recording->n_steps, flag) > 0 ? 1 : 0;
    }
  }
  status = status == PF_OK ? pf_problem_subset(problem, chosen, n, out, error) : status;
  for (size_t k = 0; k < n && status == PF_OK; k++) {
    pf_recording *recording = &(*out)->data.recordings[k];
    status = fold_flags(recording, settings, jobs, job, flags, error);
    pf_recording_mask(recording, flags);
  }
  pf_memory_free(chosen);
  pf_memory_free(flags);
  return status;
}

static pf_status keep_error(pf_job_result *result, pf_status status, const char *line,
                            pf_error *error)
{
  result->status = status;
  result->error = pf_memory_string(line, error);
  return result->error == NULL ? PF_STOP : PF_OK;
}

/** A fit of the view. PF_POINT_FAILED with *fit NULL: interrupted. A fit that failed is in the
 * result. */
static pf_status fit_view(const pf_problem *view, pf_stop stop, void *payload, pf_fit **fit,
                          pf_job_result *result, pf_error *error)
{
  pf_error why = pf_error_none();
  pf_status status = pf_fit_run(view, NULL, stop, payload, fit, &why);
  if (status != PF_OK) {
    *fit = NULL;
    return keep_error(result, PF_POINT_FAILED, why.text, error);
  }
  if ((*fit)->n_interrupted > 0) {
    pf_fit_free(view, *fit);
    *fit = NULL;
    return PF_POINT_FAILED;
  }
  if ((*fit)->n_failed > 0) {
    return keep_error(result, PF_POINT_FAILED, (*fit)->groups[0].error.text, error);
  }
  return PF_OK;
}

static pf_status score(const pf_compare_settings *settings, const pf_job *job,
                       const pf_problem *fitted, const pf_problem *scored, const pf_fit *fit,
                       const pf_refit *null, pf_job_result *result, pf_error *error)
{
  const bool held_out = pf_validation_is_held_out(job->validation);
  pf_fold_scoring what = {.fitted = fitted,
                          .scored = scored,
                          .fit = fit,
                          .null = null,
                          .validation = job->validation,
                          .fresh = held_out && fitted->settings->evaluate.draws > 0,
                          .ablations = held_out && settings->ablations,
                          .predictions = !job->refit};
  pf_status status = pf_score_fold(&what, result, error);
  if (status == PF_OK && job->validation == PF_IN_SAMPLE && !job->refit &&
      settings->asked[PF_IN_SAMPLE_FRESH]) {
    what.validation = PF_IN_SAMPLE_FRESH;
    what.fresh = fitted->settings->evaluate.draws > 0;
    what.predictions = false;
    status = pf_score_fold(&what, result, error);
  }
  return status;
}

pf_status pf_job_run(const pf_candidates *candidates, const pf_compare_settings *settings,
                     const pf_jobs *jobs, const pf_job *job, int n_threads, pf_stop stop,
                     void *payload, pf_job_result *result, pf_error *error)
{
  const pf_problem *problem = variant_of(candidates, job)->problem;
  pf_problem *fitted = NULL, *scored = NULL;
  pf_fit *fit = NULL;
  pf_refit null = {0};
  pf_error why = pf_error_none();
  *result = (pf_job_result){.n_theta = problem->model->n_parameters};
  pf_status status = make_view(problem, settings, jobs, job, PF_STEP_FIT, &fitted, &why);
  status = status == PF_OK ? make_view(problem, settings, jobs, job, PF_STEP_SCORE, &scored, &why)
                           : status;
  if (status == PF_POINT_FAILED) { /* no such fold of these data */
    status = keep_error(result, PF_POINT_FAILED, why.text, error);
  } else if (status != PF_OK) {
    (void)pf_fail(error, status, "%s", why.text);
  } else {
    fitted->options.n_threads = n_threads;
    fitted->options.l1 = job->refit ? 0.0 : fitted->options.l1;
    fitted->options.l2 = job->refit ? 0.0 : fitted->options.l2;
    status = fit_view(fitted, stop, payload, &fit, result, error);
  }
  if (status == PF_OK && result->status == PF_OK) {
    status = pf_refit_null(fitted, fit->groups[0].layout, fit->groups[0].values, &null, &why);
    status = status == PF_POINT_FAILED ? keep_error(result, status, why.text, error) : status;
    if (status != PF_OK) {
      (void)pf_fail(error, status, "%s", why.text);
    }
  }
  if (status == PF_OK && result->status == PF_OK) {
    result->n_free = fit->groups[0].layout->n;
    status = score(settings, job, fitted, scored, fit, &null, result, error);
  }
  if (fit != NULL) {
    pf_fit_free(fitted, fit);
  }
  pf_refit_clear(&null);
  pf_problem_subset_free(fitted);
  pf_problem_subset_free(scored);
  if (status != PF_OK) {
    pf_job_result_clear(result);
    return status;
  }
  result->done = true;
  return PF_OK;
}

void pf_job_result_clear(pf_job_result *result)
{
  for (size_t i = 0; result->scores != NULL && i < result->n_scores; i++) {
    pf_memory_free(result->scores[i].error);
  }
  for (size_t i = 0; result->estimates != NULL && i < result->n_estimates; i++) {
    pf_memory_free(result->estimates[i].theta);
  }
  for (size_t i = 0; result->predictions != NULL && i < result->n_predictions; i++) {
    pf_memory_free(result->predictions[i].probability);
  }
  pf_memory_free(result->scores);
  pf_memory_free(result->estimates);
  pf_memory_free(result->predictions);
  pf_memory_free(result->error);
  *result = (pf_job_result){0};
}
