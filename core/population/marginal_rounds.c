#include "core/population/marginal_rounds.h"

#include "core/base/memory.h"
#include "core/base/threads.h"
#include "core/marginal/louis.h"
#include "core/marginal/posterior.h"
#include "core/population/scale.h"
#include "core/uncertainty/evidence.h"

#include <lapacke.h>
#include <math.h>
#include <string.h>

/* Rounds before their mean is taken, and rounds in it at least; ways back where a filter fails. */
enum { N_BEFORE = 4, MIN_AVERAGED = 6, MAX_HALVINGS = 6 };
/* Of what is known if inputs are, at least this share is left: more is lost to Monte Carlo noise
 * alone. */
static const double least_left = 0.1;
/* Nats that an animal's likelihood may fall in a round, and sampling errors that it may go. */
static const double most_fallen = 5.0, longest_move = 1.5;

typedef struct animal {
  pf_fit_group *group;
  pf_louis_sums sums;
  double *factor, *variance;     /* [n_losses] */
  double *phi, *before, *values; /* [n] */
  double *score;                 /* [n] of the round */
  double *complete, *lost;       /* [n][n] of the round */
  double *mean_phi, *mean_score; /* [n] sums over the rounds that are averaged */
  double *mean_complete, *mean_lost;
  double *scratch;       /* [n][n] */
  double *of_recordings; /* [n_recordings] */
  double *memory;
  double log_likelihood, mean_likelihood, least_share;
  pf_status status;
  pf_error error;
} animal;

typedef struct integration {
  const pf_marginal_rounds *in;
  pf_population_fit *out;
  animal *animals;
  pf_filters filters;
  size_t n, n_animals;
  double *betas;      /* [rounds][n_beta] of the rounds that are averaged */
  int64_t n_averaged; /* rounds */
  bool has_arrived;   /* no animal had farther to go than its parabola holds */
  double cost;        /* nats that their noise costs */
} integration;

bool pf_population_has_unknowns(const pf_problem *problem, const pf_fit *fit)
{
  for (size_t a = 0; a < fit->n_groups; a++) {
    if (pf_group_has_unknowns(problem, &fit->groups[a])) {
      return true;
    }
  }
  return false;
}

/* ---- memory ---- */

static void clear_animal(animal *self)
{
  pf_louis_clear(&self->sums);
  pf_memory_free(self->memory);
}

static pf_status create_animal(const integration *run, size_t a, animal *self, pf_error *error)
{
  pf_fit_group *group = &run->in->fit->groups[a];
  const size_t n = run->n, n_losses = run->in->problem->model->n_losses;
  *self = (animal){.group = group, .least_share = 1.0, .log_likelihood = -INFINITY};
  self->memory =
      pf_memory_need(6 * n + 5 * n * n + 2 * n_losses + group->n_recordings, sizeof(double), error);
  if (self->memory == NULL || pf_louis_create(group->layout, &self->sums, error) != PF_OK) {
    return PF_STOP;
  }
  double *next = self->memory;
  double **const squares[] = {&self->complete, &self->lost, &self->mean_complete, &self->mean_lost,
                              &self->scratch};
  double **const rows[] = {&self->phi,   &self->before,   &self->values,
                           &self->score, &self->mean_phi, &self->mean_score};
  for (size_t i = 0; i < sizeof squares / sizeof squares[0]; i++, next += n * n) {
    *squares[i] = next;
  }
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++, next += n) {
    *rows[i] = next;
  }
  self->factor = next;
  self->variance = self->factor + n_losses;
  self->of_recordings = self->variance + n_losses;
  for (size_t k = 0; k < n; k++) {
    const pf_scale scale = pf_scale_of(group->layout, k, run->in->design->bounded);
    self->phi[k] = self->before[k] = pf_scale_to_line(scale, group->values[k]);
  }
  return PF_OK;
}

