#include "core/marginal/monte_carlo_em.h"

#include "core/fit/fit.h"

#include "core/base/memory.h"
#include "core/marginal/input_sd.h"

#include <lapacke.h>
#include <math.h>
#include <string.h>

/* Iterations before their mean is taken, at least; iterations in it, at least; of an M step, at
 * most; rounds of them, at most. */
enum { MIN_BEFORE = 3, MIN_AVERAGED = 4, M_ITERATIONS = 4, MAX_ROUNDS = 4 };
/* Nats that a Newton step may be predicted to gain: further away EM steps are safer. */
static const double newton_reach = 10.0;
/* Share of the information that may be lost along any direction for a Newton step: where nearly all
 * is lost, Monte Carlo noise makes the rest. */
static const double most_lost = 0.9;
/* Nats that the likelihood may fall from the best iterate's before EM goes back to it. */
static const double most_fallen = 5.0;
/* A value came back from where it ran off when it is below this share of it: where there is an
 * optimum after all it lies nearer by orders of magnitude. */
static const double came_back = 0.5;
/* Nats below which an M step stops. */
static const double m_tolerance = 1e-3;
/* A filter of another replicate than any iteration's. */
enum { LAST_REPLICATES = 1 << 20 };

typedef struct em {
  const pf_em_in *in;
  const pf_problem *problem;
  pf_fit_group *group;
  pf_error *error;
  size_t n;
  pf_group_batches batches; /* of the objective, which the draws make */
  pf_group_objective *objective;
  pf_louis_sums sums;
  double *factor, *variance;                       /* [n_losses] */
  double *score, *step;                            /* [n] */
  double *complete, *lost, *information, *scratch; /* [n][n] */
  double *best;                                    /* [n] the iterate with the highest likelihood */
  double *now, *next;                              /* [n] */
  double best_likelihood;                          /* and that; -infinity: there is none */
  const double *metric;                            /* [n][n] in which distances are nats */
  bool is_cautious;                                /* it went astray: no more Newton steps */
  double *of_recordings;                           /* [n_recordings] log likelihoods */
  pf_array averaged; /* of double: iterates [][n] since the start was left */
  double least_share, log_likelihood, cost;
  double nats;   /* per unit of the objective */
  bool is_plain; /* no penalty: Newton steps are right */
  int64_t iterations;
  int64_t counted; /* of them, those that the group's optimum has */
  double ran_to;   /* where the start's value ended that ran off; 0: none did */
} em;

/* ---- memory ---- */

static void clear_em(em *self)
{
  pf_group_objective_free(self->objective);
  pf_group_batches_clear(&self->batches);
  pf_louis_clear(&self->sums);
  pf_array_free(&self->averaged);
  pf_memory_free(self->factor);
  pf_memory_free(self->score);
  pf_memory_free(self->complete);
  pf_memory_free(self->of_recordings);
}

static bool has_penalty(const em *self)
{
  for (size_t k = 0; k < self->n; k++) {
    double l1 = 0.0, l2 = 0.0;
    pf_value_penalty(self->problem, self->group->layout, k, &l1, &l2);
    if (l1 > 0.0 || l2 > 0.0) {
      return true;
    }
  }
  return false;
}

/* The objective of the group's draws as they are. */
static pf_status create_objective(em *self)
{
  const pf_status status =
      pf_group_batches_create(self->problem, self->group, true, &self->batches, self->error);
  if (status != PF_OK) {
    return status;
  }
  const pf_group_objective_in what = {.problem = self->problem,
                                      .layout = self->group->layout,
                                      .batches = &self->batches,
                                      .penalised = true,
                                      .workspaces = self->in->workspaces,
                                      .n_workspaces = self->in->n_workspaces};
  return pf_group_objective_create(&what, &self->objective, self->error);
}

