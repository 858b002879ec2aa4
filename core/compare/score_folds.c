/* What a fitted rule, its ablations and the nulls predict of the scored steps of one fold. */
#include "core/compare/job.h"

#include "core/base/memory.h"
#include "core/evaluate/deviance.h"
#include "core/evaluate/score.h"
#include "core/engine/simulation.h"

#include <math.h>
#include <string.h>

/** What one animal's scoring needs. */
typedef struct scorer {
  const pf_scoring *what;
  const pf_model *model;
  pf_workspace *workspace, *teacher;
  pf_loss_value *values; /* [n_losses] */
  uint32_t *flags;       /* [longest] */
  size_t animal;         /* in what->scored */
  size_t *recordings;    /* [n] of what->scored */
  size_t n;
  int64_t n_draws;
  double *theta, *null_theta; /* [n][n_parameters] for each recording: model, null */
  double sums[PF_N_ABLATIONS];
  double no_plasticity, mean_rate;
  int64_t n_cells;
  pf_error errors[PF_N_ABLATIONS];
  double **probability; /* [n] sums over draws, or NULL */
} scorer;

/** -D / 2 of a likelihood; minus the squared errors otherwise. */
static double log_likelihood_of(const pf_model *model, double deviance)
{
  return pf_deviance_has_likelihood(model) ? -0.5 * deviance : -deviance;
}

/* ---- one simulation ---- */

static pf_status simulate(scorer *s, const pf_draw *draw, const double *theta, uint32_t run_flags,
                          double *sum, int64_t *n, pf_error *error)
{
  const pf_status status = pf_forward(s->model, draw, theta, run_flags | PF_SIMULATE_ACTIVITY_ONLY,
                                      PF_STEP_SCORE, s->workspace, s->values, error);
  if (status == PF_OK) {
    *sum += log_likelihood_of(s->model, pf_deviance(s->model, s->values, n));
  }
  return status;
}

static int64_t first_scored(const pf_draw *draw)
{
  int64_t t = 0;
  while (t < draw->n_steps && (draw->flags[t] & PF_STEP_SCORE) == 0) {
    t++;
  }
  return t;
}

/**
 * An ablation changes nothing but flags, so that inputs, choices and rewards stay what they were.
 * T: no weight changes before the first scored step, so that the weights there are those that a
 * fresh draw starts with; traces and state start anew too. W: none from there on. N: none at all.
 */
static pf_status ablate(scorer *s, pf_draw *draw, uint32_t ablation, const double *theta,
                        double *sum, pf_error *error)
{
  const int64_t split = first_scored(draw);
  int64_t n = 0;
  memcpy(s->flags, draw->flags, (size_t)draw->n_steps * sizeof *s->flags);
  for (int64_t t = 0; t < draw->n_steps; t++) {
    if ((ablation == PF_ABLATION_THETA && t < split) ||
        (ablation == PF_ABLATION_STOP && t >= split)) {
      draw->flags[t] &= ~(uint32_t)PF_STEP_PLASTIC;
    }
  }
  if (ablation == PF_ABLATION_THETA && split < draw->n_steps) {
    draw->flags[split] |= PF_STEP_RESET_TRACES | PF_STEP_RESET_STATE;
  }
  const uint32_t flags = ablation == PF_ABLATION_NONE ? (uint32_t)PF_SIMULATE_NO_PLASTICITY : 0;
  const pf_status status = simulate(s, draw, theta, flags, sum, &n, error);
  memcpy(draw->flags, s->flags, (size_t)draw->n_steps * sizeof *s->flags);
  return status;
}

static void add_probability(const scorer *s, size_t r, const pf_draw *draw)
{
  int64_t n = 0, ld = 0;
  const int64_t observable = pf_model_observable(s->model, "probability");
  const pf_real *p =
      observable < 0 ? NULL : pf_workspace_observable(s->workspace, observable, &n, &ld);
  for (int64_t t = 0; p != NULL && n == 1 && t < draw->n_steps; t++) {
    s->probability[r][t] += (draw->flags[t] & PF_STEP_SCORE) != 0 ? (double)p[t * ld] : NAN;
  }
}

