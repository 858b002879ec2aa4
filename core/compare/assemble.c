#include "core/compare/assemble.h"

#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/evaluate/deviance.h"
#include "core/truth/names.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/** What is put together. */
typedef struct assembly {
  const pf_jobs *jobs;
  pf_job_result *results; /* [jobs->n] */
  pf_comparison *comparison;
  pf_array rows, estimates, predictions; /* the comparison's once they are complete */
} assembly;

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

/** Copies of `texts` [n]; *n_out counts those that are there. */
static char **copy_texts(char *const *texts, size_t n, size_t *n_out, pf_error *error)
{
  char **copies = pf_memory_need(n, sizeof *copies, error);
  *n_out = 0;
  while (copies != NULL && *n_out < n) {
    copies[*n_out] = pf_memory_string(texts[*n_out], error);
    if (copies[*n_out] == NULL) {
      break;
    }
    ++*n_out;
  }
  return copies;
}

static pf_status add_candidate(pf_comparison *comparison, const pf_candidate *from, pf_error *error)
{
  const pf_problem *problem = from->own.problem;
  const pf_model *model = problem->model;
  pf_compare_candidate *to = &comparison->candidates[comparison->n_candidates++];
  char **keys = NULL;
  to->per = problem->settings->fit.per;
  to->is_likelihood = pf_deviance_has_likelihood(model);
  to->aic = to->bic = NAN;
  to->name = pf_memory_string(from->name, error);
  if (to->name == NULL || describe_rule(model, &to->rule, error) != PF_OK ||
      pf_keys_create(model, &keys, error) != PF_OK) {
    return PF_STOP;
  }
  to->keys = copy_texts(keys, model->n_parameters, &to->n_theta, error);
  pf_keys_free(model, keys);
  return to->keys == NULL || to->n_theta < model->n_parameters ? PF_STOP : PF_OK;
}

/* ---- recordings ---- */

static void *copy_bytes(const void *from, size_t bytes, pf_error *error)
{
  void *to = pf_memory_need(bytes, 1, error);
  if (to != NULL && bytes > 0) {
    memcpy(to, from, bytes);
  }
  return to;
}

static pf_status copy_rewards(const pf_recording *from, pf_compare_recording *to, pf_error *error)
{
  const double *reward = pf_recording_channel(from, "reward");
  if (reward == NULL) {
    return PF_OK;
  }
  to->reward = copy_bytes(reward, (size_t)from->n_steps * sizeof(double), error);
  if (to->reward == NULL) {
    return PF_STOP;
  }
  for (int64_t t = 0; from->no_reward != NULL && t < from->n_steps; t++) {
    to->reward[t] = from->no_reward[t] ? (double)NAN : to->reward[t];
  }
  return PF_OK;
}

static pf_status add_recording(pf_comparison *comparison, const pf_recording *from, pf_error *error)
{
  const size_t steps = (size_t)from->n_steps;
  const pf_record *choice = pf_recording_target(from, "choice");
  pf_compare_recording *to = &comparison->recordings[comparison->n_recordings++];
  pf_error unused = pf_error_none();
  to->animal = from->animal_number;
  to->n_steps = from->n_steps;
  to->name = pf_memory_string(from->name, error);
  to->trial = copy_bytes(from->trial, steps * sizeof *to->trial, error);
  to->block = copy_bytes(from->block, steps * sizeof *to->block, error);
  to->forecast = copy_bytes(from->flags, steps * sizeof *to->forecast, error);
  to->cue = pf_memory_need(steps, sizeof *to->cue, error);
  if (to->name == NULL || to->trial == NULL || to->block == NULL || to->forecast == NULL ||
      to->cue == NULL) {
    return PF_STOP;
  }
  if (choice != NULL && choice->n == 1) {
    to->choice = copy_bytes(choice->values, steps * sizeof(double), error);
    if (to->choice == NULL) {
      return PF_STOP;
    }
  }
  for (size_t t = 0; t < steps; t++) {
    to->cue[t] = pf_recording_cue(from, (int64_t)t);
  }
  /* a recording of one trial keeps the flags of the data */
  (void)pf_validation_mask(&pf_forecast, from,
                           &comparison->folds[pf_validation_number(&pf_forecast)], 0, to->forecast,
                           &unused);
  return copy_rewards(from, to, error);
}

/* ---- rows ---- */