static void clear_integration(integration *run)
{
  for (size_t a = 0; run->animals != NULL && a < run->n_animals; a++) {
    clear_animal(&run->animals[a]);
  }
  pf_memory_free(run->animals);
  pf_memory_free(run->betas);
  pf_filters_free(&run->filters);
}

static pf_status create_integration(integration *run, pf_error *error)
{
  const int64_t n_rounds = run->in->problem->settings->marginal.iterations + 2;
  run->animals = pf_memory_need(run->n_animals, sizeof *run->animals, error);
  run->betas = pf_memory_need((size_t)n_rounds * run->in->design->n_covariates * run->n,
                              sizeof *run->betas, error);
  if (run->animals == NULL || run->betas == NULL) {
    return PF_STOP;
  }
  for (size_t a = 0; a < run->n_animals; a++) {
    if (create_animal(run, a, &run->animals[a], error) != PF_OK) {
      return PF_STOP;
    }
  }
  return pf_filters_create(run->in->problem, (size_t)run->in->n_threads, &run->filters, error);
}

/* ---- an animal's round ---- */

static void set_values(const integration *run, animal *self)
{
  const pf_layout *layout = self->group->layout;
  for (size_t k = 0; k < run->n; k++) {
    const pf_scale scale = pf_scale_of(layout, k, run->in->design->bounded);
    const double value = pf_scale_from_line(scale, self->phi[k]);
    self->values[k] = fmin(fmax(value, layout->lower[k]), layout->upper[k]);
  }
}

/* What squared errors leave, with the draws as they stand. */
static pf_status find_variance(const integration *run, animal *self, pf_workspaces workspaces,
                               pf_error *error)
{
  pf_evidence evidence;
  const pf_status status =
      pf_evidence_create(run->in->problem, self->group, self->values, workspaces, &evidence, error);
  if (status != PF_OK) {
    return status;
  }
  for (size_t k = 0; k < run->in->problem->model->n_losses; k++) {
    self->factor[k] = evidence.factor[k];
    self->variance[k] = evidence.variance[k];
  }
  pf_evidence_clear(&evidence);
  return PF_OK;
}

static pf_status filter_animal(const integration *run, animal *self, const pf_filters *filters,
                               uint32_t replicate, pf_error *error)
{
  const pf_posterior_in in = {.problem = run->in->problem,
                              .group = self->group,
                              .values = self->values,
                              .variance = self->variance,
                              .replicate = replicate,
                              .redraws = true,
                              .filters = filters};
  pf_posterior_out out = {.log_likelihood = self->of_recordings};
  const pf_status status = pf_posterior_run(&in, &out, error);
  self->least_share = fmin(self->least_share, out.least_share);
  self->log_likelihood = 0.0;
  for (size_t r = 0; r < self->group->n_recordings; r++) {
    self->log_likelihood += self->of_recordings[r];
  }
  return status;
}

/* Filters at phi, or nearer to where it was before when all particles are lost there, or the
 * likelihood is far below what it was. */
static pf_status filter_near(const integration *run, animal *self, const pf_filters *filters,
                             uint32_t replicate, pf_error *error)
{
  const double least = self->log_likelihood - most_fallen;
  pf_status status = PF_OK;
  for (int i = 0; i < MAX_HALVINGS; i++) {
    *error = pf_error_none();
    set_values(run, self);
    status = filter_animal(run, self, filters, replicate, error);
    if (status < 0 || (status == PF_OK && self->log_likelihood >= least)) {
      return status;
    }
    for (size_t k = 0; k < run->n; k++) {
      self->phi[k] = 0.5 * (self->phi[k] + self->before[k]);
    }
  }
  return status;
}

/* From values to the scale of phi. */
static void change_scale(const integration *run, animal *self)
{
  const size_t n = run->n;
  double *slope = self->scratch;
  for (size_t k = 0; k < n; k++) {
    const pf_scale scale = pf_scale_of(self->group->layout, k, run->in->design->bounded);
    slope[k] = pf_scale_slope(scale, self->phi[k]);
    self->score[k] *= slope[k];
  }
  for (size_t i = 0; i < n * n; i++) {
    self->complete[i] *= slope[i / n] * slope[i % n];
    self->lost[i] *= slope[i / n] * slope[i % n];
  }
}