static pf_status create_em(em *self)
{
  const size_t n = self->n, n_losses = self->problem->model->n_losses;
  self->averaged = pf_array_of(sizeof(double));
  self->factor = pf_memory_need(2 * n_losses, sizeof(double), self->error);
  self->score = pf_memory_need(5 * n, sizeof(double), self->error);
  self->complete = pf_memory_need(4 * n * n, sizeof(double), self->error);
  self->of_recordings = pf_memory_need(self->group->n_recordings, sizeof(double), self->error);
  if (self->factor == NULL || self->score == NULL || self->complete == NULL ||
      self->of_recordings == NULL) {
    return PF_STOP;
  }
  self->variance = self->factor + n_losses;
  self->step = self->score + n;
  self->now = self->step + n;
  self->next = self->now + n;
  self->best = self->next + n;
  self->best_likelihood = -INFINITY;
  self->lost = self->complete + n * n;
  self->information = self->lost + n * n;
  self->scratch = self->information + n * n;
  self->is_plain = !has_penalty(self);
  const pf_status status = pf_louis_create(self->group->layout, &self->sums, self->error);
  return status == PF_OK ? create_objective(self) : status;
}

/* ---- the size of noise ---- */

static bool is_likelihood(const em *self, size_t k)
{
  return (self->problem->model->losses[k].declared.flags & PF_LOSS_LIKELIHOOD) != 0;
}

/* Nats per unit of log likelihood; of a squared error the variance that the draws leave at
 * `values`.
 */
static pf_status find_variance(em *self, const double *values)
{
  const pf_model *model = self->problem->model;
  const pf_function *f = pf_group_objective_get(self->objective);
  double value = 0.0;
  for (size_t k = 0; k < model->n_losses; k++) {
    self->factor[k] = 1.0;
    self->variance[k] = NAN;
  }
  self->nats = f->nats;
  if (is_likelihood(self, 0)) {
    return PF_OK;
  }
  const pf_status status = f->value(f->self, values, &value, NULL, self->error);
  if (status != PF_OK) {
    return status;
  }
  const pf_batch *batch = self->batches.batches[0];
  const double n_draws = (double)batch->n / (double)self->group->n_recordings;
  const double squares = value / (batch->scale[0] * n_draws);
  const double freedom = batch->cells[0] / n_draws - (double)self->n;
  if (!(squares > 0.0) || freedom <= 0.0) {
    return pf_fail(self->error, PF_POINT_FAILED,
                   "likelihood = \"marginal\" needs noise to be left in what was recorded, but the "
                   "fit leaves none");
  }
  self->variance[0] = squares / freedom;
  self->factor[0] = 0.5 / self->variance[0];
  self->nats = self->factor[0] / (batch->scale[0] * n_draws);
  return PF_OK;
}

/* ---- a step ---- */

static double sum_of(const double *numbers, size_t n)
{
  double sum = 0.0;
  for (size_t i = 0; i < n; i++) {
    sum += numbers[i];
  }
  return sum;
}

/* Filters at self->now; the draws are replaced. */
static pf_status draw_posterior(em *self, uint32_t replicate, size_t first_draw)
{
  const pf_posterior_in in = {.problem = self->problem,
                              .group = self->group,
                              .values = self->now,
                              .variance = self->variance,
                              .replicate = replicate,
                              .first_draw = first_draw,
                              .n_draws = (size_t)self->problem->settings->marginal.draws,
                              .redraws = true,
                              .filters = self->in->filters};
  pf_posterior_out out = {.log_likelihood = self->of_recordings};
  const pf_status status = pf_posterior_run(&in, &out, self->error);
  self->least_share = fmin(self->least_share, out.least_share);
  self->log_likelihood = sum_of(self->of_recordings, self->group->n_recordings);
  return status;
}

static pf_status add_draws(em *self)
{
  double ignored = 0.0;
  const pf_louis_in in = {.problem = self->problem,
                          .group = self->group,
                          .factor = self->factor,
                          .values = self->now,
                          .workspaces = self->in->workspaces,
                          .n_workspaces = self->in->n_workspaces};
  return pf_louis_add(&in, &self->sums, &ignored, self->error);
}

