#include "core/compare/assemble.h"

#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/compare/select.h"
#include "core/evaluate/deviance.h"
#include "core/truth/names.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- candidates ---- */

static pf_status describe_rule(const pf_model *model, char **out, pf_error *error)
{
  pf_text text = {0};
  for (size_t p = 0; p < model->n_plastic; p++) {
    pf_text_add(&text, "%s%s", p > 0 ? " + " : "", model->plastic[p].rule->plugin->name);
  }
  *out = text.failed ? NULL : pf_memory_string(text.text == NULL ? "none" : text.text, error);
  pf_text_free(&text);
  return *out == NULL ? PF_STOP : PF_OK;
}

static pf_status copy_keys(const pf_model *model, pf_compare_candidate *to, pf_error *error)
{
  char **keys = NULL;
  pf_status status = pf_keys_create(model, &keys, error);
  if (status != PF_OK) {
    return status;
  }
  to->keys = pf_memory_need(model->n_parameters, sizeof *to->keys, error);
  status = to->keys == NULL ? PF_STOP : PF_OK;
  for (size_t i = 0; i < model->n_parameters && status == PF_OK; i++) {
    to->keys[i] = pf_memory_string(keys[i], error);
    to->n_theta = i + 1;
    status = to->keys[i] == NULL ? PF_STOP : PF_OK;
  }
  pf_keys_free(model, keys);
  return status;
}

static pf_status add_candidate(pf_comparison *comparison, const pf_candidate *from, pf_error *error)
{
  const pf_problem *problem = from->own.problem;
  pf_compare_candidate *to = &comparison->candidates[comparison->n_candidates++];
  to->name = pf_memory_string(from->name, error);
  to->per_animal = problem->settings->fit.per == PF_FIT_PER_ANIMAL;
  to->is_likelihood = pf_deviance_has_likelihood(problem->model);
  to->aic = to->bic = NAN;
  pf_status status = to->name == NULL ? PF_STOP : describe_rule(problem->model, &to->rule, error);
  return status == PF_OK ? copy_keys(problem->model, to, error) : status;
}

/* ---- recordings ---- */

static void *copy_of(const void *from, size_t bytes, pf_error *error)
{
  void *to = pf_memory_need(bytes, 1, error);
  if (to != NULL && bytes > 0) {
    memcpy(to, from, bytes);
  }
  return to;
}

static pf_status add_recording(pf_comparison *comparison, const pf_recording *from, pf_error *error)
{
  const size_t steps = (size_t)from->n_steps;
  const pf_record *choice = pf_recording_target(from, "choice");
  const double *reward = pf_recording_channel(from, "reward");
  pf_compare_recording *to = &comparison->recordings[comparison->n_recordings++];
  pf_error unused = pf_error_none();
  to->animal = from->animal_number;
  to->n_steps = from->n_steps;
  to->name = pf_memory_string(from->name, error);
  to->trial = copy_of(from->trial, steps * sizeof *to->trial, error);
  to->block = copy_of(from->block, steps * sizeof *to->block, error);
  to->forecast = copy_of(from->flags, steps * sizeof *to->forecast, error);
  to->cue = pf_memory_need(steps, sizeof *to->cue, error);
  if (to->name == NULL || to->trial == NULL || to->block == NULL || to->forecast == NULL ||
      to->cue == NULL) {
    return PF_STOP;
  }
  if (choice != NULL && choice->n == 1 &&
      (to->choice = copy_of(choice->values, steps * sizeof(double), error)) == NULL) {
    return PF_STOP;
  }
  if (reward != NULL && (to->reward = copy_of(reward, steps * sizeof(double), error)) == NULL) {
    return PF_STOP;
  }
  for (size_t t = 0; t < steps && to->reward != NULL && from->no_reward != NULL; t++) {
    to->reward[t] = from->no_reward[t] ? (double)NAN : to->reward[t];
  }
  for (size_t t = 0; t < steps; t++) {
    to->cue[t] = pf_recording_cue(from, (int64_t)t);
  }
  (void)pf_mask_forecast(from, comparison->forecast_fit, to->forecast, &unused);
  return PF_OK;
}