/** One recording in one draw. A failure of F is the animal's; one of an ablation is that
 * ablation's. */
static pf_status score_draw(scorer *s, size_t r, pf_draw *draw, pf_error *error)
{
  const size_t n_theta = s->model->n_parameters;
  int64_t n = 0, unused = 0;
  pf_status status = simulate(s, draw, s->null_theta + r * n_theta, PF_SIMULATE_NO_PLASTICITY,
                              &s->no_plasticity, &unused, error);
  status = status == PF_OK
               ? simulate(s, draw, s->theta + r * n_theta, 0, &s->sums[PF_ABLATION_FULL], &n, error)
               : status;
  if (status != PF_OK) {
    return status;
  }
  s->n_cells += n;
  if (s->probability != NULL) {
    add_probability(s, r, draw);
  }
  for (uint32_t a = PF_ABLATION_THETA; s->what->ablations && a < PF_N_ABLATIONS; a++) {
    if (!isnan(s->sums[a]) &&
        ablate(s, draw, a, s->theta + r * n_theta, &s->sums[a], &s->errors[a]) != PF_OK) {
      s->sums[a] = NAN;
    }
  }
  return PF_OK;
}

/* ---- one animal ---- */

static int64_t count_cells(const pf_model *model, const pf_draw *draw, uint32_t flag)
{
  int64_t n = 0;
  for (size_t k = 0; k < model->n_losses; k++) {
    if (!pf_deviance_counts(model, k) || model->losses[k].declared.targets.count == 0) {
      continue;
    }
    const pf_record *record =
        pf_recording_target(draw->recording, model->losses[k].declared.targets.items[0]);
    for (int64_t t = 0; record != NULL && t < draw->n_steps; t++) {
      for (int64_t i = 0; (draw->flags[t] & flag) != 0 && i < record->n; i++) {
        n += isnan(record->values[t * record->n + i]) ? 0 : 1;
      }
    }
  }
  return n;
}

/**
 * The null `mean rate`: of the animal's own fitted steps; of an animal that has none, of all that
 * were fitted. Counts the fitted cells on the way.
 */
static pf_status mean_rate(scorer *s, pf_draw **own, int64_t *n_fit, pf_error *error)
{
  const pf_problem *fitted = s->what->fitted;
  const size_t number = s->what->scored->data.recordings[s->recordings[0]].animal_number;
  const size_t capacity = s->n + fitted->data.n;
  pf_draw **draws = pf_memory_need(capacity, sizeof(pf_draw *), error);
  if (draws == NULL) {
    return PF_STOP;
  }
  size_t n = s->n;
  memcpy(draws, own, s->n * sizeof(pf_draw *));
  bool has_own = false;
  for (size_t i = 0; i < fitted->data.n; i++) {
    has_own = has_own || fitted->data.recordings[i].animal_number == number;
  }
  pf_status status = PF_OK;
  for (size_t i = 0; i < fitted->data.n && status == PF_OK; i++) {
    const pf_recording *recording = &fitted->data.recordings[i];
    bool there = has_own && recording->animal_number != number;
    for (size_t r = 0; r < s->n && !there; r++) {
      there = s->what->scored->data.recordings[s->recordings[r]].number == recording->number;
    }
    if (!there) {
      status = pf_problem_draw(fitted, &fitted->data, i, 0, false, &draws[n], error);
      n += status == PF_OK ? 1 : 0;
    }
  }
  double deviance = NAN;
  *n_fit = 0;
  if (status == PF_OK) {
    for (size_t d = 0; d < n; d++) {
      *n_fit += count_cells(s->model, draws[d], PF_STEP_FIT);
    }
    status = pf_deviance_mean_rate(s->model, (const pf_draw *const *)draws, n, &deviance, error);
  }
  for (size_t d = s->n; d < n; d++) {
    pf_draw_free(s->model, draws[d]);
  }
  pf_memory_free(draws);
  s->mean_rate = log_likelihood_of(s->model, deviance);
  return status;
}

