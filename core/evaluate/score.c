#include "core/evaluate/score.h"
#include "core/base/memory.h"
#include "core/evaluate/deviance.h"
#include "core/evaluate/expected_target.h"
#include "core/evaluate/predictive.h"
#include "core/evaluate/r2.h"
#include <math.h>
#include <string.h>

/* A mean that leaves NaN out. */
typedef struct running_mean {
  double sum;
  int64_t n;
} running_mean;

static void add_to_mean(running_mean *mean, double value)
{
  if (!isnan(value)) {
    mean->sum += value;
    mean->n++;
  }
}

static double mean_of(const running_mean *mean)
{
  return mean->n > 0 ? mean->sum / (double)mean->n : NAN;
}

/* Sums over the animal's recordings. */
typedef struct deviance_sums {
  double deviance[PF_N_ABLATIONS], no_plasticity, saturated;
  double variance; /* Monte Carlo, of half the full model's deviance */
  int64_t n_cells;
} deviance_sums;

typedef struct animal_sums {
  const pf_scoring *what;
  const pf_model *model;
  pf_scorer *scorer;
  pf_animal_score *out;
  size_t *recordings; /* [n] of plan->data */
  pf_draw **draws;    /* [n] one of each */
  size_t n;
  deviance_sums draw, all; /* of this draw; over all draws */
  deviance_sums first;     /* of the first draw: with inputs integrated out all have the same */
  int64_t n_closed;        /* draws that are over */
  running_mean explained_no_plasticity, explained_mean_rate, r2_weights, r2_activity,
      residual_correlation;
  running_mean explained_baselines[PF_N_BASELINES];
  int64_t n_still;
} animal_sums;

pf_status pf_scorer_create(const pf_problem *problem, int64_t longest, pf_scorer *out,
                           pf_error *error)
{
  *out = (pf_scorer){.values = pf_memory_need(problem->model->n_losses, sizeof *out->values, error),
                     .flags = pf_memory_need((size_t)longest, sizeof *out->flags, error)};
  if (out->values == NULL || out->flags == NULL) {
    return PF_STOP;
  }
  pf_status status = pf_workspace_create(problem->model, longest, &out->model, error);
  if (status == PF_OK && pf_predictive_is_wanted(problem)) {
    status = pf_filter_create(problem->model, (size_t)problem->settings->marginal.particles,
                              &out->filter, error);
  }
  if (status != PF_OK || problem->models->teacher == NULL) {
    return status;
  }
  return pf_workspace_create(problem->models->teacher, longest, &out->teacher, error);
}

void pf_scorer_clear(pf_scorer *scorer)
{
  pf_workspace_free(scorer->model);
  pf_workspace_free(scorer->teacher);
  pf_filter_free(scorer->filter);
  pf_memory_free(scorer->values);
  pf_memory_free(scorer->flags);
  *scorer = (pf_scorer){0};
}

/* ---- R2: the model's own run still stands in its workspace ---- */

/* How an activity compares with what it should be; both NaN where it cannot be compared. */
typedef struct likeness {
  double r2, correlation;
} likeness;

static pf_status compare_activity(const animal_sums *sums, const pf_draw *draw, const double *truth,
                                  int64_t n_truth, likeness *out, pf_error *error)
{
  const int64_t observable = pf_model_observable(sums->model, "activity");
  int64_t n = 0, ld = 0;
  *out = (likeness){NAN, NAN};
  if (observable < 0) {
    return PF_OK;
  }
  const pf_real *activity = pf_workspace_observable(sums->scorer->model, observable, &n, &ld);
  if (n != n_truth) {
    return PF_OK;
  }
  const pf_column_pairs pairs = {truth, n,           activity,      ld,
                                 n,     draw->flags, PF_STEP_SCORE, draw->n_steps};
  out->correlation = pf_residual_correlation(&pairs);
  return pf_r2_columns(&pairs, &out->r2, error);
}

