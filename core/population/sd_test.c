#include "core/population/sd_test.h"

#include "core/base/memory.h"
#include "core/stats/stats.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <string.h>

/* Sizes of the sd at which the gain is looked at, from where it is nothing to where it has long
 * fallen again, as x times the largest eigenvalue; draws, fewer for many animals. */
enum { N_SIZES = 60, MOST_DRAWS = 10000, LEAST_DRAWS = 2000, DRAWS_TIMES_ANIMALS = 500000 };
static const double least_size = 1e-3, most_size = 1e4;
/* p is the share of draws where it rests on so many; else the tail of a chi-square that is scaled
 * to them. */
enum { MANY_DRAWS = 50 };
/* A gain below this is rounding. */
static const double no_gain = 1e-8;
/* Of a separate value, as in core/population/mixed_model.c. */
static const double separate_sd = 1e4;

/* ---- eigenvalues ---- */

typedef struct null_model {
  const pf_mixed_data *data;
  const pf_mixed_model *model; /* with sd k at 0 */
  size_t k;
  double *sd;      /* [n] */
  double *rows;    /* [n_animals][n] row k of each animal's precision */
  double *squares; /* [2][n][n] scratch */
  double *z;       /* [n_animals][n_animals] Z' P Z */
  double *memory;  /* of all these */
} null_model;

static pf_status create_null_model(null_model *self, pf_error *error)
{
  const size_t n = self->data->n, n_animals = self->data->n_animals;
  self->memory =
      pf_memory_need(n + n_animals * n + 2 * n * n + n_animals * n_animals, sizeof(double), error);
  if (self->memory == NULL) {
    return PF_STOP;
  }
  self->sd = self->memory;
  self->rows = self->sd + n;
  self->squares = self->rows + n_animals * n;
  self->z = self->squares + 2 * n * n;
  for (size_t i = 0; i < n; i++) {
    double sum = 0.0;
    for (size_t a = 0; a < n_animals; a++) {
      sum += self->data->information[(a * n + i) * n + i];
    }
    const double error_of_animal = sum > 0.0 ? 1.0 / sqrt(sum / (double)n_animals) : 1.0;
    const double own = self->model->sd[i];
    self->sd[i] = isfinite(own) ? own : separate_sd * error_of_animal;
  }
  return PF_OK;
}

/* Row k of V = A - A D (1 + D A D)^-1 D A of an animal. */
static bool find_precision(null_model *self, size_t animal)
{
  const size_t n = self->data->n;
  const lapack_int size = (lapack_int)n;
  const double *a = self->data->information + animal * n * n;
  double *m = self->squares, *x = m + n * n, *row = self->rows + animal * n;
  for (size_t i = 0; i < n; i++) {
    x[i] = self->sd[i] * a[i * n + self->k];
    for (size_t j = 0; j < n; j++) {
      m[i * n + j] = self->sd[i] * a[i * n + j] * self->sd[j] + (i == j ? 1.0 : 0.0);
    }
  }
  if (LAPACKE_dposv(LAPACK_ROW_MAJOR, 'L', size, 1, m, size, x, 1) != 0) {
    return false;
  }
  for (size_t i = 0; i < n; i++) {
    row[i] = a[i * n + self->k];
    for (size_t j = 0; j < n; j++) {
      row[i] -= a[i * n + j] * self->sd[j] * x[j];
    }
  }
  return true;
}

/* What the means take off Z' P Z of two animals. */
static double taken_by_means(const null_model *self, size_t a, size_t b)
{
  const pf_mixed_data *data = self->data;
  const size_t n = data->n, n_covariates = data->n_covariates, m = n_covariates * n;
  double sum = 0.0;
  for (size_t i = 0; i < m; i++) {
    const double left = data->design[a * n_covariates + i / n] * self->rows[a * n + i % n];
    double along = 0.0;
    for (size_t j = 0; j < m; j++) {
      along += self->model->covariance[i * m + j] * data->design[b * n_covariates + j / n] *
               self->rows[b * n + j % n];
    }
    sum += left * along;
  }
  return sum;
}