static pf_status look_at_animal(const integration *run, animal *self, uint32_t replicate,
                                pf_error *error)
{
  const int thread = run->in->n_threads > 1 ? pf_this_thread() : 0;
  const pf_filters filter = {.items = run->filters.items + thread, .n = 1};
  const pf_workspaces workspaces = {run->in->workspaces + thread, 1};
  double ignored = 0.0;
  set_values(run, self);
  pf_status status = find_variance(run, self, workspaces, error);
  if (status == PF_OK) {
    status = filter_near(run, self, &filter, replicate, error);
  }
  if (status != PF_OK) {
    return status;
  }
  const pf_louis_in in = {.problem = run->in->problem,
                          .group = self->group,
                          .factor = self->factor,
                          .values = self->values,
                          .workspaces = workspaces.items,
                          .n_workspaces = workspaces.n};
  pf_louis_reset(&self->sums);
  status = pf_louis_add(&in, &self->sums, &ignored, error);
  pf_louis_get(&self->sums, self->score, self->complete, self->lost);
  change_scale(run, self);
  return status;
}

static pf_status look_at_animals(integration *run, uint32_t replicate, pf_error *error)
{
#pragma omp parallel for schedule(dynamic) \
    num_threads(run->in->n_threads) if (run->in->n_threads > 1)
  for (size_t a = 0; a < run->n_animals; a++) {
    animal *self = &run->animals[a];
    self->error = pf_error_none();
    self->status = look_at_animal(run, self, replicate, &self->error);
  }
  for (size_t a = 0; a < run->n_animals; a++) {
    const animal *self = &run->animals[a];
    if (self->status != PF_OK) {
      return pf_fail(error, self->status, "%s: %s", self->group->name, self->error.text);
    }
  }
  return PF_OK;
}

/* ---- the mixed model of a round, and of their mean ---- */

/* out = complete - lost, with less taken off where little or nothing would be left. */
static void find_information(const double *complete, const double *lost, size_t n, double *scratch,
                             double *out)
{
  double share = 1.0;
  for (int i = 0; i < 20; i++, share -= 0.05) {
    for (size_t k = 0; k < n * n; k++) {
      out[k] = complete[k] - share * lost[k];
      scratch[k] = out[k] - least_left * complete[k];
    }
    for (size_t k = 0; k < n; k++) { /* what is not known at all stays unknown */
      scratch[k * n + k] += 1e-9 * complete[k * n + k];
    }
    if (LAPACKE_dpotrf(LAPACK_ROW_MAJOR, 'L', (lapack_int)n, scratch, (lapack_int)n) == 0) {
      return;
    }
  }
  memcpy(out, complete, n * n * sizeof *out);
}

/* The parabola about phi: of a round, or of the means over `n_rounds` of them. */
static void set_parabola(const integration *run, size_t a, double n_rounds)
{
  const size_t n = run->n;
  animal *self = &run->animals[a];
  const bool is_mean = n_rounds > 0.0;
  const double *complete = is_mean ? self->mean_complete : self->complete;
  const double *lost = is_mean ? self->mean_lost : self->lost;
  const double *score = is_mean ? self->mean_score : self->score;
  const double *phi = is_mean ? self->mean_phi : self->phi;
  const double weight = is_mean ? 1.0 / n_rounds : 1.0;
  double *information = run->out->information + a * n * n;
  find_information(complete, lost, n, self->scratch, information);
  for (size_t i = 0; i < n * n; i++) {
    information[i] *= weight;
  }
  for (size_t k = 0; k < n; k++) {
    double sum = weight * score[k];
    for (size_t j = 0; j < n; j++) {
      sum += information[k * n + j] * weight * phi[j];
    }
    run->out->linear[a * n + k] = sum;
  }
}

