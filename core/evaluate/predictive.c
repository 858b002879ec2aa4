#include "core/evaluate/predictive.h"

#include "core/base/memory.h"
#include "core/evaluate/deviance.h"

#include <math.h>

bool pf_predictive_is_wanted(const pf_problem *problem)
{
  return problem->settings->marginal.kind == PF_LIKELIHOOD_MARGINAL &&
         pf_deviance_has_likelihood(problem->model);
}

/* Log of the predictive probabilities of the scored steps. */
static double sum_scored(const pf_draw *draw, const double *predictive)
{
  double sum = 0.0;
  for (int64_t t = 0; t < draw->n_steps; t++) {
    if ((draw->flags[t] & PF_STEP_SCORE) != 0 && !isnan(predictive[t])) {
      sum += predictive[t];
    }
  }
  return sum;
}

static void add_probability(const pf_draw *draw, const double *predicted, double share,
                            double *probability)
{
  for (int64_t t = 0; t < draw->n_steps; t++) {
    probability[t] += (draw->flags[t] & PF_STEP_SCORE) != 0 ? share * predicted[t] : (double)NAN;
  }
}

/* log of the mean of exp(values) */
static double log_mean(const double *values, int64_t n)
{
  double best = -INFINITY, sum = 0.0;
  for (int64_t k = 0; k < n; k++) {
    best = fmax(best, values[k]);
  }
  for (int64_t k = 0; k < n; k++) {
    sum += exp(values[k] - best) / (double)n;
  }
  return best + log(sum); /* cppcheck-suppress invalidFunctionArg ; n is 1 or more */
}

/* Monte Carlo variance of that: of exp(values) / their mean, by n. */
static double variance_of_log_mean(const double *values, int64_t n)
{
  const double middle = log_mean(values, n);
  double squares = 0.0;
  for (int64_t k = 0; k < n; k++) {
    const double off = exp(values[k] - middle) - 1.0;
    squares += off * off;
  }
  return n > 1 ? squares / (double)(n * (n - 1)) : (double)NAN;
}

pf_status pf_predictive_score(const pf_predictive_in *in, double *deviance, double *probability,
                              pf_error *error)
{
  const pf_problem *problem = in->problem;
  const int64_t n = problem->settings->marginal.replicates;
  const size_t n_steps = (size_t)in->draw->n_steps;
  pf_status status = PF_OK;
  pf_filter_in what = {.model = problem->model,
                       .draw = in->draw,
                       .theta = in->theta,
                       .weigh = PF_STEP_FIT | PF_STEP_SCORE,
                       .still = in->still,
                       .threshold = problem->settings->marginal.threshold};
  double *memory = pf_memory_need(2 * n_steps + (size_t)n, sizeof *memory, error);
  if (memory == NULL) {
    return PF_STOP;
  }
  double *predictive = memory, *predicted = memory + n_steps, *values = predicted + n_steps;
  pf_filter_out out = {.predictive = predictive, .probability = predicted};
  pf_problem_unknowns(problem, in->data, in->recording, in->fresh, &what.unknowns, &what.stream);
  pf_unknowns_set(problem->model, in->theta, &what.unknowns);
  for (int64_t k = 0; k < n; k++) {
    status = pf_filter_run(in->filter, &what, &out, error);
    if (status != PF_OK) {
      goto done;
    }
    values[k] = sum_scored(in->draw, predictive);
    if (probability != NULL) {
      add_probability(in->draw, predicted, 1.0 / (double)n, probability);
    }
    what.stream.draw++;
  }
  *deviance -= 2.0 * log_mean(values, n);
  if (in->variance != NULL) {
    *in->variance += variance_of_log_mean(values, n);
  }
done:
  pf_memory_free(memory);
  return status;
}
