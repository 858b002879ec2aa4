/* What a fitted rule, its ablations and the nulls predict of the scored steps of one fold. */
#include "core/candidates/score_folds.h"

#include "core/base/array.h"
#include "core/base/memory.h"
#include "core/evaluate/deviance.h"
#include "core/evaluate/score.h"

#include <math.h>
#include <string.h>

typedef struct fold_scorer {
  const pf_fold_scoring *what;
  const pf_dataset *data; /* that is scored */
  size_t n_theta;
  double *thetas, *null_thetas; /* [data->n][n_theta]: of the model, of the null */
  double **probability;         /* [data->n] arrays for predictions; NULL: none are wanted */
  pf_array scores, estimates, predictions; /* of the job's result */
} fold_scorer;

/* ---- what each recording is simulated with ---- */

/** The fit's recording that has the same parameters: itself, else another of its animal, else any.
 */
static size_t place_in_fit(const pf_dataset *fitted, const pf_layout *layout,
                           const pf_recording *recording)
{
  size_t place = 0;
  bool same_animal = false;
  const size_t guess = recording->number; /* right where all is fitted */
  if (guess < layout->n_recordings &&
      fitted->recordings[layout->recordings[guess]].number == recording->number) {
    return guess;
  }
  for (size_t k = 0; k < layout->n_recordings; k++) {
    const pf_recording *other = &fitted->recordings[layout->recordings[k]];
    if (other->number == recording->number) {
      return k;
    }
    if (!same_animal && other->animal_number == recording->animal_number) {
      place = k;
      same_animal = true;
    }
  }
  return place;
}

/** The group that has the recording's theta: of its animal, or the only one. n_groups: the animal
 * was not fitted. */
static size_t group_of(const pf_fold_scoring *what, const pf_recording *recording)
{
  const pf_dataset *fitted = &what->fitted->data;
  if (what->fit->n_groups == 1) {
    return 0;
  }
  const size_t animal = pf_dataset_numbered_animal(fitted, recording->animal_number);
  return animal < fitted->n_animals ? animal : what->fit->n_groups;
}

/** An animal that was not fitted has what all share of a population: its means. */
static void set_mean_theta(const fold_scorer *s, double *theta)
{
  const pf_fit_group *any = &s->what->fit->groups[0];
  const pf_common_estimate *common = s->what->fit->common;
  pf_layout_theta(any->layout, any->values, 0, theta);
  for (size_t i = 0; common != NULL && i < s->n_theta; i++) {
    theta[i] = isnan(common[i].value) ? theta[i] : common[i].value;
  }
  pf_tie(s->what->scored->model->parameters, s->n_theta, theta);
}

static void set_thetas(fold_scorer *s)
{
  const pf_dataset *fitted = &s->what->fitted->data;
  for (size_t i = 0; i < s->data->n; i++) {
    const pf_recording *recording = &s->data->recordings[i];
    const size_t u = group_of(s->what, recording);
    double *theta = s->thetas + i * s->n_theta, *of_null = s->null_thetas + i * s->n_theta;
    if (u == s->what->fit->n_groups) {
      set_mean_theta(s, theta);
      set_mean_theta(s, of_null);
      continue;
    }
    const pf_fit_group *own = &s->what->fit->groups[u];
    const pf_refit *null = &s->what->nulls[u];
    const bool is_refitted = null->layout != NULL;
    const pf_layout *null_layout = is_refitted ? null->layout : own->layout;
    pf_layout_theta(own->layout, own->values, place_in_fit(fitted, own->layout, recording), theta);
    pf_layout_theta(null_layout, is_refitted ? null->values : own->values,
                    place_in_fit(fitted, null_layout, recording), of_null);
  }
}

/* ---- the job's result ---- */

/** -D / 2 of a likelihood; minus the squared errors otherwise. */
static double log_likelihood_of(const pf_model *model, double deviance)
{
  return pf_deviance_has_likelihood(model) ? -0.5 * deviance : -deviance;
}

/** One row for each ablation. A failure of F is that of all. */
static pf_status add_rows(fold_scorer *s, size_t animal_number, const pf_animal_score *score,
                          const char *failure, pf_error *error)
{
  const pf_model *model = s->what->scored->model;
  const uint32_t n_rows = s->what->ablations ? PF_N_ABLATIONS : 1;
  for (uint32_t a = 0; a < n_rows; a++) {
    pf_compare_row *row = pf_array_append(&s->scores, error);
    const char *line = failure != NULL ? failure : score->errors[a].text;
    if (row == NULL) {
      return PF_STOP;
    }
    *row = (pf_compare_row){.animal = animal_number,
                            .validation = s->what->validation,
                            .ablation = a,
                            .n_fit = score->n_fit,
                            .log_likelihood = NAN,
                            .no_plasticity = NAN,
                            .mean_rate = NAN,
                            .baselines = {NAN, NAN},
                            .r2_weights = NAN,
                            .r2_activity = NAN};
    if (line[0] != '\0') {
      row->status = PF_POINT_FAILED;
      row->error = pf_memory_string(line, error);
      if (row->error == NULL) {
        return PF_STOP;
      }
      continue;
    }
    row->n = score->scores.n_scored;
    row->log_likelihood = log_likelihood_of(model, score->deviance[a]);
    row->no_plasticity = log_likelihood_of(model, score->no_plasticity);
    row->mean_rate = log_likelihood_of(model, score->mean_rate);
    for (size_t b = 0; b < PF_N_BASELINES; b++) {
      row->baselines[b] = log_likelihood_of(model, score->baselines[b]);
    }
    if (a == PF_ABLATION_FULL) {
      row->r2_weights = score->scores.r2_weights;
      row->r2_activity = score->scores.r2_activity;
    }
  }
  return PF_OK;
}

