#include "core/population/laplace.h"

#include "core/base/memory.h"
#include "core/base/threads.h"
#include "core/fit/thread_workspaces.h"
#include "core/population/expansion.h"
#include "core/population/marginal_rounds.h"
#include "core/population/posterior_root.h"
#include "core/population/scale.h"
#include "core/population/sd_test.h"
#include "core/stats/stats.h"

#include <lapacke.h>
#include <math.h>
#include <string.h>

/* Rounds at most; nats of the marginal likelihood, and sampling errors of an animal, that a round
 * may still move what has converged. */
enum {
  MAX_ROUNDS = 200,
  MAX_HALVINGS = 12,
  MAX_VARIANCE_ROUNDS = 5,
  PATIENCE = 3,
  MAX_MODE_ROUNDS = 3
};
static const double clearly_smaller = 0.7, swinging_share = 0.6;
static const double settled_nats = 1e-5, settled_errors = 1e-4;
/* From where means go on from modes, in sampling errors; or after MAX_MODE_ROUNDS. */
static const double near_errors = 0.1;
/* A step whose likelihood falls by more than the expansion foretold plus this is looked at. */
static const double surprise = 0.5;

typedef struct population_run {
  const pf_problem *problem;
  const pf_population_design *design;
  const pf_observer *observer;
  pf_fit *fit;
  size_t n, n_animals;
  pf_expansion *animals; /* [n_animals] */
  pf_thread_workspaces workspaces;
  int n_threads;
  bool is_integrated; /* by particle filters: there are no expansions */
  pf_status *status;  /* [n_animals] of a round */
  pf_error *errors;   /* [n_animals] */
  double *moved;      /* [n_animals] how far it went, in sampling errors */
  pf_population_fit *out;
} population_run;

static pf_workspaces workspaces_of(const population_run *run)
{
  return (pf_workspaces){run->workspaces.items + pf_this_thread(), 1};
}

/* ---- animals ---- */

/* Every animal has the same values, under the same names. */
static pf_status check_layouts(const population_run *run, pf_error *error)
{
  const pf_fit_group *first = &run->fit->groups[0];
  for (size_t a = 0; a < run->n_animals; a++) {
    const pf_fit_group *group = &run->fit->groups[a];
    if (group->status != PF_OK) {
      return pf_fail(error, PF_POINT_FAILED, "%s: %s", group->name, group->error.text);
    }
    if (group->layout->n != first->layout->n) {
      return pf_fail(error, PF_POINT_FAILED,
                     "'%s' has %zu values to fit and '%s' %zu; animals of a population have the "
                     "same: fix those that an animal has for each experiment, or give them "
                     "scope = \"animal\"",
                     first->name, first->layout->n, group->name, group->layout->n);
    }
  }
  if (first->layout->n == 0) {
    return pf_fail(error, PF_POINT_FAILED, "nothing is fitted: no parameter is free");
  }
  return PF_OK;
}

/* What failed, of the first animal in order. */
static pf_status first_failure(const population_run *run, pf_error *error)
{
  for (size_t a = 0; a < run->n_animals; a++) {
    if (run->status[a] != PF_OK) {
      return pf_fail(error, run->status[a], "%s: %s", run->fit->groups[a].name,
                     run->errors[a].text);
    }
  }
  return PF_OK;
}

static pf_status make_expansions(population_run *run, pf_error *error)
{
#pragma omp parallel for schedule(dynamic) num_threads(run->n_threads) if (run->n_threads > 1)
  for (size_t a = 0; a < run->n_animals; a++) {
    pf_expansion_clear(&run->animals[a]);
    run->errors[a] = pf_error_none();
    run->status[a] = pf_expansion_create(run->problem, &run->fit->groups[a], run->design->bounded,
                                         workspaces_of(run), &run->animals[a], &run->errors[a]);
  }
  return first_failure(run, error);
}

static double largest_move(const population_run *run)
{
  double largest = 0.0;
  for (size_t a = 0; a < run->n_animals; a++) {
    largest = fmax(largest, run->moved[a]);
  }
  return largest;
}

/* How much of what a round finds enters. Rounds may swing about the answer for ever: wider
 * posteriors have another curvature, and that another width. Where moves do not shrink, less
 * enters, and they have more rounds to shrink in. */