/* Is share * complete - lost positive definite? */
static bool is_definite(em *self, double share)
{
  const size_t n = self->n;
  for (size_t i = 0; i < n * n; i++) {
    self->scratch[i] = share * self->complete[i] - self->lost[i];
  }
  return n > 0 &&
         LAPACKE_dpotrf(LAPACK_ROW_MAJOR, 'L', (lapack_int)n, self->scratch, (lapack_int)n) == 0;
}

/*
 * Score and information = complete - lost of the draws, and step = metric^-1 score; the metric is
 * the information where no more than `share` of it is lost along any direction, else the complete
 * one. False: the latter.
 */
static bool solve_step(em *self, double share)
{
  const size_t n = self->n;
  const lapack_int order = (lapack_int)n;
  pf_louis_get(&self->sums, self->score, self->complete, self->lost);
  for (size_t i = 0; i < n * n; i++) {
    self->information[i] = self->complete[i] - self->lost[i];
  }
  const bool solved = is_definite(self, share);
  self->metric = solved ? self->information : self->complete;
  memcpy(self->scratch, self->metric, n * n * sizeof(double));
  memcpy(self->step, self->score, n * sizeof(double));
  if (n > 0 &&
      LAPACKE_dposv(LAPACK_ROW_MAJOR, 'L', order, 1, self->scratch, order, self->step, 1) != 0) {
    memset(self->step, 0, n * sizeof(double)); /* nothing is known: EM goes on */
    return false;
  }
  return solved;
}

/* Are all of self->now inside their bounds, also after the step? */
static bool stays_inside(const em *self)
{
  const pf_layout *layout = self->group->layout;
  for (size_t k = 0; k < self->n; k++) {
    const double to = self->now[k] + self->step[k];
    if (self->now[k] <= layout->lower[k] || self->now[k] >= layout->upper[k] ||
        to <= layout->lower[k] || to >= layout->upper[k]) {
      return false;
    }
  }
  return true;
}

static double predicted_gain(const em *self)
{
  double sum = 0.0;
  for (size_t k = 0; k < self->n; k++) {
    sum += 0.5 * self->score[k] * self->step[k];
  }
  return sum;
}

/* v' M v / 2 */
static double quadratic_form(const double *matrix, const double *v, size_t n)
{
  double sum = 0.0;
  for (size_t i = 0; i < n * n; i++) {
    sum += 0.5 * matrix[i] * v[i / n] * v[i % n];
  }
  return sum;
}

/* The objective of the draws, from self->now to self->next. */
static pf_status maximise_expectation(em *self)
{
  const pf_optimiser *optimiser = pf_fit_optimiser(self->problem);
  pf_optimiser_settings settings = pf_optimiser_defaults();
  pf_optimum optimum = pf_optimum_none();
  settings.iterations = M_ITERATIONS;
  settings.tolerance_nats = m_tolerance;
  settings.seed = self->problem->seed;
  memcpy(self->next, self->now, self->n * sizeof(double));
  return optimiser->minimise(pf_group_objective_get(self->objective), &settings, NULL, self->next,
                             &optimum, self->error);
}

/*
 * Where the sd of the inputs is fitted, EM steps of it are so short that they would never arrive: a
 * Newton step is made short enough instead.
 */
static void shorten_step(em *self, double *gain)
{
  if (!self->problem->model->learns_input_sd || !(*gain > newton_reach) || !isfinite(*gain)) {
    return;
  }
  const double share = sqrt(newton_reach / *gain);
  for (size_t k = 0; k < self->n; k++) {
    self->step[k] *= share;
  }
  *gain = newton_reach;
}