static pf_status add_estimate(fold_scorer *s, size_t first, pf_error *error)
{
  double *theta = pf_memory_need(s->n_theta, sizeof *theta, error);
  pf_compare_estimate *estimate = theta == NULL ? NULL : pf_array_append(&s->estimates, error);
  if (estimate == NULL) {
    pf_memory_free(theta);
    return PF_STOP;
  }
  if (s->n_theta > 0) {
    memcpy(theta, s->thetas + first * s->n_theta, s->n_theta * sizeof *theta);
  }
  *estimate =
      (pf_compare_estimate){.animal = s->data->recordings[first].animal_number, .theta = theta};
  return PF_OK;
}

static pf_status add_predictions(fold_scorer *s, size_t animal, pf_error *error)
{
  for (size_t i = pf_dataset_first(s->data, animal); i < s->data->n;
       i = pf_dataset_next(s->data, i)) {
    const pf_recording *recording = &s->data->recordings[i];
    pf_compare_prediction *prediction = pf_array_append(&s->predictions, error);
    if (prediction == NULL) {
      return PF_STOP;
    }
    *prediction = (pf_compare_prediction){.recording = recording->number,
                                          .validation = s->what->validation,
                                          .n_steps = recording->n_steps,
                                          .probability = s->probability[i]};
    s->probability[i] = NULL; /* the result's from now on */
  }
  return PF_OK;
}

/* ---- the fold ---- */

/* Thetas that a new animal's is averaged over. */
enum { N_SAMPLES = 100 };

/** Number k of the thetas that an animal of this population may have. */
static pf_status sample_theta(const fold_scorer *s, size_t animal, uint32_t k, double *theta,
                              pf_error *error)
{
  const pf_fit_group *any = &s->what->fit->groups[0];
  double *values = pf_memory_need(any->layout->n, sizeof *values, error);
  if (values == NULL) {
    return PF_STOP;
  }
  const pf_stream stream = {s->what->scored->seed, PF_RANDOM_ANIMAL, (uint32_t)animal, k};
  const pf_status status =
      pf_population_sample(s->what->population->fit, any->layout, stream, values, error);
  if (status == PF_OK) {
    pf_layout_theta(any->layout, values, 0, theta);
  }
  pf_memory_free(values);
  return status;
}

/** log((e^a + e^b) of sums that are kept as logarithms. */
static double add_logs(double a, double b)
{
  const double high = fmax(a, b), low = fmin(a, b);
  return isinf(high) ? high : high + log1p(exp(low - high));
}

/**
 * The animal's theta is not known, so its likelihood is the mean over thetas that it may have: the
 * product of its one-step-ahead predictions, each made with what came before. R2, predictions and
 * what has no likelihood are those of the population's mean.
 */
static pf_status score_new_animal(fold_scorer *s, const pf_scoring *scoring, size_t animal,
                                  pf_scorer *memory, pf_animal_score *score, pf_error *error)
{
  pf_status status = pf_score_animal(scoring, animal, memory, score, error);
  if (status != PF_OK || !pf_deviance_has_likelihood(s->what->scored->model)) {
    return status;
  }
  pf_scoring sampled = *scoring;
  double sums[PF_N_ABLATIONS];
  const uint32_t n_rows = s->what->ablations ? PF_N_ABLATIONS : 1;
  sampled.probability = NULL;
  for (uint32_t a = 0; a < n_rows; a++) {
    sums[a] = -INFINITY;
  }
  for (uint32_t k = 0; k < N_SAMPLES; k++) {
    pf_animal_score one;
    pf_error line = pf_error_none();
    for (size_t i = 0; i < s->data->n; i++) {
      if (s->data->recordings[i].animal_index == animal &&
          sample_theta(s, s->data->recordings[i].animal_number, k, s->thetas + i * s->n_theta,
                       error) != PF_OK) {
        return PF_STOP;
      }
    }
    status = pf_score_animal(&sampled, animal, memory, &one, &line);
    if (status < 0) {
      return pf_fail(error, status, "%s", line.text);
    }
    for (uint32_t a = 0; a < n_rows; a++) { /* a theta that overflows predicts nothing */
      const bool is_there = status == PF_OK && isfinite(one.deviance[a]);
      sums[a] = add_logs(sums[a], is_there ? -0.5 * one.deviance[a] : -INFINITY);
    }
  }
  for (uint32_t a = 0; a < n_rows; a++) {
    score->deviance[a] = -2.0 * (sums[a] - log((double)N_SAMPLES));
  }
  for (size_t i = 0; i < s->data->n; i++) {
    if (s->data->recordings[i].animal_index == animal) {
      set_mean_theta(s, s->thetas + i * s->n_theta);
    }
  }
  return PF_OK;
}

