#include "core/population/population_fit.h"

#include "core/base/memory.h"
#include "core/population/scale.h"
#include "core/stats/stats.h"

#include <math.h>

/* Quantile of the error of a mean of value k. */
static double quantile_of(const pf_population_fit *population, size_t k)
{
  const pf_mixed_model *model = &population->model;
  const double tail = 0.5 * (1.0 + population->level);
  const bool is_drawn = population->data.sharing[k] == PF_SHARING_DRAWN;
  return is_drawn && model->n_animals > model->n_covariates
             ? pf_stats_student_quantile(tail, model->n_animals - model->n_covariates)
             : pf_stats_normal_quantile(tail);
}

void pf_population_interval(const pf_population_fit *population, size_t covariate, size_t k,
                            double *lower, double *upper)
{
  const pf_mixed_model *model = &population->model;
  const size_t i = covariate * model->n + k, m = model->n_covariates * model->n;
  const double se = sqrt(model->covariance[i * m + i]);
  *lower = *upper = NAN;
  if (!(se > 0.0)) {
    return;
  }
  const double quantile = quantile_of(population, k);
  *lower = model->beta[i] - quantile * se;
  *upper = model->beta[i] + quantile * se;
}

pf_group_mean pf_population_group(const pf_population_fit *population, size_t covariate, size_t k)
{
  const pf_mixed_model *model = &population->model;
  const size_t i = covariate * model->n + k, m = model->n_covariates * model->n;
  const double *c = model->covariance;
  const bool is_reference = covariate == 0;
  const double own = c[i * m + i];
  const double variance = is_reference ? own : c[k * m + k] + 2.0 * c[k * m + i] + own;
  const double wide = quantile_of(population, k) * sqrt(variance);
  if (!(own > 0.0)) {
    return (pf_group_mean){NAN, NAN, NAN};
  }
  const double mean = is_reference ? model->beta[k] : model->beta[k] + model->beta[i];
  return (pf_group_mean){mean, mean - wide, mean + wide};
}

void pf_population_animal_interval(const pf_population_fit *population, const pf_layout *layout,
                                   size_t a, size_t k, double *lower, double *upper)
{
  const pf_mixed_model *model = &population->model;
  const pf_scale scale = pf_scale_of(layout, k, population->bounded);
  const double phi = model->theta[a * model->n + k];
  const double se = sqrt(model->spread[(a * model->n + k) * model->n + k]);
  const double wide = se * pf_stats_normal_quantile(0.5 * (1.0 + population->level));
  *lower = pf_scale_from_line(scale, phi - wide);
  *upper = pf_scale_from_line(scale, phi + wide);
}

double pf_population_share(const pf_population_fit *population, size_t k)
{
  const pf_mixed_model *model = &population->model;
  const double variance = model->sd[k] * model->sd[k];
  double information = 0.0;
  for (size_t a = 0; a < model->n_animals; a++) {
    information += population->information[(a * model->n + k) * model->n + k];
  }
  if (population->data.sharing[k] != PF_SHARING_DRAWN || !(information > 0.0)) {
    return NAN;
  }
  return variance / (variance + (double)model->n_animals / information);
}

size_t pf_population_n_free(const pf_population_fit *population)
{
  const pf_mixed_data *data = &population->data;
  size_t n = 0, n_drawn = 0;
  for (size_t k = 0; k < data->n; k++) {
    const bool is_drawn = data->sharing[k] == PF_SHARING_DRAWN;
    const bool is_separate = data->sharing[k] == PF_SHARING_SEPARATE;
    n += is_separate ? data->n_animals : data->n_covariates;
    n_drawn += is_drawn ? 1 : 0;
  }
  return n + n_drawn + (data->correlated && n_drawn > 0 ? n_drawn * (n_drawn - 1) / 2 : 0);
}

/* The lower triangular root of Sigma + the covariance of the means, [n][n]. */
static pf_status find_root(const pf_population_fit *population, double *root, pf_error *error)
{
  const pf_mixed_model *model = &population->model;
  const size_t n = model->n, m = model->n_covariates * n;
  for (size_t i = 0; i < n; i++) {
    for (size_t j = 0; j <= i; j++) {
      const bool drawn = population->data.sharing[i] == PF_SHARING_DRAWN &&
                         population->data.sharing[j] == PF_SHARING_DRAWN;
      const bool separate = population->data.sharing[i] == PF_SHARING_SEPARATE ||
                            population->data.sharing[j] == PF_SHARING_SEPARATE;
      const double sigma =
          drawn ? model->sd[i] * model->sd[j] * model->correlation[i * n + j] : 0.0;
      double sum = separate ? 0.0 : sigma + model->covariance[i * m + j];
      for (size_t k = 0; k < j; k++) {
        sum -= root[i * n + k] * root[j * n + k];
      }
      if (i == j && !(sum >= 0.0)) {
        return pf_fail(error, PF_POINT_FAILED, "the population's covariance is not positive");
      }
      root[i * n + j] = i == j ? sqrt(sum) : 0.0;
      if (i != j && root[j * n + j] > 0.0) {
        root[i * n + j] = sum / root[j * n + j];
      }
    }
  }
  return PF_OK;
}

pf_status pf_population_sample(const pf_population_fit *population, const pf_layout *layout,
                               pf_stream stream, double *values, pf_error *error)
{
  const size_t n = population->model.n;
  double *root = pf_memory_need(n * n + n, sizeof *root, error);
  if (root == NULL) {
    return PF_STOP;
  }
  double *z = root + n * n;
  const pf_status status = find_root(population, root, error);
  if (status == PF_OK) {
    pf_random_normal(stream, 0, (int64_t)n, z);
    for (size_t k = 0; k < n; k++) {
      const pf_scale scale = pf_scale_of(layout, k, population->bounded);
      const double phi = population->model.beta[k] + pf_dot(root + k * n, z, k + 1);
      const double value = pf_scale_from_line(scale, phi);
      values[k] = fmin(fmax(value, layout->lower[k]), layout->upper[k]);
    }
  }
  pf_memory_free(root);
  return status;
}

void pf_population_fit_free(pf_population_fit *population)
{
  if (population == NULL) {
    return;
  }
  pf_mixed_model_clear(&population->model);
  pf_memory_free(population->information);
  pf_memory_free(population->linear);
  pf_memory_free(population->log_likelihood);
  pf_memory_free(population->constant);
  pf_memory_free(population->alone);
  pf_memory_free(population->permutation_p);
  pf_memory_free(population->effect_p);
  pf_memory_free(population->statistic);
  pf_memory_free(population);
}