static pf_status compare_teacher_activity(const animal_sums *sums, const pf_draw *draw, double *r2,
                                          pf_error *error)
{
  const int64_t observable = pf_model_observable(sums->what->problem->models->teacher, "activity");
  int64_t n = 0, ld = 0;
  *r2 = NAN;
  if (observable < 0) {
    return PF_OK;
  }
  const pf_real *activity = pf_workspace_observable(sums->scorer->teacher, observable, &n, &ld);
  double *truth = pf_memory_need((size_t)draw->n_steps * (size_t)n, sizeof *truth, error);
  if (truth == NULL) {
    return PF_STOP;
  }
  for (int64_t t = 0; t < draw->n_steps; t++) {
    for (int64_t i = 0; i < n; i++) {
      truth[t * n + i] = (double)activity[t * ld + i];
    }
  }
  likeness of = {NAN, NAN}; /* the correlation is of what nobody recorded */
  const pf_status status = compare_activity(sums, draw, truth, n, &of, error);
  *r2 = of.r2;
  pf_memory_free(truth);
  return status;
}

/* Against the teacher run on the same draw. */
static pf_status compare_with_teacher(animal_sums *sums, const pf_draw *draw, const double *theta,
                                      pf_error *error)
{
  const pf_problem *problem = sums->what->problem;
  const pf_model *teacher = problem->models->teacher;
  const double *teacher_theta = pf_teacher_theta(problem->models, draw->recording);
  pf_draw *replica = NULL;
  double r2_weights = NAN, r2_activity = NAN;
  int64_t n_still = 0;
  pf_status status = pf_problem_teacher_draw(problem, draw, theta, &replica, error);
  if (status != PF_OK) {
    return status;
  }
  const pf_simulation truth = {teacher, replica, teacher_theta, {&sums->scorer->teacher, 1}};
  const pf_simulation fitted = {sums->model, draw, theta, {&sums->scorer->model, 1}};
  status = pf_forward(&truth, PF_SIMULATE_ACTIVITY_ONLY, PF_STEP_SCORE, NULL, error);
  if (status == PF_OK) {
    status = pf_r2_weights(&truth, &fitted, &r2_weights, &n_still, error);
  }
  if (status == PF_OK) {
    status = compare_teacher_activity(sums, draw, &r2_activity, error);
  }
  pf_draw_free(teacher, replica);
  if (status == PF_OK) {
    add_to_mean(&sums->r2_weights, r2_weights);
    add_to_mean(&sums->r2_activity, r2_activity);
    sums->n_still += n_still;
  }
  return status;
}

static pf_status compare_with_record(animal_sums *sums, const pf_draw *draw, const double *theta,
                                     pf_error *error)
{
  const pf_record *record = pf_recording_target(draw->recording, "activity");
  likeness of = {NAN, NAN};
  pf_expected_target expected;
  pf_status status =
      pf_expected_target_compute(sums->model, sums->scorer->model, draw, theta, &expected, error);
  if (status == PF_OK && expected.target != NULL) { /* counts against the expected count */
    const int64_t n = expected.n;
    const pf_column_pairs pairs = {pf_recording_target(draw->recording, expected.target)->values,
                                   n,
                                   expected.values,
                                   n,
                                   n,
                                   draw->flags,
                                   PF_STEP_SCORE,
                                   draw->n_steps};
    of.correlation = pf_residual_correlation(&pairs);
    status = pf_r2_columns(&pairs, &of.r2, error);
  } else if (status == PF_OK && record != NULL) {
    status = compare_activity(sums, draw, record->values, record->n, &of, error);
  }
  pf_expected_target_free(&expected);
  add_to_mean(&sums->r2_activity, of.r2);
  add_to_mean(&sums->residual_correlation, of.correlation);
  return status;
}

static void add_r2(animal_sums *sums, const pf_draw *draw, const double *theta)
{
  pf_animal_score *out = sums->out;
  if (out->r2_status != PF_OK) {
    return;
  }
  out->r2_status = sums->scorer->teacher != NULL
                       ? compare_with_teacher(sums, draw, theta, &out->r2_error)
                       : compare_with_record(sums, draw, theta, &out->r2_error);
}

/* ---- deviances ---- */