/* ---- rows ---- */

static double explained(double null, double model)
{
  return null < 0.0 ? 100.0 * (null - model) / null : (double)NAN;
}

static pf_status add_row(pf_comparison *comparison, const pf_job *job, const pf_job_score *score,
                         pf_error *error)
{
  pf_compare_row *row = &comparison->rows[comparison->n_rows++];
  *row = (pf_compare_row){.candidate = job->candidate,
                          .animal = score->animal,
                          .validation = score->validation,
                          .fold = job->fold,
                          .ablation = score->ablation,
                          .status = score->status,
                          .n = score->n,
                          .n_fit = score->n_fit,
                          .log_likelihood = score->log_likelihood,
                          .no_plasticity = score->no_plasticity,
                          .mean_rate = score->mean_rate,
                          .explained_no_plasticity =
                              explained(score->no_plasticity, score->log_likelihood),
                          .explained_mean_rate = explained(score->mean_rate, score->log_likelihood),
                          .r2_weights = score->r2_weights,
                          .r2_activity = score->r2_activity};
  if (score->status != PF_OK) {
    row->error = pf_memory_string(score->error == NULL ? "failed" : score->error, error);
    return row->error == NULL ? PF_STOP : PF_OK;
  }
  return PF_OK;
}

/** A fit that failed: a row without figures for everybody whom it should have scored. */
static pf_status add_failure(pf_comparison *comparison, const pf_job *job,
                             const pf_job_result *result, pf_error *error)
{
  const size_t n = job->animal == PF_ALL_ANIMALS && job->validation != PF_LEAVE_ANIMAL
                       ? comparison->n_animals
                       : 1;
  for (size_t a = 0; a < n; a++) {
    pf_job_score score = {.validation = job->validation,
                          .status = PF_POINT_FAILED,
                          .error = result->error,
                          .log_likelihood = NAN,
                          .no_plasticity = NAN,
                          .mean_rate = NAN,
                          .r2_weights = NAN,
                          .r2_activity = NAN};
    score.animal = job->validation == PF_LEAVE_ANIMAL ? (size_t)job->fold
                   : job->animal == PF_ALL_ANIMALS    ? a
                                                      : job->animal;
    for (score.validation = 0; score.validation < PF_N_VALIDATIONS; score.validation++) {
      const bool also_fresh =
          job->validation == PF_IN_SAMPLE && score.validation == PF_IN_SAMPLE_FRESH;
      const bool wanted = (score.validation == job->validation || also_fresh) &&
                          comparison->asked[score.validation];
      if (wanted && add_row(comparison, job, &score, error) != PF_OK) {
        return PF_STOP;
      }
    }
  }
  return PF_OK;
}

static int row_order(const pf_compare_row *a, const pf_compare_row *b)
{
  const uint64_t x[] = {a->candidate, a->validation, (uint64_t)a->fold, a->animal, a->ablation};
  const uint64_t y[] = {b->candidate, b->validation, (uint64_t)b->fold, b->animal, b->ablation};
  for (size_t k = 0; k < sizeof x / sizeof x[0]; k++) {
    if (x[k] != y[k]) {
      return x[k] < y[k] ? -1 : 1;
    }
  }
  return 0;
}

static int compare_rows(const void *a, const void *b)
{
  return row_order(a, b);
}

/* ---- AIC and BIC ---- */

/** Sums over the fits; one that failed, or a loss that is no likelihood, leaves none. */
static void add_criteria(pf_compare_candidate *candidate, const pf_job_result *result)
{
  double log_likelihood = 0.0;
  int64_t n = 0;
  for (size_t i = 0; i < result->n_scores; i++) {
    if (result->scores[i].validation == PF_IN_SAMPLE) {
      log_likelihood += result->scores[i].log_likelihood; /* NaN where it failed */
      n += result->scores[i].n;
    }
  }
  const double k = (double)result->n_free;
  const bool sound = result->status == PF_OK && candidate->is_likelihood && n > 0;
  const double aic = sound ? 2.0 * k - 2.0 * log_likelihood : (double)NAN;
  candidate->aic += aic;
  candidate->bic += sound ? k * log((double)n) - 2.0 * log_likelihood : (double)NAN;
}