typedef struct damping {
  double share;    /* of a round that enters */
  double smallest; /* move so far */
  int waited;      /* rounds since it was clearly smaller */
} damping;

static const damping undamped = {1.0, INFINITY, 0};

static void choose_share(damping *self, double moved)
{
  if (moved < clearly_smaller * self->smallest) {
    self->smallest = moved;
    self->waited = 0;
    return;
  }
  self->waited++;
  if (self->waited * self->share >= PATIENCE) {
    self->share *= swinging_share;
    self->smallest = moved;
    self->waited = 0;
  }
}

/* The quadratic forms of all animals, `share` of them new and the rest as they were, and their
 * mixed model. */
static pf_status fit_mixed_model(population_run *run, double share, pf_error *error)
{
  pf_population_fit *out = run->out;
  const size_t n = run->n;
  for (size_t a = 0; a < run->n_animals; a++) {
    const pf_expansion *e = &run->animals[a];
    double *information = out->information + a * n * n, *linear = out->linear + a * n;
    for (size_t i = 0; i < n * n; i++) {
      information[i] += share * (e->information[i] - information[i]);
    }
    for (size_t k = 0; k < n; k++) {
      const double own = e->score[k] + pf_dot(e->information + k * n, e->phi, n);
      linear[k] += share * (own - linear[k]);
    }
  }
  pf_mixed_model_clear(&out->model);
  return pf_mixed_model_fit(&out->data, NULL, &out->model, error);
}

/* What the expansion of an animal says of L at `phi`. */
static double predict_likelihood(const pf_expansion *e, size_t n, const double *phi)
{
  double sum = e->log_likelihood;
  for (size_t k = 0; k < n; k++) {
    const double step = phi[k] - e->phi[k];
    sum += step * e->score[k];
    for (size_t j = 0; j < n; j++) {
      sum -= 0.5 * step * e->information[k * n + j] * (phi[j] - e->phi[j]);
    }
  }
  return sum;
}

static double distance_moved(const pf_expansion *e, size_t n, const double *phi)
{
  double largest = 0.0;
  for (size_t k = 0; k < n; k++) {
    const double unit = sqrt(fmax(e->information[k * n + k], 0.0));
    largest = fmax(largest, fabs(phi[k] - e->phi[k]) * unit);
  }
  return largest;
}

/* To the animal's mode, or as far towards it as the likelihood is what the expansion says. */
static pf_status move_animal(population_run *run, size_t a, double *phi, pf_error *error)
{
  pf_expansion *e = &run->animals[a];
  const size_t n = run->n;
  const double *target = run->out->model.theta + a * n;
  double share = 1.0;
  for (int i = 0; i < MAX_HALVINGS; i++) {
    double here = NAN;
    for (size_t k = 0; k < n; k++) {
      phi[k] = e->phi[k] + share * (target[k] - e->phi[k]);
    }
    pf_error line = pf_error_none();
    const pf_status status = pf_expansion_value(e, phi, workspaces_of(run), &here, &line);
    if (status < 0) {
      return pf_fail(error, status, "%s", line.text);
    }
    if (status == PF_OK && here >= predict_likelihood(e, n, phi) - surprise) {
      run->moved[a] = distance_moved(e, n, phi) / share;
      return pf_expansion_move(e, phi, workspaces_of(run), error);
    }
    share *= 0.5;
  }
  run->moved[a] = distance_moved(e, n, target); /* it stays, and says so */
  return PF_OK;
}

static pf_status move_animals(population_run *run, pf_error *error)
{
  double *points = pf_memory_need(run->n_animals * run->n, sizeof *points, error);
  if (points == NULL) {
    return PF_STOP;
  }
#pragma omp parallel for schedule(dynamic) num_threads(run->n_threads) if (run->n_threads > 1)
  for (size_t a = 0; a < run->n_animals; a++) {
    run->errors[a] = pf_error_none();
    run->status[a] = move_animal(run, a, points + a * run->n, &run->errors[a]);
  }
  pf_memory_free(points);
  return first_failure(run, error);
}

/*
 * The marginal likelihood with the likelihoods themselves at the modes: the mixed model's has their
 * expansions, whose constants it leaves out.
 */
