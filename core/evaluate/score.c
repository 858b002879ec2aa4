#include "core/evaluate/score.h"
#include "core/base/memory.h"
#include "core/evaluate/deviance.h"
#include "core/evaluate/r2.h"
#include <math.h>

/* A mean that leaves NaN out. */
typedef struct running_mean {
  double sum;
  int64_t n;
} running_mean;

static void take(running_mean *mean, double value)
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

/* Sums over the recordings of one animal in one draw. */
typedef struct draw_sums {
  double model, no_plasticity; /* deviances */
  double log_likelihood;
  int64_t n_cells;
} draw_sums;

typedef struct animal_sums {
  const pf_problem *problem;
  const pf_evaluation_plan *plan;
  const double *thetas, *null_thetas; /* [plan->data->n][n_parameters] */
  pf_scorer *scorer;
  pf_loss_value *values; /* [n_losses] */
  double mean_rate;      /* deviance, the same in every draw */
  draw_sums draw, all;   /* of this draw; over all draws */
  running_mean explained_no_plasticity, explained_mean_rate, r2_weights, r2_activity;
  int64_t n_still;
} animal_sums;

pf_scores pf_scores_none(void)
{
  return (pf_scores){.no_plasticity = NAN,
                     .mean_rate = NAN,
                     .r2_weights = NAN,
                     .r2_activity = NAN,
                     .log_likelihood = NAN};
}

static size_t place_of(const animal_sums *sums, const pf_draw *draw)
{
  return (size_t)(draw->recording - sums->plan->data->recordings) *
         sums->problem->model->n_parameters;
}

static const double *theta_of(const animal_sums *sums, const pf_draw *draw)
{
  return sums->thetas + place_of(sums, draw);
}

/* ---- R2 ---- */

static pf_status activity_against(animal_sums *sums, const pf_draw *draw, const double *truth,
                                  int64_t ld_truth, int64_t n_truth, double *r2, pf_error *error)
{
  const int64_t observable = pf_model_observable(sums->problem->model, "activity");
  *r2 = NAN;
  if (observable < 0) {
    return PF_OK;
  }
  int64_t n = 0;
  int64_t ld = 0;
  const pf_real *activity = pf_workspace_observable(sums->scorer->model, observable, &n, &ld);
  if (n != n_truth) {
    return PF_OK;
  }
  return pf_r2_columns(truth, ld_truth, activity, ld, draw->flags, PF_STEP_SCORE, draw->n_steps, n,
                       r2, error);
}

static pf_status activity_against_teacher(animal_sums *sums, const pf_draw *draw, double *r2,
                                          pf_error *error)
{
  const int64_t observable = pf_model_observable(sums->problem->models->teacher, "activity");
  *r2 = NAN;
  if (observable < 0) {
    return PF_OK;
  }
  int64_t n = 0;
  int64_t ld = 0;
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
  const pf_status status = activity_against(sums, draw, truth, n, n, r2, error);
  pf_memory_free(truth);
  return status;
}

/* Against the teacher run on the same draw. The model's own run still stands in its workspace. */
static pf_status compare_with_teacher(animal_sums *sums, const pf_draw *draw, pf_error *error)
{
  const pf_problem *problem = sums->problem;
  pf_draw *twin = NULL;
  pf_status status = pf_problem_teacher_draw(problem, draw, theta_of(sums, draw), &twin, error);
  if (status != PF_OK) {
    return status;
  }
  double r2_weights = NAN;
  double r2_activity = NAN;
  int64_t n_still = 0;
  status = pf_forward(problem->models->teacher, twin, problem->models->teacher_theta,
                      PF_SIMULATE_ACTIVITY_ONLY, PF_STEP_SCORE, sums->scorer->teacher, NULL, error);
  if (status == PF_OK) {
    const pf_standing_run truth = {sums->scorer->teacher, twin, problem->models->teacher_theta};
    const pf_standing_run run = {sums->scorer->model, draw, theta_of(sums, draw)};
    status = pf_r2_weights(problem->model, &truth, &run, &r2_weights, &n_still, error);
  }
  if (status == PF_OK) {
    status = activity_against_teacher(sums, draw, &r2_activity, error);
  }
  pf_draw_free(problem->models->teacher, twin);
  if (status == PF_OK) {
    take(&sums->r2_weights, r2_weights);
    take(&sums->r2_activity, r2_activity);
    sums->n_still += n_still;
  }
  return status;
}

static pf_status compare_with_record(animal_sums *sums, const pf_draw *draw, pf_error *error)
{
  const pf_record *record = pf_recording_target(draw->recording, "activity");
  if (record == NULL) {
    return PF_OK;
  }
  double r2 = NAN;
  const pf_status status =
      activity_against(sums, draw, record->values, record->n, record->n, &r2, error);
  if (status == PF_OK) {
    take(&sums->r2_activity, r2);
  }
  return status;
}

/* ---- deviances ---- */