/* From self->now to self->next; *gain: nats that this is predicted to gain. */
static pf_status take_step(em *self, double *gain)
{
  pf_louis_reset(&self->sums);
  pf_status status = add_draws(self);
  if (status != PF_OK) {
    return status;
  }
  const bool solved = solve_step(self, most_lost);
  *gain = solved ? predicted_gain(self) : (double)INFINITY;
  shorten_step(self, gain);
  if (self->is_plain && !self->is_cautious && solved && *gain <= newton_reach &&
      stays_inside(self)) {
    for (size_t k = 0; k < self->n; k++) {
      self->next[k] = self->now[k] + self->step[k];
    }
    return PF_OK;
  }
  status = maximise_expectation(self);
  pf_input_sd_update(self->problem, self->group, self->group->n_draws, self->next);
  for (size_t k = 0; k < self->n; k++) {
    self->step[k] = self->next[k] - self->now[k];
  }
  *gain = quadratic_form(self->complete, self->step, self->n);
  return status;
}

/* What Monte Carlo noise alone makes a step be predicted to gain: with D draws scores vary by
 * lost / D. */
static double noise_of_step(const em *self)
{
  const size_t n = self->n;
  const double n_draws = (double)self->problem->settings->marginal.draws;
  const lapack_int order = (lapack_int)n;
  double trace = 0.0;
  memcpy(self->scratch, self->complete, n * n * sizeof(double));
  /* of the complete information, which is always there: too small rather than too large */
  if (LAPACKE_dpotrf(LAPACK_ROW_MAJOR, 'L', order, self->scratch, order) != 0 ||
      LAPACKE_dpotri(LAPACK_ROW_MAJOR, 'L', order, self->scratch, order) != 0) {
    return 0.0;
  }
  for (size_t i = 0; i < n; i++) {
    for (size_t j = 0; j < n; j++) {
      trace += self->scratch[i >= j ? i * n + j : j * n + i] * self->lost[i * n + j];
    }
  }
  return 0.5 * trace / n_draws;
}

/* ---- the mean of iterates ---- */

/* Replicates of the end count as iterates: they are as good. */
static size_t count_replicates(const em *self)
{
  return self->is_plain ? (size_t)self->problem->settings->marginal.replicates : 0;
}

/* Their mean into `mean` [n]; nats that its noise will cost with `more` of them: tr(I S) / 2 k. */
static double average_iterates(const em *self, size_t more, double *mean)
{
  const size_t n = self->n, k = self->averaged.n / n;
  const double *iterates = self->averaged.items;
  double cost = 0.0;
  memset(mean, 0, n * sizeof(double));
  for (size_t i = 0; i < k * n; i++) {
    mean[i % n] += iterates[i] / (double)k;
  }
  for (size_t i = 0; i < k; i++) {
    double *off = self->step;
    for (size_t j = 0; j < n; j++) {
      off[j] = iterates[i * n + j] - mean[j];
    }
    cost += quadratic_form(self->metric, off, n);
  }
  return k < 2 ? (double)INFINITY : fmax(cost, 0.0) / ((double)(k - 1) * (double)(k + more));
}

static pf_status add_row(em *self)
{
  pf_fit_group *group = self->group;
  const double objective = self->batches.batches[0]->constant - self->log_likelihood / self->nats;
  const pf_fit_row row = {.epoch = group->n_rows > 0 ? group->rows[group->n_rows - 1].epoch + 1 : 0,
                          .objective = objective,
                          .data_term = objective,
                          .gradient_norm = NAN};
  return pf_fit_group_append_rows(group, &row, 1, self->now, self->error);
}

static bool is_asked_to_stop(const em *self)
{
  return self->in->stop != NULL && self->in->stop(self->in->payload);
}

/*
 * Filters at self->now. Where all particles are lost, or the likelihood is far below the best
 * iterate's, self->now becomes a point half way back, and *astray is true.
 */