static double find_marginal(const population_run *run)
{
  double sum = run->out->model.log_likelihood;
  for (size_t a = 0; a < run->n_animals; a++) {
    const pf_expansion *e = &run->animals[a];
    double constant = e->log_likelihood;
    for (size_t k = 0; k < run->n; k++) {
      constant -=
          e->phi[k] * (e->score[k] + 0.5 * pf_dot(e->information + k * run->n, e->phi, run->n));
    }
    run->out->constant[a] = constant;
    sum += run->design->weights != NULL ? run->design->weights[a] * constant : constant;
  }
  return sum;
}

static bool is_stopped(const population_run *run)
{
  return run->observer->stop != NULL && run->observer->stop(run->observer->payload);
}

static pf_status iterate_rounds(population_run *run, pf_error *error)
{
  pf_population_fit *out = run->out;
  damping damped = undamped;
  out->converged = false;
  for (int round = 0; round < MAX_ROUNDS; round++) {
    out->interrupted = is_stopped(run);
    if (out->interrupted) {
      return PF_OK;
    }
    const double before = out->marginal;
    pf_status status = fit_mixed_model(run, damped.share, error);
    if (status != PF_OK) {
      return status;
    }
    out->marginal = find_marginal(run);
    out->n_rounds++;
    status = move_animals(run, error);
    if (status != PF_OK) {
      return status;
    }
    choose_share(&damped, largest_move(run));
    const bool is_near =
        run->design->means && (largest_move(run) < near_errors || round >= MAX_MODE_ROUNDS);
    if (round > 0 && (is_near || (fabs(out->marginal - before) < settled_nats &&
                                  largest_move(run) < settled_errors))) {
      out->converged = true;
      return PF_OK;
    }
  }
  return PF_OK;
}

/* ---- means in the place of modes ---- */

/* A round moves an animal by so many sampling errors at most. */
static const double longest_move = 2.0;
/* What a round may still move when means have converged. */
static const double settled_mean_nats = 3e-3, settled_mean_errors = 5e-3;

/* Averages an animal's likelihood over its posterior where the model puts it, or nearer to where it
 * was if there is no likelihood there. `memory` has 3 n n + n. */
static pf_status average_animal(population_run *run, size_t a, const double *sigma, double *memory,
                                pf_error *error)
{
  pf_expansion *e = &run->animals[a];
  const size_t n = run->n;
  const double *target = run->out->model.theta + a * n;
  double *root = memory, *scratch = root + n * n, *phi = scratch + 2 * n * n;
  run->moved[a] = distance_moved(e, n, target);
  double share = fmin(1.0, longest_move / run->moved[a]);
  if (!pf_posterior_root(run->out->information + a * n * n, n, sigma, scratch, root)) {
    return pf_fail(error, PF_POINT_FAILED, "its posterior has no covariance");
  }
  for (int i = 0; i < MAX_HALVINGS; i++) {
    for (size_t k = 0; k < n; k++) {
      phi[k] = e->phi[k] + share * (target[k] - e->phi[k]);
    }
    *error = pf_error_none();
    const pf_status status = pf_expansion_average(e, phi, root, workspaces_of(run), error);
    if (status != PF_POINT_FAILED) {
      return status;
    }
    share *= 0.5;
  }
  return PF_POINT_FAILED; /* the line is the last failure's */
}

static pf_status average_animals(population_run *run, pf_error *error)
{
  const size_t n = run->n, each = 3 * n * n + n;
  double *memory = pf_memory_need(run->n_animals * each + n * n, sizeof *memory, error);
  if (memory == NULL) {
    return PF_STOP;
  }
  double *sigma = memory + run->n_animals * each;
  if (!pf_sigma_root(&run->out->data, &run->out->model, sigma)) {
    pf_memory_free(memory);
    return pf_fail(error, PF_POINT_FAILED, "the population's covariance is not positive");
  }
#pragma omp parallel for schedule(dynamic) num_threads(run->n_threads) if (run->n_threads > 1)
  for (size_t a = 0; a < run->n_animals; a++) {
    run->errors[a] = pf_error_none();
    run->status[a] = average_animal(run, a, sigma, memory + a * each, &run->errors[a]);
  }
  pf_memory_free(memory);
  return first_failure(run, error);
}