/* The draw of recording r, simulated at theta. */
typedef struct run {
  size_t r;
  const double *theta;
  uint32_t flags;   /* of pf_forward */
  double *variance; /* NULL: not wanted */
} run;

/* Likewise of the marginal likelihood, which is the same for every draw. */
static pf_status add_predictive(const animal_sums *sums, const run *at, double *sum,
                                double *probability, pf_error *error)
{
  const pf_evaluation_plan *plan = sums->what->plan;
  const pf_predictive_in in = {.problem = sums->what->problem,
                               .data = plan->data,
                               .recording = sums->recordings[at->r],
                               .fresh = plan->fresh,
                               .draw = sums->draws[at->r],
                               .theta = at->theta,
                               .still = (at->flags & PF_SIMULATE_NO_PLASTICITY) != 0,
                               .filter = sums->scorer->filter,
                               .variance = at->variance};
  return pf_predictive_score(&in, sum, probability, error);
}

static pf_status add_deviance(const animal_sums *sums, const run *at, double *sum, int64_t *n,
                              pf_error *error)
{
  const pf_simulation simulation = {
      sums->model, sums->draws[at->r], at->theta, {&sums->scorer->model, 1}};
  const pf_status status = pf_forward(&simulation, at->flags | PF_SIMULATE_ACTIVITY_ONLY,
                                      PF_STEP_SCORE, sums->scorer->values, error);
  if (status == PF_OK) {
    *sum += pf_deviance(sums->model, sums->scorer->values, n);
  }
  return status;
}

/* T, W and N. One that fails has no figure; the others go on. */
static void add_ablations(animal_sums *sums, size_t r, const double *theta)
{
  pf_draw *draw = sums->draws[r];
  const size_t bytes = (size_t)draw->n_steps * sizeof *draw->flags;
  memcpy(sums->scorer->flags, draw->flags, bytes);
  for (uint32_t a = PF_ABLATION_THETA; a < PF_N_ABLATIONS; a++) {
    pf_error *error = &sums->out->errors[a];
    int64_t n = 0;
    if (error->text[0] == '\0') {
      const run at = {r, theta, pf_ablation_set_flags(a, draw), NULL};
      (void)(sums->scorer->filter != NULL
                 ? add_predictive(sums, &at, &sums->draw.deviance[a], NULL, error)
                 : add_deviance(sums, &at, &sums->draw.deviance[a], &n, error));
      memcpy(draw->flags, sums->scorer->flags, bytes);
    }
  }
}

static void add_probability(const animal_sums *sums, const pf_draw *draw, double *probability)
{
  int64_t n = 0, ld = 0;
  const int64_t observable = pf_model_observable(sums->model, "probability");
  if (observable < 0) {
    return;
  }
  const pf_real *p = pf_workspace_observable(sums->scorer->model, observable, &n, &ld);
  for (int64_t t = 0; n == 1 && t < draw->n_steps; t++) {
    probability[t] += (draw->flags[t] & PF_STEP_SCORE) != 0 ? (double)p[t * ld] : NAN;
  }
}

/* Both deviances of recording r, from its draw. */
static pf_status add_draw_deviances(animal_sums *sums, size_t r, int64_t *n, pf_error *error)
{
  const pf_scoring *what = sums->what;
  const size_t recording = sums->recordings[r], at = recording * sums->model->n_parameters;
  const run still = {r, what->null_thetas + at, PF_SIMULATE_NO_PLASTICITY, NULL};
  const run full = {r, what->thetas + at, 0, NULL};
  pf_status status = add_deviance(sums, &still, &sums->draw.no_plasticity, n, error);
  if (status != PF_OK) {
    return status;
  }
  status = add_deviance(sums, &full, &sums->draw.deviance[PF_ABLATION_FULL], n, error);
  if (status == PF_OK && what->probability != NULL) {
    add_probability(sums, sums->draws[r], what->probability[recording]);
  }
  return status;
}