static bool has_own_penalties(const pf_model *model)
{
  for (size_t i = 0; i < model->n_parameters; i++) {
    if (model->parameters[i].l1 > 0.0 || model->parameters[i].l2 > 0.0) {
      return true;
    }
  }
  return false;
}

static bool has_other_than(const pf_jobs *jobs, uint32_t validation)
{
  for (size_t j = 0; j < jobs->n; j++) {
    if (jobs->items[j].validation != validation) {
      return true;
    }
  }
  return false;
}

/** AIC and BIC of every candidate, from refits where it is penalised; and what they rest on. */
static pf_status set_criteria(pf_comparison *comparison, const pf_candidates *candidates,
                              const pf_compare_settings *settings, const pf_jobs *jobs,
                              const pf_job_result *results, pf_error *error)
{
  const bool others = has_other_than(jobs, PF_LEAVE_ANIMAL);
  bool any_refit = false, any_own = false;
  for (size_t c = 0; c < comparison->n_candidates; c++) {
    const pf_problem *problem = candidates->items[c].own.problem;
    pf_compare_candidate *candidate = &comparison->candidates[c];
    const bool penalised = problem->settings->fit.l1 > 0.0 || problem->settings->fit.l2 > 0.0;
    const bool own = has_own_penalties(problem->model);
    any_refit = any_refit || penalised;
    any_own = any_own || own;
    candidate->aic = candidate->bic = settings->refit && !own ? 0.0 : (double)NAN;
    for (size_t j = 0; j < jobs->n; j++) {
      const pf_job *job = &jobs->items[j];
      if (job->candidate != c) {
        continue;
      }
      if ((job->validation != PF_LEAVE_ANIMAL || !others) &&
          results[j].n_free > candidate->n_parameters) {
        candidate->n_parameters = results[j].n_free;
      }
      if (job->validation != PF_IN_SAMPLE) {
        continue;
      }
      if (job->refit == penalised) {
        add_criteria(candidate, &results[j]);
      }
    }
  }
  pf_text note = {0};
  if (!settings->refit) {
    pf_text_add(&note, "left out (information_criteria = false)");
  } else {
    pf_text_add(&note,
                "of %s to all steps, log likelihoods averaged over draws, summed over fits%s",
                any_refit ? "refits without penalty" : "the fits, which have no penalty,",
                any_own ? "; left out where parameters have penalties of their own" : "");
  }
  comparison->criteria_note = note.failed ? NULL : pf_memory_string(note.text, error);
  pf_text_free(&note);
  return comparison->criteria_note == NULL ? PF_STOP : PF_OK;
}

/* ---- all of it ---- */