static pf_status iterate_averages(population_run *run, pf_error *error)
{
  pf_population_fit *out = run->out;
  damping damped = undamped;
  out->converged = false;
  for (int round = 0; round < MAX_ROUNDS; round++) {
    out->interrupted = is_stopped(run);
    if (out->interrupted) {
      return PF_OK;
    }
    const double before = out->marginal;
    pf_status status = average_animals(run, error);
    if (status == PF_OK) {
      choose_share(&damped, largest_move(run));
      status = fit_mixed_model(run, damped.share, error);
    }
    if (status != PF_OK) {
      return status;
    }
    out->marginal = find_marginal(run);
    out->n_rounds++;
    if (round > 0 && fabs(out->marginal - before) < settled_mean_nats &&
        largest_move(run) < settled_mean_errors) {
      out->converged = true;
      return PF_OK;
    }
  }
  return PF_OK;
}

/* Sizes of squared errors are those at the animals' modes: they are found again there. */
static bool has_variance(const population_run *run)
{
  for (size_t k = 0; k < run->problem->model->n_losses; k++) {
    if (!isnan(run->animals[0].evidence.variance[k])) {
      return true;
    }
  }
  return false;
}

static void store_values(population_run *run)
{
  for (size_t a = 0; a < run->n_animals; a++) {
    pf_fit_group *group = &run->fit->groups[a];
    const pf_expansion *e = &run->animals[a];
    for (size_t k = 0; k < run->n; k++) {
      const pf_scale scale = pf_scale_of(group->layout, k, run->design->bounded);
      group->values[k] = pf_scale_from_line(scale, e->phi[k]);
    }
  }
}

/* Inputs are integrated out: the animals' parts come from particle filters. */
static pf_status integrate_population(population_run *run, pf_error *error)
{
  const pf_marginal_rounds rounds = {.problem = run->problem,
                                     .design = run->design,
                                     .observer = run->observer,
                                     .fit = run->fit,
                                     .workspaces = run->workspaces.items,
                                     .n_threads = run->n_threads};
  return pf_population_integrate(&rounds, run->out, error);
}

static pf_status find_population(population_run *run, pf_error *error)
{
  run->is_integrated = run->problem->settings->marginal.kind == PF_LIKELIHOOD_MARGINAL &&
                       pf_population_has_unknowns(run->problem, run->fit);
  if (run->is_integrated) {
    return integrate_population(run, error);
  }
  for (int round = 0; round < MAX_VARIANCE_ROUNDS; round++) {
    const double before = run->out->marginal;
    pf_status status = make_expansions(run, error);
    if (status == PF_OK) {
      status = iterate_rounds(run, error);
    }
    if (status == PF_OK && run->out->converged && run->design->means) {
      status = iterate_averages(run, error);
    }
    if (status != PF_OK) {
      return status;
    }
    store_values(run);
    if (run->out->interrupted || !has_variance(run) ||
        fabs(run->out->marginal - before) < settled_nats) {
      break;
    }
  }
  return PF_OK;
}

/* ---- what it came to ---- */

static pf_status infer_spread(population_run *run, pf_error *error)
{
  pf_population_fit *out = run->out;
  const double threshold = pf_stats_chi2_quantile(out->level, 1.0);
  for (size_t k = 0; k < run->n; k++) {
    out->statistic[k] = out->p[k] = out->sd_lower[k] = out->sd_upper[k] = NAN;
    if (run->design->sharing[k] != PF_SHARING_DRAWN) {
      continue;
    }
    pf_sd_interval interval = {NAN, NAN};
    pf_sd_test test;
    const pf_stream stream = {run->problem->seed, PF_RANDOM_NULL, (uint32_t)k, 0};
    pf_status status = pf_mixed_model_test(&out->data, &out->model, k, stream, &test, error);
    if (status == PF_OK) {
      status = pf_mixed_model_sd_interval(&out->data, &out->model, k, threshold, &interval, error);
    }
    if (status != PF_OK) {
      return status;
    }
    out->statistic[k] = test.statistic;
    out->p[k] = test.p;
    out->sd_lower[k] = interval.lower;
    out->sd_upper[k] = interval.upper;
  }
  return PF_OK;
}

