/* What a fitted rule, its ablations and the nulls predict of the scored steps of one fold. */
#include "core/compare/score_folds.h"

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

/** The group of a fit per animal that is the recording's animal's; else the only one. */
static const pf_fit_group *group_of(const pf_fold_scoring *what, const pf_recording *recording)
{
  const pf_dataset *fitted = &what->fitted->data;
  for (size_t i = 0; what->fitted->settings->fit.per != PF_FIT_SHARED && i < fitted->n; i++) {
    if (fitted->recordings[i].animal_number == recording->animal_number) {
      return &what->fit->groups[fitted->recordings[i].animal_index];
    }
  }
  return &what->fit->groups[0];
}

static void set_thetas(fold_scorer *s)
{
  const pf_refit *null = s->what->null;
  const pf_dataset *fitted = &s->what->fitted->data;
  for (size_t i = 0; i < s->data->n; i++) {
    const pf_recording *recording = &s->data->recordings[i];
    const pf_fit_group *own = group_of(s->what, recording);
    const bool is_refitted = null->layout != NULL;
    const pf_layout *null_layout = is_refitted ? null->layout : own->layout;
    pf_layout_theta(own->layout, own->values, place_in_fit(fitted, own->layout, recording),
                    s->thetas + i * s->n_theta);
    pf_layout_theta(null_layout, is_refitted ? null->values : own->values,
                    place_in_fit(fitted, null_layout, recording), s->null_thetas + i * s->n_theta);
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
  for (size_t i = 0; i < s->data->n; i++) {
    const pf_recording *recording = &s->data->recordings[i];
    if (recording->animal_index != animal) {
      continue;
    }
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

static pf_status score_animal(fold_scorer *s, const pf_scoring *scoring, size_t animal,
                              pf_scorer *memory, pf_error *error)
{
  pf_animal_score score;
  pf_error why = pf_error_none();
  size_t first = 0;
  while (s->data->recordings[first].animal_index != animal) {
    first++;
  }
  const pf_status scored = pf_score_animal(scoring, animal, memory, &score, &why);
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