/* Into `eigenvalues` [n_animals]. */
static pf_status find_eigenvalues(null_model *self, double *eigenvalues, pf_error *error)
{
  const size_t n = self->data->n, n_animals = self->data->n_animals;
  for (size_t a = 0; a < n_animals; a++) {
    if (!find_precision(self, a)) {
      return pf_fail(error, PF_POINT_FAILED,
                     "the likelihood has no value at this spread between animals");
    }
  }
  for (size_t a = 0; a < n_animals; a++) {
    for (size_t b = 0; b <= a; b++) {
      const double own = a == b ? self->rows[a * n + self->k] : 0.0;
      self->z[a * n_animals + b] = own - taken_by_means(self, a, b);
    }
  }
  const lapack_int size = (lapack_int)n_animals;
  if (LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'L', size, self->z, size, eigenvalues) != 0) {
    return pf_fail(error, PF_POINT_FAILED, "the null distribution cannot be had");
  }
  return PF_OK;
}

static pf_status list_eigenvalues(const pf_mixed_data *data, const pf_mixed_model *without,
                                  size_t k, double *eigenvalues, pf_error *error)
{
  null_model self = {.data = data, .model = without, .k = k};
  pf_status status = create_null_model(&self, error);
  if (status == PF_OK) {
    status = find_eigenvalues(&self, eigenvalues, error);
  }
  pf_memory_free(self.memory);
  return status;
}

/* ---- the null distribution ---- */

/* Gains at each size of the sd, for squares w^2. */
typedef struct gains {
  size_t n_animals;
  double *shrunk; /* [N_SIZES][n_animals] x m / (1 + x m) */
  double *logs;   /* [N_SIZES] sum of log(1 + x m) */
  double *normal; /* [n_animals] */
} gains;

static void list_gains(const double *eigenvalues, gains *self)
{
  const double largest = eigenvalues[self->n_animals - 1];
  const double ratio = pow(most_size / least_size, 1.0 / (double)(N_SIZES - 1));
  double size = least_size;
  for (int i = 0; i < N_SIZES; i++, size *= ratio) {
    self->logs[i] = 0.0;
    for (size_t s = 0; s < self->n_animals; s++) {
      const double xm = largest > 0.0 ? size * fmax(eigenvalues[s], 0.0) / largest : 0.0;
      self->shrunk[(size_t)i * self->n_animals + s] = xm / (1.0 + xm);
      self->logs[i] += log1p(xm);
    }
  }
}

static double draw_gain(const gains *self, pf_stream stream, uint64_t first)
{
  double largest = 0.0;
  pf_random_normal(stream, first, (int64_t)self->n_animals, self->normal);
  for (size_t s = 0; s < self->n_animals; s++) {
    self->normal[s] *= self->normal[s];
  }
  for (int i = 0; i < N_SIZES; i++) {
    const double *shrunk = self->shrunk + (size_t)i * self->n_animals;
    const double gain =
        cblas_ddot((int)self->n_animals, shrunk, 1, self->normal, 1) - self->logs[i];
    largest = fmax(largest, gain);
  }
  return largest;
}

/* p of a gain: the share of draws that are as large, or the tail of a chi-square that is scaled to
 * those above 0. */
static double compare_with_draws(const gains *self, double statistic, pf_stream stream)
{
  const size_t most = DRAWS_TIMES_ANIMALS / self->n_animals;
  const size_t fewer = most < MOST_DRAWS ? most : MOST_DRAWS;
  const size_t n = fewer > LEAST_DRAWS ? fewer : LEAST_DRAWS;
  const size_t step = self->n_animals + self->n_animals % 2; /* normals come in pairs */
  double n_as_large = 0.0, n_positive = 0.0, sum = 0.0;
  for (size_t i = 0; i < n; i++) {
    const double gain = draw_gain(self, stream, i * step);
    n_as_large += gain >= statistic ? 1.0 : 0.0;
    n_positive += gain > no_gain ? 1.0 : 0.0;
    sum += gain > no_gain ? gain : 0.0;
  }
  if (n_as_large >= MANY_DRAWS || !(sum > 0.0)) {
    return (n_as_large + 1.0) / (double)(n + 1);
  }
  return n_positive / (double)n * pf_stats_chi2_above(statistic * n_positive / sum, 1.0);
}