static pf_status fit_parabolas(integration *run, double n_rounds, pf_error *error)
{
  pf_population_fit *out = run->out;
  for (size_t a = 0; a < run->n_animals; a++) {
    set_parabola(run, a, n_rounds);
  }
  pf_mixed_model_clear(&out->model);
  return pf_mixed_model_fit(&out->data, NULL, &out->model, error);
}

static void add_to_means(integration *run)
{
  const size_t n = run->n, n_beta = run->in->design->n_covariates * n;
  for (size_t a = 0; a < run->n_animals; a++) {
    animal *self = &run->animals[a];
    for (size_t k = 0; k < n; k++) {
      self->mean_phi[k] += self->phi[k];
      self->mean_score[k] += self->score[k];
    }
    for (size_t i = 0; i < n * n; i++) {
      self->mean_complete[i] += self->complete[i];
      self->mean_lost[i] += self->lost[i];
    }
    self->mean_likelihood += self->log_likelihood;
  }
  memcpy(run->betas + (size_t)run->n_averaged * n_beta, run->out->model.beta,
         n_beta * sizeof(double));
  run->n_averaged++;
}

/* Nats that the noise of the mean of betas costs: half their squared errors in standard errors. */
static double find_cost(const integration *run)
{
  const size_t n_beta = run->in->design->n_covariates * run->n;
  const double k = (double)run->n_averaged;
  double cost = 0.0;
  for (size_t i = 0; i < n_beta; i++) {
    double mean = 0.0, squares = 0.0;
    const double variance = run->out->model.covariance[i * n_beta + i];
    for (int64_t r = 0; r < run->n_averaged; r++) {
      mean += run->betas[(size_t)r * n_beta + i] / k;
    }
    for (int64_t r = 0; r < run->n_averaged; r++) {
      const double off = run->betas[(size_t)r * n_beta + i] - mean;
      squares += off * off;
    }
    cost += variance > 0.0 ? 0.5 * squares / (variance * k * (k - 1.0)) : 0.0;
  }
  return run->n_averaged < 2 ? (double)INFINITY : cost;
}

/* Every animal goes to its mode of the round, or as far towards it as a parabola may hold. */
static void move_animals(integration *run)
{
  const size_t n = run->n;
  bool is_near = true;
  for (size_t a = 0; a < run->n_animals; a++) {
    animal *self = &run->animals[a];
    const double *to = run->out->model.theta + a * n;
    double farthest = longest_move;
    for (size_t k = 0; k < n; k++) {
      const double unit = sqrt(fmax(self->complete[k * n + k] - self->lost[k * n + k],
                                    least_left * self->complete[k * n + k]));
      farthest = fmax(farthest, fabs(to[k] - self->phi[k]) * unit);
    }
    for (size_t k = 0; k < n; k++) {
      self->before[k] = self->phi[k];
      self->phi[k] += longest_move / farthest * (to[k] - self->phi[k]);
    }
    is_near = is_near && farthest <= longest_move;
  }
  run->has_arrived = run->has_arrived || is_near;
}

static pf_status run_rounds(integration *run, pf_error *error)
{
  const pf_marginal_settings *settings = &run->in->problem->settings->marginal;
  const pf_observer *observer = run->in->observer;
  pf_population_fit *out = run->out;
  const int64_t n_rounds = settings->iterations > 1 ? settings->iterations : 1;
  for (int64_t round = 0; round < n_rounds && !out->converged; round++) {
    out->interrupted = observer->stop != NULL && observer->stop(observer->payload);
    if (out->interrupted) {
      return PF_OK;
    }
    pf_status status = look_at_animals(run, (uint32_t)round, error);
    if (status == PF_OK) {
      status = fit_parabolas(run, 0.0, error);
    }
    if (status != PF_OK) {
      return status;
    }
    out->n_rounds++;
    if (round >= N_BEFORE && run->has_arrived) {
      add_to_means(run);
      run->cost = find_cost(run);
      out->converged = run->n_averaged >= MIN_AVERAGED && run->cost <= settings->tolerance;
    }
    move_animals(run);
  }
  if (run->n_averaged == 0) { /* it has not arrived: the last round is all there is */
    add_to_means(run);
  }
  return fit_parabolas(run, (double)run->n_averaged, error);
}