/* The same with inputs integrated out; the forward run counts cells, and R2 needs it. */
static pf_status add_marginal_deviances(animal_sums *sums, size_t r, int64_t *n, pf_error *error)
{
  const pf_scoring *what = sums->what;
  const size_t recording = sums->recordings[r], at = recording * sums->model->n_parameters;
  double *probability = what->probability == NULL ? NULL : what->probability[recording];
  const run still = {r, what->null_thetas + at, PF_SIMULATE_NO_PLASTICITY, NULL};
  const run full = {r, what->thetas + at, 0, &sums->draw.variance};
  double ignored = 0.0;
  pf_status status = add_predictive(sums, &still, &sums->draw.no_plasticity, NULL, error);
  if (status != PF_OK) {
    return status;
  }
  status = add_predictive(sums, &full, &sums->draw.deviance[PF_ABLATION_FULL], probability, error);
  if (status != PF_OK) {
    return status;
  }
  return add_deviance(sums, &full, &ignored, n, error);
}

static pf_status score_draw(animal_sums *sums, size_t r, pf_error *error)
{
  const pf_scoring *what = sums->what;
  const size_t at = sums->recordings[r] * sums->model->n_parameters;
  pf_draw *draw = sums->draws[r];
  int64_t n = 0;
  double ignored = 0.0;
  pf_status status = PF_OK;
  if (sums->scorer->filter == NULL) {
    status = add_draw_deviances(sums, r, &n, error);
  } else if (sums->n_closed == 0) {
    status = add_marginal_deviances(sums, r, &n, error);
  } else { /* R2 alone */
    const run full = {r, what->thetas + at, 0, NULL};
    status = add_deviance(sums, &full, &ignored, &n, error);
  }
  if (status != PF_OK) {
    return status;
  }
  double saturated = 0.0;
  status = pf_deviance_saturated(sums->model, draw, &saturated, error);
  if (status != PF_OK) {
    return status;
  }
  sums->draw.saturated += saturated;
  sums->draw.n_cells += n;
  add_r2(sums, draw, what->thetas + at);
  if (what->ablations && (sums->scorer->filter == NULL || sums->n_closed == 0)) {
    add_ablations(sums, r, what->thetas + at);
  }
  return PF_OK;
}

/* A draw of all recordings is over: its figures, and its part in the sums over draws. */
static void close_draw(animal_sums *sums)
{
  if (sums->scorer->filter != NULL && sums->n_closed > 0) {
    sums->draw = sums->first;
  }
  sums->first = sums->draw;
  sums->n_closed++;
  const deviance_sums *draw = &sums->draw;
  const double model = draw->deviance[PF_ABLATION_FULL];
  add_to_mean(&sums->explained_no_plasticity,
              pf_deviance_explained(draw->no_plasticity, model, draw->saturated));
  add_to_mean(&sums->explained_mean_rate,
              pf_deviance_explained(sums->out->mean_rate, model, draw->saturated));
  for (size_t b = 0; b < PF_N_BASELINES; b++) {
    add_to_mean(&sums->explained_baselines[b],
                pf_deviance_explained(sums->out->baselines[b], model, draw->saturated));
  }
  for (size_t a = 0; a < PF_N_ABLATIONS; a++) {
    sums->all.deviance[a] += draw->deviance[a];
  }
  sums->all.no_plasticity += draw->no_plasticity;
  sums->all.saturated += draw->saturated;
  sums->all.n_cells += draw->n_cells;
  sums->draw = (deviance_sums){0};
}

/* ---- the null `mean rate` ---- */

static int64_t count_fitted_cells(const pf_model *model, const pf_draw *draw)
{
  int64_t n = 0;
  for (size_t k = 0; k < model->n_losses; k++) {
    if (!pf_deviance_counts(model, k) || model->losses[k].declared.targets.count == 0) {
      continue;
    }
    const pf_record *record =
        pf_recording_target(draw->recording, model->losses[k].declared.targets.items[0]);
    for (int64_t t = 0; record != NULL && t < draw->n_steps; t++) {
      for (int64_t i = 0; (draw->flags[t] & PF_STEP_FIT) != 0 && i < record->n; i++) {
        n += isnan(record->values[t * record->n + i]) ? 0 : 1;
      }
    }
  }
  return n;
}