/* Where each animal's own parabola has its maximum: A^-1 b, scaled to ones on the diagonal. */
static pf_status find_alone(population_run *run, pf_error *error)
{
  pf_population_fit *out = run->out;
  const size_t n = run->n;
  double *matrix = pf_memory_need(n * (n + 1), sizeof *matrix, error);
  if (matrix == NULL) {
    return PF_STOP;
  }
  double *unit = matrix + n * n;
  for (size_t a = 0; a < run->n_animals; a++) {
    const double *information = out->information + a * n * n;
    double *to = out->alone + a * n;
    for (size_t k = 0; k < n; k++) {
      unit[k] = 1.0 / sqrt(information[k * n + k]); /* infinite where nothing is known */
      to[k] = out->linear[a * n + k] * unit[k];
    }
    for (size_t i = 0; i < n * n; i++) {
      matrix[i] = information[i] * unit[i / n] * unit[i % n];
    }
    const lapack_int size = (lapack_int)n;
    const bool is_known = pf_are_finite(matrix, n * n) &&
                          LAPACKE_dposv(LAPACK_ROW_MAJOR, 'L', size, 1, matrix, size, to, 1) == 0;
    for (size_t k = 0; k < n; k++) {
      to[k] = is_known ? to[k] * unit[k] : (double)NAN;
    }
  }
  pf_memory_free(matrix);
  return PF_OK;
}