static pf_status add_row(assembly *all, const pf_job *job, const pf_compare_row *score,
                         uint32_t verdict, pf_error *error)
{
  pf_compare_row *row = pf_array_append(&all->rows, error);
  if (row == NULL) {
    return PF_STOP;
  }
  *row = *score;
  row->candidate = job->candidate;
  row->fold = job->fold;
  row->explained_no_plasticity = pf_compare_explained(score->no_plasticity, score->log_likelihood);
  row->explained_mean_rate = pf_compare_explained(score->mean_rate, score->log_likelihood);
  for (size_t b = 0; b < PF_N_BASELINES; b++) {
    row->explained_baselines[b] = pf_compare_explained(score->baselines[b], score->log_likelihood);
  }
  row->error = NULL;
  row->verdict = score->status == PF_OK ? verdict : (uint32_t)PF_FIT_FAILED;
  if (score->status == PF_OK) {
    all->comparison->n_left_out += pf_compare_counts(verdict) ? 0 : 1;
    return PF_OK;
  }
  all->comparison->n_failed++;
  row->error = pf_memory_string(score->error == NULL ? "failed" : score->error, error);
  return row->error == NULL ? PF_STOP : PF_OK;
}

/** A fit that failed: a row without figures for every animal that it should have scored. */
static pf_status add_failure(assembly *all, const pf_job *job, const pf_job_result *result,
                             pf_error *error)
{
  const pf_validation *own = pf_validation_at(job->validation);
  size_t first = job->animal, n = 1;
  if (own->leaves_animal_out) {
    first = (size_t)job->fold;
  } else if (job->animal == PF_ALL_ANIMALS) {
    first = 0;
    n = all->comparison->n_animals;
  }
  for (uint32_t v = 0; v < pf_validation_count(); v++) {
    const pf_validation *validation = pf_validation_at(v);
    if (!all->comparison->asked[v] || (validation != own && validation->scores_fits_of != own)) {
      continue;
    }
    for (size_t a = 0; a < n; a++) {
      const pf_compare_row score = {.animal = first + a,
                                    .validation = v,
                                    .status = PF_POINT_FAILED,
                                    .error = result->error,
                                    .log_likelihood = NAN,
                                    .no_plasticity = NAN,
                                    .mean_rate = NAN,
                                    .baselines = {NAN, NAN},
                                    .r2_weights = NAN,
                                    .r2_activity = NAN};
      if (add_row(all, job, &score, PF_FIT_FAILED, error) != PF_OK) {
        return PF_STOP;
      }
    }
  }
  return PF_OK;
}

static int compare_rows(const void *a, const void *b)
{
  const pf_compare_row *x = a, *y = b;
  const uint64_t of_x[] = {x->candidate, x->validation, (uint64_t)x->fold, x->animal, x->ablation};
  const uint64_t of_y[] = {y->candidate, y->validation, (uint64_t)y->fold, y->animal, y->ablation};
  for (size_t k = 0; k < sizeof of_x / sizeof of_x[0]; k++) {
    if (of_x[k] != of_y[k]) {
      return of_x[k] < of_y[k] ? -1 : 1;
    }
  }
  return 0;
}

/* ---- AIC and BIC ---- */

/** Why the fit gives no AIC or BIC; NULL: it does. */
static const char *why_no_criteria(const pf_job_result *result)
{
  if (result->status != PF_OK) {
    return result->error == NULL ? "failed" : result->error;
  }
  for (size_t i = 0; i < result->n_scores; i++) {
    if (result->scores[i].status != PF_OK) {
      return result->scores[i].error;
    }
  }
  return pf_compare_counts(result->verdict) ? NULL : pf_fit_verdict_words(result->verdict);
}

/** The first reason is kept. */
static pf_status keep_criteria_why(pf_comparison *comparison, const pf_job *job, const char *why,
                                   pf_error *error)
{
  char text[PF_ERROR_LENGTH];
  if (comparison->criteria_why != NULL) {
    return PF_OK;
  }
  (void)snprintf(text, sizeof text, "'%.60s' has no AIC and BIC: %s of %.60s: %.700s",
                 comparison->candidates[job->candidate].name,
                 job->refit ? "the refit without penalty" : "the fit",
                 job->animal == PF_ALL_ANIMALS ? "all animals" : comparison->animals[job->animal],
                 why);
  comparison->criteria_why = pf_memory_string(text, error);
  return comparison->criteria_why == NULL ? PF_STOP : PF_OK;
}

