/* A multinomial logistic regression of choices on the trials before, by Newton's method. */
#include "core/baselines/logistic_history.h"

#include "core/base/memory.h"

#include <lapacke.h>
#include <math.h>
#include <string.h>

enum { MAX_ITERATIONS = 100, MAX_HALVINGS = 40 };
static const double prior_precision = 1.0 / 9.0; /* of each coefficient: a normal of sd 3 */
static const double tolerance = 1e-10;           /* nats that another step would gain */

/**
 * Coefficients: of a choice l trials ago [back], of a reward then [back], biases of the options
 * after the first [n_options - 1].
 */
typedef struct regression {
  const pf_choice_history *history;
  int64_t back, n_options;
  size_t n;         /* coefficients */
  double *theta;    /* [n] */
  double *moved;    /* [n] */
  double *gradient; /* [n] */
  double *step;     /* [n] */
  double *hessian;  /* [n][n], minus that of the log posterior */
  double *features; /* [n_options][n] of a trial */
  double *p;        /* [n_options] */
  double *mean;     /* [n] of the features, by p */
} regression;

static pf_status make_regression(const pf_choice_history *history, int64_t back, regression *out,
                                 pf_error *error)
{
  const size_t n_options = (size_t)history->n_options;
  const size_t n = 2 * (size_t)back + n_options - 1;
  *out = (regression){.history = history, .back = back, .n_options = history->n_options, .n = n};
  out->theta = pf_memory_need(n, sizeof(double), error);
  out->moved = pf_memory_need(n, sizeof(double), error);
  out->gradient = pf_memory_need(n, sizeof(double), error);
  out->step = pf_memory_need(n, sizeof(double), error);
  out->hessian = pf_memory_need(n * n, sizeof(double), error);
  out->features = pf_memory_need(n_options * n, sizeof(double), error);
  out->p = pf_memory_need(n_options, sizeof(double), error);
  out->mean = pf_memory_need(n, sizeof(double), error);
  return out->theta != NULL && out->moved != NULL && out->gradient != NULL && out->step != NULL &&
                 out->hessian != NULL && out->features != NULL && out->p != NULL &&
                 out->mean != NULL
             ? PF_OK
             : PF_STOP;
}

static void free_regression(regression *r)
{
  pf_memory_free(r->theta);
  pf_memory_free(r->moved);
  pf_memory_free(r->gradient);
  pf_memory_free(r->step);
  pf_memory_free(r->hessian);
  pf_memory_free(r->features);
  pf_memory_free(r->p);
  pf_memory_free(r->mean);
}

/** Of every option at trial i. */
static void set_features(regression *r, int64_t i)
{
  const pf_trial *trials = r->history->trials;
  memset(r->features, 0, (size_t)r->n_options * r->n * sizeof *r->features);
  for (int64_t k = 1; k < r->n_options; k++) {
    r->features[(size_t)k * r->n + (size_t)(2 * r->back + k - 1)] = 1.0;
  }
  for (int64_t l = 0; l < r->back && !trials[i - l].begins; l++) {
    const pf_trial *then = &trials[i - l - 1];
    double *of = r->features + (size_t)then->choice * r->n;
    of[l] = 1.0;
    of[r->back + l] = then->reward;
  }
}

/** Probabilities of the options by `theta`, from the features; the log of that of the choice. */
static double predict_trial(regression *r, const double *theta, int64_t choice)
{
  double largest = -INFINITY, sum = 0.0;
  for (int64_t k = 0; k < r->n_options; k++) {
    const double *x = r->features + (size_t)k * r->n;
    double utility = 0.0;
    for (size_t j = 0; j < r->n; j++) {
      utility += x[j] * theta[j];
    }
    r->p[k] = utility;
    largest = fmax(largest, utility);
  }
  const double chosen = r->p[choice] - largest;
  for (int64_t k = 0; k < r->n_options; k++) {
    r->p[k] = exp(r->p[k] - largest);
    sum += r->p[k];
  }
  for (int64_t k = 0; k < r->n_options; k++) {
    r->p[k] /= sum;
  }
  /* cppcheck-suppress invalidFunctionArg ; one of at least two options has the largest, exp(0) */
  return chosen - log(sum);
}