static pf_status find_p(const pf_mixed_data *data, const double *eigenvalues, pf_stream stream,
                        pf_sd_test *out, pf_error *error)
{
  const size_t n = data->n_animals;
  double *memory = pf_memory_need((N_SIZES + 1) * n + N_SIZES, sizeof *memory, error);
  if (memory == NULL) {
    return PF_STOP;
  }
  gains self = {.n_animals = n,
                .shrunk = memory,
                .logs = memory + N_SIZES * n,
                .normal = memory + N_SIZES * (n + 1)};
  list_gains(eigenvalues, &self);
  out->p = compare_with_draws(&self, out->statistic, stream);
  pf_memory_free(memory);
  return PF_OK;
}

/* ---- the test ---- */

/* Twice the gain of sd k over `without`, whose other sds are held. */
static pf_status find_gain(const pf_mixed_data *data, const pf_mixed_model *without, size_t k,
                           double *gain, pf_error *error)
{
  pf_mixed_model with;
  double *held = pf_memory_need(data->n, sizeof *held, error);
  if (held == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; i < data->n; i++) {
    held[i] = i == k || !isfinite(without->sd[i]) ? (double)NAN : without->sd[i];
  }
  const pf_status status = pf_mixed_model_fit(data, held, &with, error);
  if (status == PF_OK) {
    *gain = fmax(2.0 * (with.log_likelihood - without->log_likelihood), 0.0);
    pf_mixed_model_clear(&with);
  }
  pf_memory_free(held);
  return status;
}

static pf_status test_alone(const pf_mixed_data *data, const pf_mixed_model *without, size_t k,
                            pf_stream stream, pf_sd_test *out, pf_error *error)
{
  pf_status status = find_gain(data, without, k, &out->statistic, error);
  if (status != PF_OK || out->statistic <= no_gain) {
    return status;
  }
  double *eigenvalues = pf_memory_need(data->n_animals, sizeof *eigenvalues, error);
  if (eigenvalues == NULL) {
    return PF_STOP;
  }
  status = list_eigenvalues(data, without, k, eigenvalues, error);
  if (status == PF_OK) {
    status = find_p(data, eigenvalues, stream, out, error);
  }
  pf_memory_free(eigenvalues);
  return status;
}

static size_t count_correlations(const pf_mixed_data *data)
{
  size_t n = 0;
  for (size_t k = 0; k < data->n; k++) {
    n += data->sharing[k] == PF_SHARING_DRAWN ? 1 : 0;
  }
  return data->correlated && n > 0 ? n - 1 : 0;
}

static void test_with_correlations(const pf_mixed_model *model, const pf_mixed_model *without,
                                   size_t k, double n_correlations, pf_sd_test *out)
{
  out->statistic = fmax(2.0 * (model->log_likelihood - without->log_likelihood), 0.0);
  if (out->statistic > 0.0 && model->sd[k] > 0.0) {
    out->p = 0.5 * (pf_stats_chi2_above(out->statistic, n_correlations) +
                    pf_stats_chi2_above(out->statistic, n_correlations + 1.0));
  }
}

pf_status pf_mixed_model_test(const pf_mixed_data *data, const pf_mixed_model *model, size_t k,
                              pf_stream stream, pf_sd_test *out, pf_error *error)
{
  const size_t n_correlations = count_correlations(data);
  pf_mixed_model without;
  *out = (pf_sd_test){0.0, 1.0};
  pf_status status = pf_mixed_model_without(data, k, &without, error);
  if (status != PF_OK) {
    return status;
  }
  if (n_correlations > 0) {
    test_with_correlations(model, &without, k, (double)n_correlations, out);
  } else {
    status = test_alone(data, &without, k, stream, out, error);
  }
  pf_mixed_model_clear(&without);
  return status;
}