/* Of differences between groups: likelihood ratios. */
static pf_status test_covariates(population_run *run, pf_error *error)
{
  pf_population_fit *out = run->out;
  const size_t n = run->n;
  for (size_t i = 0; i < out->model.n_covariates * n; i++) {
    double statistic = 0.0;
    out->effect_p[i] = NAN;
    if (i < n || run->design->sharing[i % n] == PF_SHARING_SEPARATE) {
      continue;
    }
    const pf_status status =
        pf_mixed_model_effect(&out->data, i / n, i % n, &statistic, &out->effect_p[i], error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

/* Of differences between groups: p values that need no normal distribution. */
static pf_status permute_covariates(population_run *run, pf_error *error)
{
  enum { MANY_ANIMALS = 100, FEWER_PERMUTATIONS = 199 };
  pf_population_fit *out = run->out;
  const size_t asked = (size_t)run->problem->settings->population.permutations;
  const bool is_large = run->n_animals > MANY_ANIMALS && asked > FEWER_PERMUTATIONS;
  const size_t n = is_large ? FEWER_PERMUTATIONS : asked;
  const pf_stream stream = {run->problem->seed, PF_RANDOM_PERMUTATION, 0, 0};
  for (size_t i = 0; i < out->model.n_covariates * out->model.n; i++) {
    out->permutation_p[i] = NAN;
  }
  return out->model.n_covariates == 1 || n == 0
             ? PF_OK
             : pf_mixed_model_permute(&out->data, &out->model, n, stream, out->permutation_p,
                                      error);
}

/* What the expansion of an animal came to. */
static void tell_expansion(population_run *run, size_t a)
{
  pf_fit_group *group = &run->fit->groups[a];
  const pf_expansion *e = &run->animals[a];
  group->optimum.evaluations = e->n_evaluations;
  group->derivatives |= e->derivatives;
  run->out->log_likelihood[a] = e->at_point;
  run->out->n_evaluations += e->n_evaluations;
  run->out->derivatives |= e->derivatives;
  run->out->skewness = fmax(run->out->skewness, e->skewness);
}

static void tell_groups(population_run *run)
{
  for (size_t a = 0; a < run->n_animals; a++) {
    pf_fit_group *group = &run->fit->groups[a];
    if (!run->is_integrated) {
      tell_expansion(run, a);
    }
    group->optimum.reason = run->out->converged ? PF_REASON_PROGRESS : PF_REASON_ITERATIONS;
    group->optimum.converged = run->out->converged;
    group->optimum.objective = -run->out->log_likelihood[a];
    group->optimum.iterations = run->out->n_rounds;
  }
  run->fit->n_unconverged = run->out->converged ? 0 : run->n_animals;
}

/* ---- memory ---- */

static pf_status create_population(const population_run *run, pf_population_fit **out,
                                   pf_error *error)
{
  const size_t n = run->n, n_animals = run->n_animals;
  pf_population_fit *made = pf_memory_need(1, sizeof *made, error);
  if (made == NULL) {
    return PF_STOP;
  }
  *out = made;
  made->information = pf_memory_need(n_animals * n * n, sizeof *made->information, error);
  made->linear = pf_memory_need(n_animals * n, sizeof *made->linear, error);
  made->log_likelihood = pf_memory_need(n_animals, sizeof *made->log_likelihood, error);
  made->constant = pf_memory_need(n_animals, sizeof *made->constant, error);
  made->permutation_p =
      pf_memory_need(run->design->n_covariates * n, sizeof *made->permutation_p, error);
  made->effect_p = pf_memory_need(run->design->n_covariates * n, sizeof *made->effect_p, error);
  made->alone = pf_memory_need(n_animals * n, sizeof *made->alone, error);
  made->statistic = pf_memory_need(4 * n, sizeof *made->statistic, error);
  if (made->information == NULL || made->linear == NULL || made->log_likelihood == NULL ||
      made->constant == NULL || made->alone == NULL || made->permutation_p == NULL ||
      made->effect_p == NULL || made->statistic == NULL) {
    return PF_STOP;
  }
  made->p = made->statistic + n;
  made->sd_lower = made->p + n;
  made->sd_upper = made->sd_lower + n;
  made->level = run->problem->settings->intervals.level;
  made->bounded = run->design->bounded;
  made->marginal = -INFINITY;
  made->data = (pf_mixed_data){.n_animals = n_animals,
                               .n = n,
                               .information = made->information,
                               .linear = made->linear,
                               .sharing = run->design->sharing,
                               .n_covariates = run->design->n_covariates,
                               .design = run->design->rows,
                               .correlated = run->design->correlated,
                               .unrestricted = run->design->weights != NULL,
                               .weights = run->design->weights};
  return PF_OK;
}

static pf_status create_run(population_run *run, pf_error *error)
{
  const int n_threads = run->problem->options.n_threads > 1 ? run->problem->options.n_threads : 1;
  run->n_threads = (size_t)n_threads < run->n_animals ? n_threads : (int)run->n_animals;
  run->animals = pf_memory_need(run->n_animals, sizeof *run->animals, error);
  run->status = pf_memory_need(run->n_animals, sizeof *run->status, error);
  run->errors = pf_memory_need(run->n_animals, sizeof *run->errors, error);
  run->moved = pf_memory_need(run->n_animals, sizeof *run->moved, error);
  if (run->animals == NULL || run->status == NULL || run->errors == NULL || run->moved == NULL) {
    return PF_STOP;
  }
  const pf_status status = create_population(run, &run->out, error);
  if (status != PF_OK) {
    return status;
  }
  return pf_thread_workspaces_create(run->problem->model, &run->problem->data,
                                     (size_t)run->n_threads, &run->workspaces, error);
}

static void clear_run(population_run *run)
{
  for (size_t a = 0; run->animals != NULL && a < run->n_animals; a++) {
    pf_expansion_clear(&run->animals[a]);
  }
  pf_memory_free(run->animals);
  pf_memory_free(run->status);
  pf_memory_free(run->errors);
  pf_memory_free(run->moved);
  pf_thread_workspaces_free(&run->workspaces);
}

pf_status pf_population_run(const pf_problem *problem, const pf_population_design *design,
                            const pf_observer *observer, pf_fit *fit, pf_population_fit **out,
                            pf_error *error)
{
  population_run run = {.problem = problem,
                        .design = design,
                        .observer = observer,
                        .fit = fit,
                        .n_animals = fit->n_groups};
  *out = NULL;
  pf_status status = check_layouts(&run, error);
  if (status != PF_OK) {
    return status;
  }
  run.n = fit->groups[0].layout->n;
  status = create_run(&run, error);
  if (status != PF_OK) {
    goto done;
  }
  status = find_population(&run, error);
  if (status != PF_OK) {
    goto done;
  }
  tell_groups(&run);
  if (run.out->interrupted || design->weights != NULL) {
    goto done;
  }
  status = find_alone(&run, error);
  if (status == PF_OK) {
    status = infer_spread(&run, error);
  }
  if (status == PF_OK) {
    status = test_covariates(&run, error);
  }
  if (status == PF_OK) {
    status = permute_covariates(&run, error);
  }
done:
  clear_run(&run);
  if (status != PF_OK) {
    pf_population_fit_free(run.out);
    return status;
  }
  *out = run.out;
  return PF_OK;
}