/** The trial's part in gradient and Hessian, from its features and probabilities. */
static void add_trial(regression *r, int64_t choice)
{
  memset(r->mean, 0, r->n * sizeof *r->mean);
  for (int64_t k = 0; k < r->n_options; k++) {
    const double *x = r->features + (size_t)k * r->n;
    for (size_t j = 0; j < r->n; j++) {
      r->mean[j] += r->p[k] * x[j];
      for (size_t l = 0; x[j] != 0.0 && l <= j; l++) {
        r->hessian[j * r->n + l] += r->p[k] * x[j] * x[l];
      }
    }
  }
  const double *chosen = r->features + (size_t)choice * r->n;
  for (size_t j = 0; j < r->n; j++) {
    r->gradient[j] += chosen[j] - r->mean[j];
    for (size_t l = 0; l <= j; l++) {
      r->hessian[j * r->n + l] -= r->mean[j] * r->mean[l];
    }
  }
}

/** Log posterior at `theta` over the fitted trials; with derivatives where `derive`. */
static double evaluate_posterior(regression *r, const double *theta, bool derive)
{
  double sum = 0.0;
  for (size_t j = 0; derive && j < r->n; j++) {
    r->gradient[j] = -prior_precision * theta[j];
    memset(r->hessian + j * r->n, 0, r->n * sizeof *r->hessian);
    r->hessian[j * r->n + j] = prior_precision;
  }
  for (int64_t i = 0; i < r->history->n; i++) {
    const pf_trial *trial = &r->history->trials[i];
    if (!trial->fits) {
      continue;
    }
    set_features(r, i);
    sum += predict_trial(r, theta, trial->choice);
    if (derive) {
      add_trial(r, trial->choice);
    }
  }
  for (size_t j = 0; j < r->n; j++) {
    sum -= 0.5 * prior_precision * theta[j] * theta[j];
  }
  return sum;
}

/** The step to the top of the parabola, and what it would gain; false: it cannot be had. */
static bool find_step(regression *r, double *gain)
{
  const lapack_int n = (lapack_int)r->n;
  memcpy(r->step, r->gradient, r->n * sizeof *r->step);
  if (LAPACKE_dposv(LAPACK_ROW_MAJOR, 'L', n, 1, r->hessian, n, r->step, 1) != 0) {
    return false;
  }
  *gain = 0.0;
  for (size_t j = 0; j < r->n; j++) {
    *gain += 0.5 * r->step[j] * r->gradient[j];
  }
  return true;
}

/** The posterior is concave: Newton's steps, halved where one goes too far, end at its top. */
static void climb_posterior(regression *r)
{
  for (int iteration = 0; iteration < MAX_ITERATIONS; iteration++) {
    const double here = evaluate_posterior(r, r->theta, true);
    double gain = 0.0, length = 1.0;
    if (!find_step(r, &gain)) {
      return;
    }
    if (gain < tolerance) { /* so near that the last step ends at the top */
      for (size_t j = 0; j < r->n; j++) {
        r->theta[j] += r->step[j];
      }
      return;
    }
    for (int halving = 0; halving < MAX_HALVINGS; halving++, length *= 0.5) {
      for (size_t j = 0; j < r->n; j++) {
        r->moved[j] = r->theta[j] + length * r->step[j];
      }
      if (evaluate_posterior(r, r->moved, false) > here) {
        break;
      }
    }
    memcpy(r->theta, r->moved, r->n * sizeof *r->theta);
  }
}

pf_status pf_logistic_history_deviance(const pf_choice_history *history, int64_t back,
                                       double *deviance, pf_error *error)
{
  regression r;
  pf_status status = make_regression(history, back, &r, error);
  if (status != PF_OK) {
    goto done;
  }
  climb_posterior(&r);
  *deviance = 0.0;
  for (int64_t i = 0; i < history->n; i++) {
    if (history->trials[i].scores) {
      set_features(&r, i);
      *deviance -= 2.0 * predict_trial(&r, r.theta, history->trials[i].choice);
    }
  }
done:
  free_regression(&r);
  return status;
}