static pf_status take_result(pf_comparison *comparison, const pf_job *job,
                             const pf_job_result *result, pf_error *error)
{
  pf_status status = PF_OK;
  if (result->status != PF_OK) {
    return add_failure(comparison, job, result, error);
  }
  for (size_t i = 0; i < result->n_scores && status == PF_OK; i++) {
    if (comparison->asked[result->scores[i].validation]) {
      status = add_row(comparison, job, &result->scores[i], error);
    }
  }
  for (size_t i = 0; i < result->n_estimates && status == PF_OK; i++) {
    pf_compare_estimate *to = &comparison->estimates[comparison->n_estimates];
    bool seen = false; /* in sample, twice scored: on fitted and on fresh draws */
    for (size_t k = 0; k < i && !seen; k++) {
      seen = result->estimates[k].animal == result->estimates[i].animal;
    }
    if (seen) {
      continue;
    }
    *to = (pf_compare_estimate){.candidate = job->candidate,
                                .animal = result->estimates[i].animal,
                                .validation = job->validation,
                                .fold = job->fold};
    to->theta = copy_of(result->estimates[i].theta, result->n_theta * sizeof *to->theta, error);
    status = to->theta == NULL ? PF_STOP : PF_OK;
    comparison->n_estimates++;
  }
  for (size_t i = 0; i < result->n_predictions && status == PF_OK; i++) {
    const pf_job_prediction *from = &result->predictions[i];
    pf_compare_prediction *to = NULL;
    /* blocks are left out one at a time: each fills its part of the same prediction */
    for (size_t k = comparison->n_predictions; k > 0 && to == NULL; k--) {
      pf_compare_prediction *other = &comparison->predictions[k - 1];
      to = other->candidate == job->candidate && other->recording == from->recording &&
                   other->validation == from->validation
               ? other
               : NULL;
    }
    if (to == NULL) {
      to = &comparison->predictions[comparison->n_predictions];
      *to = (pf_compare_prediction){.candidate = job->candidate,
                                    .recording = from->recording,
                                    .validation = from->validation,
                                    .n_steps = from->n_steps};
      to->probability = copy_of(from->probability, (size_t)from->n_steps * sizeof(double), error);
      status = to->probability == NULL ? PF_STOP : PF_OK;
      comparison->n_predictions++;
      continue;
    }
    for (int64_t t = 0; t < to->n_steps; t++) {
      to->probability[t] = isnan(to->probability[t]) ? from->probability[t] : to->probability[t];
    }
  }
  return status;
}

static pf_status allocate(pf_comparison *comparison, const pf_candidates *candidates,
                          const pf_jobs *jobs, const pf_job_result *results, pf_error *error)
{
  const pf_dataset *data = &candidates->items[0].own.problem->data;
  size_t n_rows = 0, n_estimates = 0, n_predictions = 0;
  for (size_t j = 0; j < jobs->n; j++) {
    n_rows +=
        results[j].n_scores + 2 * (jobs->items[j].animal == PF_ALL_ANIMALS ? data->n_animals : 1);
    n_estimates += results[j].n_estimates;
    n_predictions += results[j].n_predictions;
  }
  comparison->candidates = pf_memory_need(candidates->n, sizeof *comparison->candidates, error);
  comparison->animals = pf_memory_need(data->n_animals, sizeof *comparison->animals, error);
  comparison->recordings = pf_memory_need(data->n, sizeof *comparison->recordings, error);
  comparison->rows = pf_memory_need(n_rows, sizeof *comparison->rows, error);
  comparison->estimates = pf_memory_need(n_estimates, sizeof *comparison->estimates, error);
  comparison->predictions = pf_memory_need(n_predictions, sizeof *comparison->predictions, error);
  return comparison->candidates == NULL || comparison->animals == NULL ||
                 comparison->recordings == NULL || comparison->rows == NULL ||
                 comparison->estimates == NULL || comparison->predictions == NULL
             ? PF_STOP
             : PF_OK;
}