static pf_status all_draws(scorer *s, int64_t *n_fit, pf_error *error)
{
  const pf_problem *scored = s->what->scored;
  pf_draw **draws = pf_memory_need(s->n, sizeof(pf_draw *), error);
  pf_status status = draws == NULL ? PF_STOP : PF_OK;
  for (int64_t d = 0; d < s->n_draws && status == PF_OK; d++) {
    size_t made = 0;
    while (made < s->n && status == PF_OK) {
      status = pf_problem_draw(scored, &scored->data, s->recordings[made], d, s->what->fresh,
                               &draws[made], error);
      made += status == PF_OK ? 1 : 0;
    }
    if (status == PF_OK && d == 0) {
      status = mean_rate(s, draws, n_fit, error);
    }
    for (size_t r = 0; r < made; r++) {
      status = status == PF_OK ? score_draw(s, r, draws[r], error) : status;
      pf_draw_free(s->model, draws[r]);
    }
  }
  pf_memory_free(draws);
  return status;
}

/** R2 against the truth, or the recorded activity, as every evaluation has it. */
static void score_r2(const scorer *s, pf_job_score *row)
{
  const pf_problem *scored = s->what->scored;
  const bool recorded =
      pf_recording_target(&scored->data.recordings[s->recordings[0]], "activity") != NULL;
  if (s->teacher == NULL && !recorded) {
    return;
  }
  const pf_evaluation_plan plan = {
      .data = &scored->data, .n_draws = s->n_draws, .fresh = s->what->fresh, .on = "scored steps"};
  pf_scorer memory = {.model = s->workspace, .teacher = s->teacher};
  pf_scores scores = pf_scores_none();
  pf_error unused = pf_error_none();
  const size_t n_theta = s->model->n_parameters;
  double *thetas = pf_memory_need(scored->data.n * n_theta, sizeof *thetas, &unused);
  for (size_t r = 0; thetas != NULL && r < s->n && n_theta > 0; r++) {
    memcpy(thetas + s->recordings[r] * n_theta, s->theta + r * n_theta, n_theta * sizeof *thetas);
  }
  if (thetas != NULL && pf_score_animal(scored, &plan, s->animal, thetas, thetas, &memory, &scores,
                                        &unused) == PF_OK) {
    row->r2_weights = scores.r2_weights;
    row->r2_activity = scores.r2_activity;
  }
  pf_memory_free(thetas);
}

static pf_job_score *new_score(pf_job_result *result, pf_error *error)
{
  pf_job_score *grown = pf_memory_need(result->n_scores + 1, sizeof *grown, error);
  if (grown == NULL) {
    return NULL;
  }
  if (result->n_scores > 0) {
    memcpy(grown, result->scores, result->n_scores * sizeof *grown);
  }
  pf_memory_free(result->scores);
  result->scores = grown;
  grown[result->n_scores] = (pf_job_score){.log_likelihood = NAN,
                                           .no_plasticity = NAN,
                                           .mean_rate = NAN,
                                           .r2_weights = NAN,
                                           .r2_activity = NAN};
  return &grown[result->n_scores++];
}

static pf_status add_rows(scorer *s, pf_status status, const pf_error *why, int64_t n_fit,
                          pf_job_result *result, pf_error *error)
{
  const pf_scoring *what = s->what;
  const double n = (double)s->n_draws;
  for (uint32_t a = 0; a < (what->ablations ? (uint32_t)PF_N_ABLATIONS : 1U); a++) {
    pf_job_score *row = new_score(result, error);
    if (row == NULL) {
      return PF_STOP;
    }
    row->animal = what->scored->data.recordings[s->recordings[0]].animal_number;
    row->validation = what->validation;
    row->ablation = a;
    row->n_fit = n_fit;
    const char *line = status != PF_OK ? why->text : s->errors[a].text;
    if (line[0] != '\0') {
      row->status = PF_POINT_FAILED;
      row->error = pf_memory_string(line, error);
      if (row->error == NULL) {
        return PF_STOP;
      }
      continue;
    }
    row->n = s->n_cells / s->n_draws;
    row->log_likelihood = s->sums[a] / n;
    row->no_plasticity = s->no_plasticity / n;
    row->mean_rate = s->mean_rate;
    if (a == PF_ABLATION_FULL) {
      score_r2(s, row);
    }
  }
  return PF_OK;
}