static bool is_scored(const animal_sums *sums, const pf_recording *recording)
{
  for (size_t r = 0; r < sums->n; r++) {
    if (sums->what->plan->data->recordings[sums->recordings[r]].number == recording->number) {
      return true;
    }
  }
  return false;
}

/* Draws of what was fitted and is not scored: of the animal's own recordings; of all, where it has
 * none. */
static pf_status add_fitted_draws(const animal_sums *sums, pf_draw **draws, size_t *n,
                                  pf_error *error)
{
  const pf_problem *fitted = sums->what->fitted;
  const size_t number = sums->what->plan->data->recordings[sums->recordings[0]].animal_number;
  const pf_dataset *data = &fitted->data;
  const size_t own = pf_dataset_numbered_animal(data, number);
  const bool has_own = own < data->n_animals;
  for (size_t i = has_own ? pf_dataset_first(data, own) : 0; i < data->n;
       i = has_own ? pf_dataset_next(data, i) : i + 1) {
    const pf_recording *recording = &data->recordings[i];
    if (is_scored(sums, recording)) {
      continue;
    }
    const pf_status status =
        pf_problem_draw(fitted, &(pf_draw_id){data, i, 0, false}, &draws[*n], error);
    if (status != PF_OK) {
      return status;
    }
    (*n)++;
  }
  return PF_OK;
}

/* And the baselines, which are fitted to the same steps. */
static pf_status find_mean_rate(animal_sums *sums, pf_error *error)
{
  const pf_problem *fitted = sums->what->fitted;
  const size_t capacity = sums->n + (fitted != NULL ? fitted->data.n : 0);
  pf_draw **draws = pf_memory_need(capacity, sizeof(pf_draw *), error);
  size_t n = sums->n;
  pf_status status = PF_OK;
  if (draws == NULL) {
    return PF_STOP;
  }
  memcpy(draws, sums->draws, n * sizeof(pf_draw *));
  if (fitted != NULL) {
    status = add_fitted_draws(sums, draws, &n, error);
  }
  if (status == PF_OK) {
    for (size_t d = 0; d < n; d++) {
      sums->out->n_fit += count_fitted_cells(sums->model, draws[d]);
    }
    status = pf_deviance_mean_rate(sums->model, (const pf_draw *const *)draws, n,
                                   &sums->out->mean_rate, error);
  }
  if (status == PF_OK) {
    status = pf_baselines_deviance(sums->model, (const pf_draw *const *)draws, n,
                                   sums->what->problem->settings->evaluate.history,
                                   sums->out->baselines, error);
  }
  for (size_t d = sums->n; d < n; d++) {
    pf_draw_free(sums->model, draws[d]);
  }
  pf_memory_free(draws);
  return status;
}

/* ---- an animal ---- */

/* Everything of draw d. */
static pf_status score_one_draw(animal_sums *sums, int64_t d, pf_error *error)
{
  const pf_scoring *what = sums->what;
  size_t made = 0;
  pf_status status = PF_OK;
  while (made < sums->n) {
    status = pf_evaluation_draw(what->problem, what->plan, sums->recordings[made], d,
                                &sums->draws[made], error);
    if (status != PF_OK) {
      goto done;
    }
    made++;
  }
  if (d == 0) {
    status = find_mean_rate(sums, error);
  }
  for (size_t r = 0; r < made; r++) {
    if (status != PF_OK) {
      goto done;
    }
    status = score_draw(sums, r, error);
  }
  close_draw(sums);
done:
  for (size_t r = 0; r < made; r++) {
    pf_draw_free(sums->model, sums->draws[r]);
  }
  return status;
}