static pf_status score_draw(animal_sums *sums, const pf_draw *draw, pf_error *error)
{
  const pf_model *model = sums->problem->model;
  int64_t n = 0;
  pf_status status = pf_forward(model, draw, sums->null_thetas + place_of(sums, draw),
                                PF_SIMULATE_NO_PLASTICITY | PF_SIMULATE_ACTIVITY_ONLY, PF_STEP_SCORE,
                                sums->scorer->model, sums->values, error);
  if (status != PF_OK) {
    return status;
  }
  sums->draw.no_plasticity += pf_deviance(model, sums->values, &n);
  status = pf_forward(model, draw, theta_of(sums, draw), PF_SIMULATE_ACTIVITY_ONLY, PF_STEP_SCORE,
                      sums->scorer->model, sums->values, error);
  if (status != PF_OK) {
    return status;
  }
  const double deviance = pf_deviance(model, sums->values, &n);
  sums->draw.model += deviance;
  sums->draw.log_likelihood += pf_deviance_has_likelihood(model) ? -0.5 * deviance : NAN;
  sums->draw.n_cells += n;
  return sums->scorer->teacher != NULL ? compare_with_teacher(sums, draw, error)
                                       : compare_with_record(sums, draw, error);
}

/* A draw of all recordings is over: its figures, and its part in the sums over draws. */
static void close_draw(animal_sums *sums)
{
  const draw_sums *draw = &sums->draw;
  take(&sums->explained_no_plasticity, pf_deviance_explained(draw->no_plasticity, draw->model));
  take(&sums->explained_mean_rate, pf_deviance_explained(sums->mean_rate, draw->model));
  sums->all.model += draw->model;
  sums->all.no_plasticity += draw->no_plasticity;
  sums->all.log_likelihood += draw->log_likelihood;
  sums->all.n_cells += draw->n_cells;
  sums->draw = (draw_sums){0};
}

static pf_scores scores_of(const animal_sums *sums)
{
  const double n = (double)sums->plan->n_draws;
  pf_scores scores = {.no_plasticity = mean_of(&sums->explained_no_plasticity),
                      .mean_rate = mean_of(&sums->explained_mean_rate),
                      .r2_weights = mean_of(&sums->r2_weights),
                      .r2_activity = mean_of(&sums->r2_activity),
                      .log_likelihood = sums->all.log_likelihood / n,
                      .n_scored = sums->all.n_cells / sums->plan->n_draws,
                      .n_still = sums->n_still / sums->plan->n_draws};
  if (!sums->plan->fresh) { /* fitted draws: ratio of the mean deviances */
    scores.no_plasticity = pf_deviance_explained(sums->all.no_plasticity, sums->all.model);
    scores.mean_rate = pf_deviance_explained(n * sums->mean_rate, sums->all.model);
  }
  return scores;
}

/* ---- an animal ---- */

/* One draw of each of the animal's recordings. Frees what it made on failure. */
static pf_status make_draws(animal_sums *sums, const size_t *recordings, size_t n, int64_t d,
                            pf_draw **draws, pf_error *error)
{
  for (size_t r = 0; r < n; r++) {
    const pf_status status =
        pf_evaluation_draw(sums->problem, sums->plan, recordings[r], d, &draws[r], error);
    if (status != PF_OK) {
      for (size_t k = 0; k < r; k++) {
        pf_draw_free(sums->problem->model, draws[k]);
      }
      return status;
    }
  }
  return PF_OK;
}

static pf_status score_all_draws(animal_sums *sums, const size_t *recordings, size_t n,
                                 pf_draw **draws, pf_error *error)
{
  const pf_model *model = sums->problem->model;
  for (int64_t d = 0; d < sums->plan->n_draws; d++) {
    pf_status status = make_draws(sums, recordings, n, d, draws, error);
    if (status != PF_OK) {
      return status;
    }
    if (d == 0) {
      status =
          pf_deviance_mean_rate(model, (const pf_draw *const *)draws, n, &sums->mean_rate, error);
    }
    for (size_t r = 0; r < n; r++) {
      if (status == PF_OK) {
        status = score_draw(sums, draws[r], error);
      }
      pf_draw_free(model, draws[r]);
    }
    if (status != PF_OK) {
      return status;
    }
    close_draw(sums);
  }
  return PF_OK;
}

pf_status pf_score_animal(const pf_problem *problem, const pf_evaluation_plan *plan, size_t animal,
                          const double *thetas, const double *null_thetas, pf_scorer *scorer,
                          pf_scores *scores, pf_error *error)
{
  animal_sums sums = {.problem = problem,
                      .plan = plan,
                      .thetas = thetas,
                      .null_thetas = null_thetas,
                      .scorer = scorer,
                      .mean_rate = NAN};
  size_t *recordings = pf_memory_need(plan->data->n, sizeof *recordings, error);
  pf_draw **draws = pf_memory_need(plan->data->n, sizeof(pf_draw *), error);
  sums.values = pf_memory_need(problem->model->n_losses, sizeof *sums.values, error);
  pf_status status = PF_STOP;
  *scores = pf_scores_none();
  if (recordings != NULL && draws != NULL && sums.values != NULL && plan->n_draws > 0) {
    size_t n = 0;
    for (size_t i = 0; i < plan->data->n; i++) {
      if (plan->data->recordings[i].animal_index == animal) {
        recordings[n++] = i;
      }
    }
    status = score_all_draws(&sums, recordings, n, draws, error);
  }
  if (status == PF_OK) {
    *scores = scores_of(&sums);
  }
  pf_memory_free(recordings);
  pf_memory_free(draws);
  pf_memory_free(sums.values);
  return status;
}