/** Sums over the fits; one on which no claim rests, or a loss that is no likelihood, leaves none.
 */
static pf_status add_criteria(const assembly *all, const pf_job *job, const pf_job_result *result,
                              pf_error *error)
{
  pf_compare_candidate *candidate = &all->comparison->candidates[job->candidate];
  double log_likelihood = 0.0;
  int64_t n = 0;
  const char *why = candidate->is_likelihood ? why_no_criteria(result) : NULL;
  for (size_t i = 0; i < result->n_scores; i++) {
    if (pf_validation_at(result->scores[i].validation) == &pf_in_sample) {
      log_likelihood += result->scores[i].log_likelihood; /* NaN where it failed */
      n += result->scores[i].n;
    }
  }
  if (why != NULL || !candidate->is_likelihood || n == 0) {
    candidate->aic = candidate->bic = NAN;
    return why == NULL ? PF_OK : keep_criteria_why(all->comparison, job, why, error);
  }
  const double k = (double)result->n_free;
  candidate->variance += result->noise * result->noise;
  candidate->aic += 2.0 * k - 2.0 * log_likelihood;
  candidate->bic += k * log((double)n) - 2.0 * log_likelihood;
  return PF_OK;
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

/** Parameters of one fit: as configured, where there are such fits, else of all but one animal. */
static size_t count_parameters(const assembly *all, size_t candidate)
{
  size_t n[2] = {0, 0};
  bool any = false;
  for (size_t j = 0; j < all->jobs->n; j++) {
    const pf_job *job = &all->jobs->items[j];
    const bool shared = pf_validation_at(job->validation)->leaves_animal_out;
    any = any || !shared;
    if (job->candidate == candidate && all->results[j].n_free > n[shared]) {
      n[shared] = all->results[j].n_free;
    }
  }
  return n[any ? 0 : 1];
}

/** Of one candidate, from refits where it is penalised. */
static pf_status set_criteria(const assembly *all, size_t c, pf_error *error)
{
  const pf_problem *problem = all->jobs->candidates->items[c].own.problem;
  const pf_fit_settings *fit = &problem->settings->fit;
  pf_compare_candidate *candidate = &all->comparison->candidates[c];
  const bool penalised = fit->l1 > 0.0 || fit->l2 > 0.0;
  const bool there = all->jobs->settings->refit && !has_own_penalties(problem->model) &&
                     fit->per != PF_FIT_POPULATION; /* thetas of animals are not free there */
  candidate->aic = candidate->bic = there ? 0.0 : (double)NAN;
  if (!there) {
    return PF_OK;
  }
  for (size_t j = 0; j < all->jobs->n; j++) {
    const pf_job *job = &all->jobs->items[j];
    if (job->candidate == c && pf_validation_at(job->validation) == &pf_in_sample &&
        job->refit == penalised && add_criteria(all, job, &all->results[j], error) != PF_OK) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

/*
 * The Monte Carlo error of the AICs, nats, where it may decide between two of them that differ by
 * no more than twice the error of their difference; 0: it decides nothing.
 */
static double find_deciding_noise(const pf_comparison *comparison)
{
  double noise = 0.0;
  for (size_t a = 0; a < comparison->n_candidates; a++) {
    for (size_t b = 0; b < a; b++) {
      const pf_compare_candidate *one = &comparison->candidates[a],
                                 *other = &comparison->candidates[b];
      const double error = 2.0 * sqrt(one->variance + other->variance); /* AIC is twice nats */
      if (error > 0.0 && fabs(one->aic - other->aic) < 2.0 * error) {
        noise = fmax(noise, error);
      }
    }
  }
  return noise;
}

/** What AIC and BIC rest on. */
static pf_status note_criteria(const assembly *all, pf_error *error)
{
  bool any_refit = false, any_own = false, any_drawn = false, any_marginal = false;
  for (size_t c = 0; c < all->jobs->candidates->n; c++) {
    const pf_problem *problem = all->jobs->candidates->items[c].own.problem;
    any_refit = any_refit || problem->settings->fit.l1 > 0.0 || problem->settings->fit.l2 > 0.0;
    any_own = any_own || has_own_penalties(problem->model);
    any_drawn = any_drawn || problem->settings->fit.per == PF_FIT_POPULATION;
    any_marginal = any_marginal || problem->settings->marginal.kind == PF_LIKELIHOOD_MARGINAL;
  }
  const double noise = find_deciding_noise(all->comparison);
  char note[500] = "left out (information_criteria = false)", decides[200] = "";
  if (noise > 0.0) {
    (void)snprintf(decides, sizeof decides,
                   "; warning: some AICs differ by less than twice their Monte Carlo error, which "
                   "is %.2g, so they do not tell which is lower: more marginal.particles",
                   noise);
  }
  if (all->jobs->settings->refit) {
    (void)snprintf(
        note, sizeof note, "of %s to all steps, log likelihoods %s, summed over fits%s%s%s",
        any_refit ? "refits without penalty" : "the fits, which have no penalty,",
        any_marginal ? "with unknown inputs integrated out" : "averaged over draws",
        any_own ? "; left out where parameters have penalties of their own" : "",
        any_drawn ? "; left out of populations, whose animals' thetas are drawn, not free" : "",
        decides);
  }
  all->comparison->criteria_note = pf_memory_string(note, error);
  return all->comparison->criteria_note == NULL ? PF_STOP : PF_OK;
}

/* ---- estimates and predictions ---- */

/** One of each animal: in sample there are two, from scores on fitted and on fresh draws. */
static pf_status add_estimates(assembly *all, const pf_job *job, pf_job_result *result,
                               pf_error *error)
{
  for (size_t i = 0; i < result->n_estimates; i++) {
    pf_compare_estimate *from = &result->estimates[i];
    bool seen = false;
    for (size_t k = 0; k < i; k++) {
      seen = seen || result->estimates[k].animal == from->animal;
    }
    if (seen) {
      continue;
    }
    pf_compare_estimate *to = pf_array_append(&all->estimates, error);
    if (to == NULL) {
      return PF_STOP;
    }
    *to = (pf_compare_estimate){.candidate = job->candidate,
                                .animal = from->animal,
                                .validation = job->validation,
                                .fold = job->fold,
                                .theta = from->theta};
    from->theta = NULL; /* the comparison's from now on */
  }
  return PF_OK;
}

/** Predictions of a recording by the candidate that are there already, of another fold; or NULL. */
static pf_compare_prediction *find_prediction(const assembly *all, size_t candidate,
                                              const pf_compare_prediction *like)
{
  pf_compare_prediction *items = all->predictions.items;
  for (size_t k = all->predictions.n; k-- > 0;) {
    if (items[k].candidate == candidate && items[k].recording == like->recording &&
        items[k].validation == like->validation) {
      return &items[k];
    }
  }
  return NULL;
}

/** Each fold fills its part of the same prediction. */
static pf_status add_predictions(assembly *all, const pf_job *job, pf_job_result *result,
                                 pf_error *error)
{
  for (size_t i = 0; i < result->n_predictions; i++) {
    pf_compare_prediction *from = &result->predictions[i];
    pf_compare_prediction *to = find_prediction(all, job->candidate, from);
    if (to != NULL) {
      for (int64_t t = 0; t < to->n_steps; t++) {
        to->probability[t] = isnan(to->probability[t]) ? from->probability[t] : to->probability[t];
      }
      continue;
    }
    from->candidate = job->candidate;
    if (pf_array_append_all(&all->predictions, from, 1, error) != PF_OK) {
      return PF_STOP;
    }
    from->probability = NULL; /* the comparison's from now on */
  }
  return PF_OK;
}

static pf_status add_result(assembly *all, size_t j, pf_error *error)
{
  const pf_job *job = &all->jobs->items[j];
  pf_job_result *result = &all->results[j];
  if (job->refit) {
    return PF_OK; /* for AIC and BIC alone */
  }
  if (result->status != PF_OK) {
    return add_failure(all, job, result, error);
  }
  for (size_t i = 0; i < result->n_scores; i++) {
    const pf_compare_row *score = &result->scores[i];
    if (all->comparison->asked[score->validation] &&
        add_row(all, job, score, result->verdict, error) != PF_OK) {
      return PF_STOP;
    }
  }
  if (add_estimates(all, job, result, error) != PF_OK) {
    return PF_STOP;
  }
  return add_predictions(all, job, result, error);
}

/* ---- all of it ---- */

/** What all candidates share. */
static pf_status add_data(const assembly *all, pf_error *error)
{
  const pf_compare_settings *settings = all->jobs->settings;
  const pf_dataset *data = &all->jobs->candidates->items[0].own.problem->data;
  pf_comparison *to = all->comparison;
  to->base = settings->base;
  to->seed = all->jobs->candidates->items[0].own.problem->settings->seed;
  to->ablations = settings->ablations;
  memcpy(to->asked, settings->asked, sizeof to->asked);
  memcpy(to->folds, all->jobs->folds, sizeof to->folds);
  to->name = pf_memory_string(settings->name, error);
  to->out = pf_memory_string(settings->out, error);
  to->animals = copy_texts(data->animals, data->n_animals, &to->n_animals, error);
  to->recordings = pf_memory_need(data->n, sizeof *to->recordings, error);
  if (to->name == NULL || to->out == NULL || to->animals == NULL ||
      to->n_animals < data->n_animals || to->recordings == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; i < data->n; i++) {
    if (add_recording(to, &data->recordings[i], error) != PF_OK) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

/** A start that has seen the steps that are scored may know of them: held out is not, then. */
static pf_status add_warning(const assembly *all, pf_error *error)
{
  pf_comparison *comparison = all->comparison;
  bool any_held_out = false;
  for (uint32_t v = 0; v < pf_validation_count(); v++) {
    any_held_out = any_held_out || (comparison->asked[v] && pf_validation_at(v)->held_out);
  }
  for (size_t c = 0; any_held_out && c < all->jobs->candidates->n; c++) {
    const char *path = all->jobs->candidates->items[c].own.problem->settings->fit.warm_path;
    char text[PF_ERROR_LENGTH];
    if (path == NULL) {
      continue;
    }
    (void)snprintf(text, sizeof text,
                   "fits of '%.60s' start from init.theta ('%.400s'), an estimate that may have "
                   "seen the steps that are scored here as held out: if it was fitted to these "
                   "data, leave init.theta out",
                   comparison->candidates[c].name, path);
    comparison->warning = pf_memory_string(text, error);
    return comparison->warning == NULL ? PF_STOP : PF_OK;
  }
  return PF_OK;
}

static pf_status add_everything(assembly *all, pf_error *error)
{
  const pf_candidates *candidates = all->jobs->candidates;
  pf_comparison *comparison = all->comparison;
  if (add_data(all, error) != PF_OK) {
    return PF_STOP;
  }
  comparison->candidates = pf_memory_need(candidates->n, sizeof *comparison->candidates, error);
  if (comparison->candidates == NULL) {
    return PF_STOP;
  }
  for (size_t c = 0; c < candidates->n; c++) {
    if (add_candidate(comparison, &candidates->items[c], error) != PF_OK) {
      return PF_STOP;
    }
    comparison->candidates[c].n_parameters = count_parameters(all, c);
    if (set_criteria(all, c, error) != PF_OK) {
      return PF_STOP;
    }
  }
  for (size_t j = 0; j < all->jobs->n; j++) {
    if (add_result(all, j, error) != PF_OK) {
      return PF_STOP;
    }
  }
  if (add_warning(all, error) != PF_OK) {
    return PF_STOP;
  }
  return note_criteria(all, error);
}

pf_status pf_compare_assemble(const pf_jobs *jobs, pf_job_result *results, pf_comparison **out,
                              pf_error *error)
{
  assembly all = {.jobs = jobs,
                  .results = results,
                  .comparison = pf_memory_need(1, sizeof *all.comparison, error),
                  .rows = pf_array_of(sizeof(pf_compare_row)),
                  .estimates = pf_array_of(sizeof(pf_compare_estimate)),
                  .predictions = pf_array_of(sizeof(pf_compare_prediction))};
  pf_comparison *comparison = all.comparison;
  if (comparison == NULL) {
    return PF_STOP;
  }
  const pf_status status = add_everything(&all, error);
  comparison->rows = pf_array_take(&all.rows, &comparison->n_rows);
  comparison->estimates = pf_array_take(&all.estimates, &comparison->n_estimates);
  comparison->predictions = pf_array_take(&all.predictions, &comparison->n_predictions);
  if (status != PF_OK) {
    pf_comparison_free(comparison);
    return status;
  }
  if (comparison->n_rows > 0) {
    qsort(comparison->rows, comparison->n_rows, sizeof *comparison->rows, compare_rows);
  }
  *out = comparison;
  return PF_OK;
}