static pf_status add_estimate(const scorer *s, pf_job_result *result, pf_error *error)
{
  pf_job_estimate *grown = pf_memory_need(result->n_estimates + 1, sizeof *grown, error);
  double *theta = pf_memory_need(s->model->n_parameters, sizeof *theta, error);
  if (grown == NULL || theta == NULL) {
    pf_memory_free(grown);
    pf_memory_free(theta);
    return PF_STOP;
  }
  if (result->n_estimates > 0) {
    memcpy(grown, result->estimates, result->n_estimates * sizeof *grown);
  }
  if (s->model->n_parameters > 0) {
    memcpy(theta, s->theta, s->model->n_parameters * sizeof *theta);
  }
  pf_memory_free(result->estimates);
  result->estimates = grown;
  grown[result->n_estimates++] = (pf_job_estimate){
      .animal = s->what->scored->data.recordings[s->recordings[0]].animal_number, .theta = theta};
  return PF_OK;
}

static pf_status add_predictions(scorer *s, pf_job_result *result, pf_error *error)
{
  if (s->probability == NULL) {
    return PF_OK;
  }
  pf_job_prediction *grown = pf_memory_need(result->n_predictions + s->n, sizeof *grown, error);
  if (grown == NULL) {
    return PF_STOP;
  }
  if (result->n_predictions > 0) {
    memcpy(grown, result->predictions, result->n_predictions * sizeof *grown);
  }
  pf_memory_free(result->predictions);
  result->predictions = grown;
  for (size_t r = 0; r < s->n; r++) {
    const pf_recording *recording = &s->what->scored->data.recordings[s->recordings[r]];
    for (int64_t t = 0; t < recording->n_steps; t++) {
      s->probability[r][t] /= (double)s->n_draws;
    }
    grown[result->n_predictions++] = (pf_job_prediction){.recording = recording->number,
                                                         .validation = s->what->validation,
                                                         .n_steps = recording->n_steps,
                                                         .probability = s->probability[r]};
    s->probability[r] = NULL; /* the result's from now on */
  }
  return PF_OK;
}

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

/** theta of every recording: as fitted, of the null, and with the rules' parameters 0. */
static void set_thetas(scorer *s)
{
  const pf_scoring *what = s->what;
  const pf_dataset *fitted = &what->fitted->data;
  const size_t n_theta = s->model->n_parameters;
  const size_t number = what->scored->data.recordings[s->recordings[0]].animal_number;
  size_t group = 0;
  for (size_t i = 0; what->fitted->settings->fit.per == PF_FIT_PER_ANIMAL && i < fitted->n; i++) {
    if (fitted->recordings[i].animal_number == number) {
      group = fitted->recordings[i].animal_index;
    }
  }
  const pf_fit_group *own = &what->fit->groups[group];
  const bool refitted = what->null->layout != NULL;
  const pf_layout *layouts[] = {own->layout, refitted ? what->null->layout : own->layout};
  const double *values[] = {own->values, refitted ? what->null->values : own->values};
  for (size_t r = 0; r < s->n; r++) {
    double *thetas[] = {s->theta + r * n_theta, s->null_theta + r * n_theta};
    for (size_t k = 0; k < 2; k++) {
      const size_t place =
          place_in_fit(fitted, layouts[k], &what->scored->data.recordings[s->recordings[r]]);
      pf_layout_theta(layouts[k], values[k], place, thetas[k]);
    }
  }
}