static pf_status look_around(em *self, bool *astray)
{
  pf_error line = pf_error_none(), *const error = self->error;
  self->error = &line;
  const pf_status status = draw_posterior(self, (uint32_t)self->iterations, 0);
  self->error = error;
  *astray = status == PF_POINT_FAILED ||
            (status == PF_OK && self->log_likelihood < self->best_likelihood - most_fallen);
  if (status < 0 || (status != PF_OK && !isfinite(self->best_likelihood))) {
    return pf_fail(error, status, "%s", line.text);
  }
  if (*astray) {
    for (size_t k = 0; k < self->n; k++) {
      self->now[k] = 0.5 * (self->now[k] + self->best[k]);
    }
    self->is_cautious = true;
    self->averaged.n = 0;
    self->iterations++;
    return PF_OK;
  }
  if (self->log_likelihood > self->best_likelihood) {
    self->best_likelihood = self->log_likelihood;
    memcpy(self->best, self->now, self->n * sizeof(double));
  }
  return add_row(self);
}

/* A step from the draws that stand. */
static pf_status advance_iterate(em *self, double *gain)
{
  const pf_status status = take_step(self, gain);
  if (status != PF_OK) {
    return status;
  }
  self->iterations++;
  memcpy(self->now, self->next, self->n * sizeof(double));
  return find_variance(self, self->now);
}

/* Is the mean of the iterates good enough? */
static bool has_settled(em *self)
{
  if (self->averaged.n < MIN_AVERAGED * self->n) {
    return false;
  }
  self->cost = average_iterates(self, count_replicates(self), self->next);
  return self->cost <= self->problem->settings->marginal.tolerance;
}

/* Until the mean of the iterates is good enough, or their number is used up. */
static pf_status run_iterations(em *self)
{
  const pf_marginal_settings *settings = &self->problem->settings->marginal;
  self->cost = INFINITY;
  while (self->iterations < settings->iterations && !has_settled(self)) {
    bool astray = false;
    double gain = INFINITY;
    if (is_asked_to_stop(self)) {
      self->group->interrupted = true;
      return pf_fail(self->error, PF_POINT_FAILED, "interrupted in iteration %lld of EM",
                     (long long)self->iterations + 1);
    }
    pf_status status = look_around(self, &astray);
    if (status == PF_OK && !astray) {
      status = advance_iterate(self, &gain);
    }
    if (status != PF_OK) {
      return status;
    }
    const bool arrived =
        self->averaged.n > 0 || (!astray && self->iterations >= MIN_BEFORE &&
                                 gain <= 4.0 * noise_of_step(self) + settings->tolerance);
    if (arrived && pf_array_append_all(&self->averaged, self->now, self->n, self->error) != PF_OK) {
      return PF_STOP;
    }
  }
  if (self->averaged.n >= 2 * self->n) {
    self->cost = average_iterates(self, count_replicates(self), self->now);
  }
  return PF_OK;
}

/* ---- the end ---- */

/*
 * Filters of all replicates at self->now; the draws of all of them become the group's. of:
 * [replicates][n_recordings] log likelihoods.
 */
static pf_status draw_replicates(em *self, double *of)
{
  const pf_marginal_settings *settings = &self->problem->settings->marginal;
  const size_t n_recordings = self->group->n_recordings;
  pf_status status =
      pf_group_set_draws(self->problem, self->group, settings->replicates * settings->draws);
  if (status != PF_OK) {
    return pf_fail(self->error, status, "%s", self->group->error.text);
  }
  for (int64_t k = 0; k < settings->replicates; k++) {
    status = draw_posterior(self, (uint32_t)LAST_REPLICATES + (uint32_t)k,
                            (size_t)(k * settings->draws));
    if (status != PF_OK) {
      return status;
    }
    memcpy(of + (size_t)k * n_recordings, self->of_recordings, n_recordings * sizeof(double));
  }
  pf_louis_reset(&self->sums);
  return add_draws(self);
}