static pf_status fill(pf_comparison *comparison, const pf_candidates *candidates,
                      const pf_compare_settings *settings, const pf_jobs *jobs,
                      const pf_job_result *results, pf_error *error)
{
  const pf_dataset *data = &candidates->items[0].own.problem->data;
  comparison->name = pf_memory_string(settings->name, error);
  comparison->out = pf_memory_string(settings->out, error);
  comparison->base = settings->base;
  comparison->seed = candidates->items[0].own.problem->settings->seed;
  comparison->forecast_fit = settings->forecast_fit;
  comparison->ablations = settings->ablations;
  comparison->blocks_from_data = jobs->folds.from_data;
  memcpy(comparison->asked, settings->asked, sizeof comparison->asked);
  comparison->n_folds[PF_IN_SAMPLE] = comparison->n_folds[PF_IN_SAMPLE_FRESH] =
      comparison->n_folds[PF_FORECAST] = 1;
  comparison->n_folds[PF_LEAVE_BLOCK] = jobs->folds.n;
  comparison->n_folds[PF_LEAVE_ANIMAL] = (int64_t)data->n_animals;
  pf_status status = allocate(comparison, candidates, jobs, results, error);
  status = comparison->name == NULL || comparison->out == NULL ? PF_STOP : status;
  for (size_t a = 0; a < data->n_animals && status == PF_OK; a++) {
    comparison->animals[a] = pf_memory_string(data->animals[a], error);
    comparison->n_animals = a + 1;
    status = comparison->animals[a] == NULL ? PF_STOP : PF_OK;
  }
  for (size_t i = 0; i < data->n && status == PF_OK; i++) {
    status = add_recording(comparison, &data->recordings[i], error);
  }
  for (size_t c = 0; c < candidates->n && status == PF_OK; c++) {
    status = add_candidate(comparison, &candidates->items[c], error);
  }
  for (size_t j = 0; j < jobs->n && status == PF_OK; j++) {
    status =
        jobs->items[j].refit ? PF_OK : take_result(comparison, &jobs->items[j], &results[j], error);
  }
  if (status == PF_OK) {
    qsort(comparison->rows, comparison->n_rows, sizeof *comparison->rows, compare_rows);
    for (size_t i = 0; i < comparison->n_rows; i++) {
      comparison->n_failed += comparison->rows[i].status != PF_OK ? 1 : 0;
    }
    status = set_criteria(comparison, candidates, settings, jobs, results, error);
  }
  return status;
}

pf_status pf_compare_assemble(const pf_candidates *candidates, const pf_compare_settings *settings,
                              const pf_jobs *jobs, const pf_job_result *results,
                              pf_comparison **out, pf_error *error)
{
  pf_comparison *comparison = pf_memory_need(1, sizeof *comparison, error);
  pf_status status =
      comparison == NULL ? PF_STOP : fill(comparison, candidates, settings, jobs, results, error);
  if (status != PF_OK) {
    pf_comparison_free(comparison);
    return status;
  }
  *out = comparison;
  return PF_OK;
}

void pf_comparison_free(pf_comparison *comparison)
{
  if (comparison == NULL) {
    return;
  }
  for (size_t c = 0; comparison->candidates != NULL && c < comparison->n_candidates; c++) {
    pf_compare_candidate *candidate = &comparison->candidates[c];
    for (size_t i = 0; i < candidate->n_theta; i++) {
      pf_memory_free(candidate->keys[i]);
    }
    for (size_t v = 0; v < PF_N_VALIDATIONS; v++) {
      pf_memory_free(candidate->figures[v].per_animal);
    }
    pf_memory_free(candidate->keys);
    pf_memory_free(candidate->name);
    pf_memory_free(candidate->rule);
  }
  for (size_t a = 0; a < comparison->n_animals; a++) {
    pf_memory_free(comparison->animals[a]);
  }
  for (size_t i = 0; i < comparison->n_rows; i++) {
    pf_memory_free(comparison->rows[i].error);
  }
  for (size_t i = 0; i < comparison->n_estimates; i++) {
    pf_memory_free(comparison->estimates[i].theta);
  }
  for (size_t i = 0; i < comparison->n_predictions; i++) {
    pf_memory_free(comparison->predictions[i].probability);
  }
  for (size_t i = 0; i < comparison->n_recordings; i++) {
    pf_compare_recording *recording = &comparison->recordings[i];
    pf_memory_free(recording->name);
    pf_memory_free(recording->trial);
    pf_memory_free(recording->block);
    pf_memory_free(recording->cue);
    pf_memory_free(recording->choice);
    pf_memory_free(recording->reward);
    pf_memory_free(recording->forecast);
  }
  pf_memory_free(comparison->candidates);
  pf_memory_free(comparison->animals);
  pf_memory_free(comparison->rows);
  pf_memory_free(comparison->estimates);
  pf_memory_free(comparison->predictions);
  pf_memory_free(comparison->recordings);
  pf_memory_free(comparison->name);
  pf_memory_free(comparison->out);
  pf_memory_free(comparison->criteria_note);
  pf_memory_free(comparison->words);
  pf_selection_clear(&comparison->selection);
  pf_memory_free(comparison);
}