static pf_status allocate(scorer *s, pf_error *error)
{
  const pf_scoring *what = s->what;
  const size_t cells = s->n * s->model->n_parameters;
  s->theta = pf_memory_need(cells, sizeof *s->theta, error);
  s->null_theta = pf_memory_need(cells, sizeof *s->null_theta, error);
  pf_status status = s->theta == NULL || s->null_theta == NULL ? PF_STOP : PF_OK;
  if (status == PF_OK && what->predictions && pf_model_observable(s->model, "probability") >= 0) {
    s->probability = pf_memory_need(s->n, sizeof(double *), error);
    status = s->probability == NULL ? PF_STOP : PF_OK;
    for (size_t r = 0; r < s->n && status == PF_OK; r++) {
      const size_t steps = (size_t)what->scored->data.recordings[s->recordings[r]].n_steps;
      s->probability[r] = pf_memory_need(steps, sizeof(double), error);
      status = s->probability[r] == NULL ? PF_STOP : PF_OK;
    }
  }
  return status;
}

static void release(scorer *s)
{
  for (size_t r = 0; s->probability != NULL && r < s->n; r++) {
    pf_memory_free(s->probability[r]);
  }
  pf_memory_free(s->probability);
  pf_memory_free(s->theta);
  pf_memory_free(s->null_theta);
  s->probability = NULL;
  s->theta = s->null_theta = NULL;
}

static pf_status score_animal(scorer *s, size_t animal, pf_job_result *result, pf_error *error)
{
  const pf_dataset *data = &s->what->scored->data;
  pf_error why = pf_error_none();
  int64_t n_fit = 0;
  s->animal = animal;
  s->n = 0;
  for (size_t i = 0; i < data->n; i++) {
    if (data->recordings[i].animal_index == animal) {
      s->recordings[s->n++] = i;
    }
  }
  s->no_plasticity = s->mean_rate = 0.0;
  s->n_cells = 0;
  for (uint32_t a = 0; a < PF_N_ABLATIONS; a++) {
    s->sums[a] = 0.0;
    s->errors[a] = pf_error_none();
  }
  pf_status status = allocate(s, error);
  if (status == PF_OK) {
    set_thetas(s);
    const pf_status scored = all_draws(s, &n_fit, &why);
    status = add_rows(s, scored, &why, n_fit, result, error);
    status = status == PF_OK ? add_estimate(s, result, error) : status;
    status = status == PF_OK && scored == PF_OK ? add_predictions(s, result, error) : status;
  }
  release(s);
  return status;
}

pf_status pf_score_fold(const pf_scoring *what, pf_job_result *result, pf_error *error)
{
  const pf_problem *scored = what->scored;
  const int64_t longest = pf_dataset_longest(&scored->data)->n_steps;
  scorer s = {.what = what,
              .model = scored->model,
              .n_draws = what->fresh ? scored->settings->evaluate.draws : scored->settings->draws};
  s.values = pf_memory_need(s.model->n_losses, sizeof *s.values, error);
  s.flags = pf_memory_need((size_t)longest, sizeof *s.flags, error);
  s.recordings = pf_memory_need(scored->data.n, sizeof *s.recordings, error);
  pf_status status = s.values == NULL || s.flags == NULL || s.recordings == NULL ? PF_STOP : PF_OK;
  status = status == PF_OK ? pf_workspace_create(s.model, longest, &s.workspace, error) : status;
  if (status == PF_OK && scored->models->teacher != NULL) {
    status = pf_workspace_create(scored->models->teacher, longest, &s.teacher, error);
  }
  for (size_t a = 0; a < scored->data.n_animals && status == PF_OK; a++) {
    status = score_animal(&s, a, result, error);
  }
  pf_workspace_free(s.workspace);
  pf_workspace_free(s.teacher);
  pf_memory_free(s.values);
  pf_memory_free(s.flags);
  pf_memory_free(s.recordings);
  return status;
}