/* log of the mean likelihood of each recording over replicates, and its Monte Carlo error. */
static void combine_replicates(const em *self, const double *of, pf_marginal_fit *out)
{
  const size_t n_recordings = self->group->n_recordings;
  const int64_t n = self->problem->settings->marginal.replicates;
  double variance = 0.0;
  out->log_likelihood = 0.0;
  for (size_t r = 0; r < n_recordings; r++) {
    double best = -INFINITY, sum = 0.0, squares = 0.0;
    for (int64_t k = 0; k < n; k++) {
      best = fmax(best, of[(size_t)k * n_recordings + r]);
    }
    for (int64_t k = 0; k < n; k++) {
      const double likelihood = exp(of[(size_t)k * n_recordings + r] - best);
      sum += likelihood / (double)n;
      squares += likelihood * likelihood / (double)n;
    }
    /* cppcheck-suppress invalidFunctionArg ; there is a replicate, the best of which adds 1 / n */
    out->log_likelihood += best + log(sum);
    variance += fmax(squares - sum * sum, 0.0) / (sum * sum) / (double)(n - 1);
  }
  out->error = sqrt(variance);
}

/* The replicates' Newton step is the mean of one from each: with the iterates before, the estimate.
 */
static void add_last_step(em *self)
{
  const size_t n_iterates = self->averaged.n / (self->n > 0 ? self->n : 1);
  const double n_before = (double)n_iterates;
  const double n_last = (double)self->problem->settings->marginal.replicates;
  for (size_t k = 0; k < self->n; k++) {
    self->now[k] += n_last / (n_before + n_last) * self->step[k];
  }
}

/* Does the value that ran off in the fit of the start stay out there? Far out the information is
 * rounding, definite or not, so only a value that came back has an optimum. */
static bool stays_out(const em *self)
{
  const double value = self->now[self->group->runs_off_most];
  return fabs(value) > came_back * fabs(self->ran_to);
}

/* What the fit is now. */
static void set_optimum(em *self, const pf_marginal_fit *marginal, bool solved)
{
  pf_fit_group *group = self->group;
  pf_optimum *optimum = &group->optimum;
  optimum->objective = self->batches.batches[0]->constant - marginal->log_likelihood / self->nats;
  optimum->iterations += self->iterations - self->counted;
  self->counted = self->iterations;
  optimum->gradient_norm = NAN;
  optimum->converged = marginal->settled;
  optimum->reason = marginal->settled ? PF_REASON_PROGRESS : PF_REASON_ITERATIONS;
  memcpy(group->values, self->now, self->n * sizeof(double));
  if (group->runs_off && marginal->settled && solved) {
    group->runs_off = stays_out(self);
  }
}

/* Is the fit worse than weights that stay as they start? */
static pf_status judge_fit(em *self, const pf_marginal_fit *marginal)
{
  const pf_posterior_in in = {.problem = self->problem,
                              .group = self->group,
                              .values = self->now,
                              .variance = self->variance,
                              .replicate = LAST_REPLICATES,
                              .still = true,
                              .filters = self->in->filters};
  pf_posterior_out out = {.log_likelihood = self->of_recordings};
  const pf_status status = pf_posterior_run(&in, &out, self->error);
  self->group->worse_than_null =
      status == PF_OK && sum_of(self->of_recordings, self->group->n_recordings) >
                             marginal->log_likelihood + 3.0 * marginal->error;
  return status;
}

/* What the last draws say of the end. */
static void set_result(const em *self, bool solved, pf_marginal_fit *marginal)
{
  const double tolerance = self->problem->settings->marginal.tolerance;
  marginal->is_definite = solved;
  memcpy(marginal->information, self->information, self->n * self->n * sizeof(double));
  marginal->iterations = self->iterations;
  marginal->least_share = self->least_share;
  marginal->cost = self->cost;
  marginal->left = predicted_gain(self);
  /* EM steps of the sd of inputs are so short that they look settled anywhere */
  const bool has_moved = solved || !self->problem->model->learns_input_sd;
  marginal->settled =
      has_moved && marginal->cost <= tolerance &&
      (!self->is_plain || marginal->left <= 5.0 * noise_of_step(self) + 10.0 * tolerance);
}