/* ---- the end ---- */

static pf_status finish_group(const integration *run, size_t a, pf_error *error)
{
  const size_t n = run->n;
  animal *self = &run->animals[a];
  pf_fit_group *group = self->group;
  const double *information = run->out->information + a * n * n;
  memcpy(self->phi, run->out->model.theta + a * n, n * sizeof(double));
  set_values(run, self);
  memcpy(group->values, self->values, n * sizeof(double));
  pf_marginal_fit *marginal = pf_memory_need(1, sizeof *marginal, error);
  if (marginal == NULL) {
    return PF_STOP;
  }
  group->marginal = marginal;
  marginal->information = pf_memory_need(n * n, sizeof(double), error);
  if (marginal->information == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; i < n * n; i++) {
    const pf_scale row = pf_scale_of(group->layout, i / n, run->in->design->bounded);
    const pf_scale column = pf_scale_of(group->layout, i % n, run->in->design->bounded);
    marginal->information[i] = information[i] / pf_scale_slope(row, self->phi[i / n]) /
                               pf_scale_slope(column, self->phi[i % n]);
  }
  marginal->log_likelihood = self->mean_likelihood / (double)run->n_averaged;
  marginal->is_definite = true;
  marginal->least_share = self->least_share;
  marginal->cost = run->cost;
  marginal->iterations = run->out->n_rounds;
  marginal->settled = run->out->converged;
  run->out->log_likelihood[a] = marginal->log_likelihood;
  return PF_OK;
}

/* As in core/population/laplace.c: the parabolas' constants, about the mean of the points. */
static double find_marginal(const integration *run)
{
  const size_t n = run->n;
  const double k = (double)run->n_averaged;
  double sum = run->out->model.log_likelihood;
  for (size_t a = 0; a < run->n_animals; a++) {
    const animal *self = &run->animals[a];
    const double *information = run->out->information + a * n * n;
    double constant = self->mean_likelihood / k;
    for (size_t i = 0; i < n; i++) {
      double along = 0.0;
      for (size_t j = 0; j < n; j++) {
        along += information[i * n + j] * self->mean_phi[j] / k;
      }
      constant -= self->mean_phi[i] / k * (self->mean_score[i] / k + 0.5 * along);
    }
    run->out->constant[a] = constant;
    sum += constant;
  }
  return sum;
}

/* Somebody stopped it: each animal's values so far, from which another fit can go on. */
static void keep_values(integration *run)
{
  for (size_t a = 0; run->out->interrupted && a < run->n_animals; a++) {
    animal *self = &run->animals[a];
    set_values(run, self);
    memcpy(self->group->values, self->values, run->n * sizeof(double));
  }
}

static pf_status integrate_out(integration *run, pf_error *error)
{
  pf_status status = create_integration(run, error);
  if (status == PF_OK) {
    status = run_rounds(run, error);
  }
  if (status != PF_OK || run->out->interrupted) {
    keep_values(run);
    return status;
  }
  run->out->marginal = find_marginal(run);
  for (size_t a = 0; a < run->n_animals; a++) {
    if (finish_group(run, a, error) != PF_OK) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

pf_status pf_population_integrate(const pf_marginal_rounds *in, pf_population_fit *out,
                                  pf_error *error)
{
  integration run = {.in = in,
                     .out = out,
                     .n = in->fit->groups[0].layout->n,
                     .n_animals = in->fit->n_groups,
                     .cost = INFINITY};
  out->converged = false;
  const pf_status status = integrate_out(&run, error);
  clear_integration(&run);
  return status;
}