static void set_scores(const animal_sums *sums, pf_animal_score *out)
{
  const deviance_sums *all = &sums->all;
  const int64_t n_draws = sums->what->plan->n_draws;
  const double n = (double)n_draws, model = all->deviance[PF_ABLATION_FULL];
  for (size_t a = 0; a < PF_N_ABLATIONS; a++) {
    const bool is_known =
        a == PF_ABLATION_FULL || (sums->what->ablations && out->errors[a].text[0] == '\0');
    out->deviance[a] = is_known ? all->deviance[a] / n : NAN;
  }
  out->no_plasticity = all->no_plasticity / n;
  out->saturated = all->saturated / n;
  out->scores = (pf_scores){
      .no_plasticity = mean_of(&sums->explained_no_plasticity),
      .mean_rate = mean_of(&sums->explained_mean_rate),
      .r2_weights = out->r2_status == PF_OK ? mean_of(&sums->r2_weights) : NAN,
      .r2_activity = out->r2_status == PF_OK ? mean_of(&sums->r2_activity) : NAN,
      .residual_correlation = mean_of(&sums->residual_correlation),
      .log_likelihood = pf_deviance_has_likelihood(sums->model) ? -0.5 * model / n : NAN,
      .monte_carlo_error = sums->scorer->filter != NULL ? sqrt(sums->first.variance) : (double)NAN,
      .at_stake_no_plasticity = (all->no_plasticity - all->saturated) / n,
      .at_stake_mean_rate = out->mean_rate - all->saturated / n,
      .n_scored = all->n_cells / n_draws,
      .n_still = sums->n_still / n_draws};
  if (!sums->what->plan->fresh) { /* fitted draws: ratio of the mean deviances */
    out->scores.no_plasticity = pf_deviance_explained(all->no_plasticity, model, all->saturated);
    out->scores.mean_rate = pf_deviance_explained(n * out->mean_rate, model, all->saturated);
  }
  for (size_t b = 0; b < PF_N_BASELINES; b++) {
    out->scores.baselines[b] =
        sums->what->plan->fresh
            ? mean_of(&sums->explained_baselines[b])
            : pf_deviance_explained(n * out->baselines[b], model, all->saturated);
    out->scores.at_stake_baselines[b] = out->baselines[b] - all->saturated / n;
  }
}

/* The mean over draws, of the animal's recordings. */
static void divide_probability(const animal_sums *sums)
{
  const pf_evaluation_plan *plan = sums->what->plan;
  for (size_t r = 0; r < sums->n; r++) {
    const size_t i = sums->recordings[r];
    for (int64_t t = 0; t < plan->data->recordings[i].n_steps; t++) {
      sums->what->probability[i][t] /= (double)plan->n_draws;
    }
  }
}

pf_status pf_score_animal(const pf_scoring *scoring, size_t animal, pf_scorer *scorer,
                          pf_animal_score *out, pf_error *error)
{
  const pf_evaluation_plan *plan = scoring->plan;
  animal_sums sums = {
      .what = scoring, .model = scoring->problem->model, .scorer = scorer, .out = out};
  *out = (pf_animal_score){.scores = pf_scores_none(),
                           .no_plasticity = NAN,
                           .mean_rate = NAN,
                           .baselines = {NAN, NAN},
                           .r2_error = pf_error_none()};
  for (size_t a = 0; a < PF_N_ABLATIONS; a++) {
    out->deviance[a] = NAN;
    out->errors[a] = pf_error_none();
  }
  const pf_dataset *data = plan->data;
  const size_t n = pf_dataset_count(data, animal);
  sums.recordings = pf_memory_need(n, sizeof *sums.recordings, error);
  sums.draws = pf_memory_need(n, sizeof(pf_draw *), error);
  pf_status status = sums.recordings == NULL || sums.draws == NULL ? PF_STOP : PF_OK;
  if (status != PF_OK) {
    goto done;
  }
  for (size_t i = pf_dataset_first(data, animal); i < data->n; i = pf_dataset_next(data, i)) {
    sums.recordings[sums.n++] = i;
  }
  for (int64_t d = 0; d < plan->n_draws; d++) {
    status = score_one_draw(&sums, d, error);
    if (status != PF_OK) {
      goto done;
    }
  }
  set_scores(&sums, out);
  if (scoring->probability != NULL && scorer->filter == NULL) {
    divide_probability(&sums);
  }
done:
  pf_memory_free(sums.recordings);
  pf_memory_free(sums.draws);
  return status;
}