static void free_result(pf_fit_group *group)
{
  if (group->marginal != NULL) {
    pf_memory_free(group->marginal->information);
    pf_memory_free(group->marginal->drawn_at);
    pf_memory_free(group->marginal);
    group->marginal = NULL;
  }
}

static pf_status make_result(em *self)
{
  const pf_marginal_settings *settings = &self->problem->settings->marginal;
  pf_fit_group *group = self->group;
  pf_marginal_fit *marginal = pf_memory_need(1, sizeof *marginal, self->error);
  double *of =
      pf_memory_need((size_t)settings->replicates * group->n_recordings, sizeof *of, self->error);
  pf_status status = PF_STOP;
  if (marginal == NULL || of == NULL) {
    pf_memory_free(marginal);
    goto done;
  }
  group->marginal = marginal;
  marginal->information = pf_memory_need(self->n * self->n, sizeof(double), self->error);
  marginal->drawn_at = pf_memory_need(self->n, sizeof(double), self->error);
  if (marginal->information == NULL || marginal->drawn_at == NULL) {
    goto done;
  }
  self->least_share = 1.0;
  status = draw_replicates(self, of);
  if (status != PF_OK) {
    goto done;
  }
  memcpy(marginal->drawn_at, self->now, self->n * sizeof(double));
  combine_replicates(self, of, marginal);
  const bool solved = solve_step(self, 1.0);
  set_result(self, solved, marginal);
  if (self->is_plain && solved && marginal->left <= newton_reach && stays_inside(self)) {
    add_last_step(self);
  }
  status = judge_fit(self, marginal);
  if (status != PF_OK) {
    goto done;
  }
  set_optimum(self, marginal, solved);
  self->log_likelihood = marginal->log_likelihood;
  status = add_row(self);
done:
  pf_memory_free(of);
  return status;
}

/* Iterates looked settled, but the filters of the end see a way on. */
static bool wants_more(const em *self, int round)
{
  const pf_marginal_settings *settings = &self->problem->settings->marginal;
  return !self->group->marginal->settled && self->cost <= settings->tolerance &&
         round < MAX_ROUNDS && self->iterations < settings->iterations;
}

/* On from where the result stands. */
static pf_status start_again(em *self)
{
  free_result(self->group);
  pf_group_objective_free(self->objective);
  self->objective = NULL;
  pf_group_batches_clear(&self->batches);
  self->averaged.n = 0;
  const pf_status status =
      pf_group_set_draws(self->problem, self->group, self->problem->settings->marginal.draws);
  if (status != PF_OK) {
    return pf_fail(self->error, status, "%s", self->group->error.text);
  }
  return create_objective(self);
}

static pf_status run_rounds(em *self)
{
  for (int round = 1;; round++) {
    pf_status status = run_iterations(self);
    if (status != PF_OK) {
      return status;
    }
    status = make_result(self);
    if (status != PF_OK || !wants_more(self, round)) {
      return status;
    }
    status = start_again(self);
    if (status != PF_OK) {
      return status;
    }
  }
}

pf_status pf_em_run(const pf_em_in *in, pf_error *error)
{
  em self = {.in = in,
             .problem = in->problem,
             .group = in->group,
             .error = error,
             .n = in->group->layout->n,
             .least_share = 1.0};
  pf_status status = create_em(&self);
  if (status == PF_OK) {
    memcpy(self.now, in->group->values, self.n * sizeof(double));
    self.ran_to = in->group->runs_off ? self.now[in->group->runs_off_most] : 0.0;
    status = find_variance(&self, self.now);
  }
  if (status == PF_OK) {
    status = run_rounds(&self);
  }
  clear_em(&self);
  return status;
}