static pf_status score_animal(fold_scorer *s, const pf_scoring *scoring, size_t animal,
                              pf_scorer *memory, pf_error *error)
{
  pf_animal_score score;
  pf_error why = pf_error_none();
  const size_t first = pf_dataset_first(s->data, animal);
  const bool is_new = s->what->population != NULL &&
                      group_of(s->what, &s->data->recordings[first]) == s->what->fit->n_groups;
  const pf_status scored = is_new ? score_new_animal(s, scoring, animal, memory, &score, &why)
                                  : pf_score_animal(scoring, animal, memory, &score, &why);
  pf_status status = add_rows(s, s->data->recordings[first].animal_number, &score,
                              scored == PF_OK ? NULL : why.text, error);
  if (status == PF_OK) {
    status = add_estimate(s, first, error);
  }
  if (status == PF_OK && scored == PF_OK && s->probability != NULL) {
    status = add_predictions(s, animal, error);
  }
  return status;
}

static pf_status allocate_fold(fold_scorer *s, pf_error *error)
{
  const size_t cells = s->data->n * s->n_theta;
  s->thetas = pf_memory_need(cells, sizeof *s->thetas, error);
  s->null_thetas = pf_memory_need(cells, sizeof *s->null_thetas, error);
  if (s->thetas == NULL || s->null_thetas == NULL) {
    return PF_STOP;
  }
  if (!s->what->predictions || pf_model_observable(s->what->scored->model, "probability") < 0) {
    return PF_OK;
  }
  s->probability = pf_memory_need(s->data->n, sizeof(double *), error);
  for (size_t i = 0; s->probability != NULL && i < s->data->n; i++) {
    s->probability[i] =
        pf_memory_need((size_t)s->data->recordings[i].n_steps, sizeof(double), error);
    if (s->probability[i] == NULL) {
      return PF_STOP;
    }
  }
  return s->probability == NULL ? PF_STOP : PF_OK;
}

static void free_fold(fold_scorer *s)
{
  for (size_t i = 0; s->probability != NULL && i < s->data->n; i++) {
    pf_memory_free(s->probability[i]);
  }
  pf_memory_free(s->probability);
  pf_memory_free(s->thetas);
  pf_memory_free(s->null_thetas);
}

/** An array that goes on where the result's ends. */
static pf_array continue_array(void *items, size_t n, size_t size)
{
  return (pf_array){.items = items, .n = n, .capacity = n, .size = size};
}

pf_status pf_score_fold(const pf_fold_scoring *what, pf_job_result *result, pf_error *error)
{
  const pf_problem *scored = what->scored;
  const pf_evaluation_plan plan = {.data = &scored->data,
                                   .n_draws = what->fresh ? scored->settings->evaluate.draws
                                                          : scored->settings->draws,
                                   .fresh = what->fresh,
                                   .on = "scored steps"};
  fold_scorer s = {
      .what = what,
      .data = &scored->data,
      .n_theta = scored->model->n_parameters,
      .scores = continue_array(result->scores, result->n_scores, sizeof(pf_compare_row)),
      .estimates =
          continue_array(result->estimates, result->n_estimates, sizeof(pf_compare_estimate)),
      .predictions = continue_array(result->predictions, result->n_predictions,
                                    sizeof(pf_compare_prediction))};
  pf_scorer memory = {0};
  pf_status status = allocate_fold(&s, error);
  if (status == PF_OK) {
    status = pf_scorer_create(scored, pf_evaluation_longest(&plan), &memory, error);
  }
  if (status != PF_OK) {
    goto done;
  }
  set_thetas(&s);
  const pf_scoring scoring = {.problem = scored,
                              .plan = &plan,
                              .thetas = s.thetas,
                              .null_thetas = s.null_thetas,
                              .fitted = what->fitted,
                              .ablations = what->ablations,
                              .probability = s.probability};
  for (size_t a = 0; a < scored->data.n_animals; a++) {
    status = score_animal(&s, &scoring, a, &memory, error);
    if (status != PF_OK) {
      break;
    }
  }
  result->scores = pf_array_take(&s.scores, &result->n_scores);
  result->estimates = pf_array_take(&s.estimates, &result->n_estimates);
  result->predictions = pf_array_take(&s.predictions, &result->n_predictions);
done:
  pf_scorer_clear(&memory);
  free_fold(&s);
  return status;
}
