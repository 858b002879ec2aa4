#include "core/population/mixed_model.h"

#include "core/base/memory.h"
#include "core/optimise/optimiser.h"
#include "core/stats/stats.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <string.h>

/* Of a separate value, in units of the mean sampling error of an animal: far beyond any of them,
 * and near enough to be exact in doubles. */
static const double separate_sd = 1e4;
/* An sd below this share of the sampling error is 0: the likelihood does not change any more. */
static const double no_sd = 1e-3;

/*
 * The restricted likelihood as a function of what Sigma is made of, in units in which the mean
 * information of each value is 1: [0, n) sds, then the elements of K left of its diagonal, row by
 * row, before rows are made of length 1.
 */
typedef struct restricted {
  const pf_mixed_data *data;
  const double *held;       /* [n]; NULL: none */
  size_t n, n_beta;         /* values; n_covariates n */
  size_t n_unknown;         /* sds that are free, and elements of K */
  size_t *unknown;          /* [n_unknown] places in `all` */
  bool *fixed_beta;         /* [n_beta] held at 0: covariates of separate values */
  double *memory;           /* of all below */
  double *unit;             /* [n] of each value */
  double *all;              /* [n + n (n - 1) / 2] */
  double *root;             /* [n][n] L = D K */
  double *k_rows;           /* [n][n] K */
  double *slope;            /* [n][n] d f / d L */
  double *a, *b;            /* [n][n], [n] of the animal at hand, in those units */
  double *al;               /* [n][n] A L */
  double *m;                /* [n][n] factor of M = 1 + L' A L, then its inverse */
  double *v;                /* [n][n] V = A - A L M^-1 L' A */
  double *w;                /* [n] b - A L M^-1 L' b */
  double *scratch;          /* [n][n] */
  double *product;          /* [n][n] */
  double *mean, *u, *q, *g; /* [n] */
  double *p;                /* [n_beta][n_beta] sum X' V X, then its inverse */
  double *right;            /* [n_beta] sum X' w */
  double *beta;             /* [n_beta] */
} restricted;

static void clear_restricted(restricted *r)
{
  pf_memory_free(r->unknown);
  pf_memory_free(r->fixed_beta);
  pf_memory_free(r->memory);
}

/* Where rows of K begin in what is unknown. */
static size_t row_of_k(size_t n, size_t row)
{
  return n + row * (row - 1) / 2;
}

static bool is_drawn(const restricted *r, size_t k)
{
  return r->data->sharing[k] == PF_SHARING_DRAWN;
}

static bool is_held(const restricted *r, size_t k)
{
  return !is_drawn(r, k) || (r->held != NULL && !isnan(r->held[k]));
}

/* A value takes part in correlations when it varies at all. */
static bool is_correlated(const restricted *r, size_t k)
{
  return r->data->correlated && is_drawn(r, k) &&
         (r->held == NULL || isnan(r->held[k]) || r->held[k] > 0.0);
}

static void find_units(restricted *r)
{
  const size_t n = r->n;
  for (size_t k = 0; k < n; k++) {
    double sum = 0.0;
    for (size_t a = 0; a < r->data->n_animals; a++) {
      sum += r->data->information[(a * n + k) * n + k];
    }
    r->unit[k] = sum > 0.0 ? 1.0 / sqrt(sum / (double)r->data->n_animals) : 1.0;
  }
}

static void list_unknowns(restricted *r)
{
  const size_t n = r->n;
  for (size_t k = 0; k < n; k++) {
    if (!is_held(r, k)) {
      r->unknown[r->n_unknown++] = k;
      r->all[k] = 1.0;
      continue;
    }
    if (is_drawn(r, k)) {
      r->all[k] = r->held[k] / r->unit[k];
    } else {
      r->all[k] = r->data->sharing[k] == PF_SHARING_SEPARATE ? separate_sd : 0.0;
    }
  }
  for (size_t k = 1; k < n; k++) {
    for (size_t j = 0; j < k; j++) {
      if (is_correlated(r, k) && is_correlated(r, j)) {
        r->unknown[r->n_unknown++] = row_of_k(n, k) + j;
      }
    }
  }
}

static void fix_betas(restricted *r)
{
  for (size_t c = 1; c < r->data->n_covariates; c++) {
    for (size_t k = 0; k < r->n; k++) {
      const size_t i = c * r->n + k;
      r->fixed_beta[i] = r->data->sharing[k] == PF_SHARING_SEPARATE ||
                         (r->data->without != NULL && r->data->without[i]);
    }
  }
}

static pf_status create_restricted(const pf_mixed_data *data, const double *held, restricted *r,
                                   pf_error *error)
{
  const size_t n = data->n, n_all = n + n * (n - 1) / 2, n_beta = data->n_covariates * n;
  *r = (restricted){.data = data, .held = held, .n = n, .n_beta = n_beta};
  r->unknown = pf_memory_need(n_all, sizeof *r->unknown, error);
  r->fixed_beta = pf_memory_need(n_beta, sizeof *r->fixed_beta, error);
  r->memory =
      pf_memory_need(n_all + 7 * n + 9 * n * n + (n_beta + 2) * n_beta, sizeof *r->memory, error);
  if (r->unknown == NULL || r->fixed_beta == NULL || r->memory == NULL) {
    clear_restricted(r);
    return PF_STOP;
  }
  double *next = r->memory;
  double **const squares[] = {&r->root, &r->k_rows, &r->slope,   &r->a,      &r->al,
                              &r->m,    &r->v,      &r->scratch, &r->product};
  double **const rows[] = {&r->unit, &r->b, &r->w, &r->mean, &r->u, &r->q, &r->g};
  for (size_t i = 0; i < sizeof squares / sizeof squares[0]; i++) {
    *squares[i] = next;
    next += n * n;
  }
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    *rows[i] = next;
    next += n;
  }
  r->all = next;
  r->p = r->all + n_all;
  r->right = r->p + n_beta * n_beta;
  r->beta = r->right + n_beta;
  find_units(r);
  list_unknowns(r);
  fix_betas(r);
  return PF_OK;
}

/* ---- products of small matrices, row by row ---- */

static void multiply_matrices(size_t n, bool transposed, const double *x, const double *y,
                              double *out)
{
  const int size = (int)n;
  cblas_dgemm(CblasRowMajor, transposed ? CblasTrans : CblasNoTrans, CblasNoTrans, size, size, size,
              1.0, x, size, y, size, 0.0, out, size);
}

static void apply_matrix(size_t n, bool transposed, const double *x, const double *y, double *out)
{
  const int size = (int)n;
  cblas_dgemv(CblasRowMajor, transposed ? CblasTrans : CblasNoTrans, size, size, 1.0, x, size, y, 1,
              0.0, out, 1);
}

/* The inverse of a positive definite matrix in its place, and the log of its determinant. */
static bool invert_matrix(size_t n, double *matrix, double *log_determinant)
{
  const lapack_int size = (lapack_int)n;
  if (LAPACKE_dpotrf(LAPACK_ROW_MAJOR, 'L', size, matrix, size) != 0) {
    return false;
  }
  *log_determinant = 0.0;
  for (size_t i = 0; i < n; i++) {
    *log_determinant += 2.0 * log(matrix[i * n + i]);
  }
  if (LAPACKE_dpotri(LAPACK_ROW_MAJOR, 'L', size, matrix, size) != 0) {
    return false;
  }
  for (size_t i = 0; i < n; i++) {
    for (size_t j = 0; j < i; j++) {
      matrix[j * n + i] = matrix[i * n + j];
    }
  }
  return isfinite(*log_determinant);
}

/* ---- one animal ---- */

/* L = D K from what is unknown. */
static void build_root(restricted *r)
{
  const size_t n = r->n;
  memset(r->k_rows, 0, n * n * sizeof *r->k_rows);
  for (size_t k = 0; k < n; k++) {
    double squares = 1.0;
    r->k_rows[k * n + k] = 1.0;
    for (size_t j = 0; j < k; j++) {
      const double x = r->all[row_of_k(n, k) + j];
      r->k_rows[k * n + j] = x;
      squares += x * x;
    }
    const double length = sqrt(squares);
    for (size_t j = 0; j <= k; j++) {
      r->k_rows[k * n + j] /= length;
      r->root[k * n + j] = r->all[k] * r->k_rows[k * n + j];
    }
    for (size_t j = k + 1; j < n; j++) {
      r->root[k * n + j] = 0.0;
    }
  }
}

/* A and b of an animal, A L, M^-1, V and w. *log_m: log |M|. */
static bool take_animal(restricted *r, size_t animal, double *log_m)
{
  const size_t n = r->n;
  const double *information = r->data->information + animal * n * n;
  for (size_t i = 0; i < n; i++) {
    r->b[i] = r->data->linear[animal * n + i] * r->unit[i];
    for (size_t j = 0; j < n; j++) {
      r->a[i * n + j] = information[i * n + j] * r->unit[i] * r->unit[j];
    }
  }
  multiply_matrices(n, false, r->a, r->root, r->al);
  multiply_matrices(n, true, r->root, r->al, r->m);
  for (size_t i = 0; i < n; i++) {
    r->m[i * n + i] += 1.0;
  }
  if (!invert_matrix(n, r->m, log_m)) {
    return false;
  }
  multiply_matrices(n, false, r->al, r->m, r->scratch); /* A L M^-1 */
  const int size = (int)n;
  memcpy(r->v, r->a, n * n * sizeof *r->v);
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, size, size, size, -1.0, r->scratch, size,
              r->al, size, 1.0, r->v, size);
  apply_matrix(n, true, r->root, r->b, r->q);
  apply_matrix(n, false, r->scratch, r->q, r->w);
  for (size_t i = 0; i < n; i++) {
    r->w[i] = r->b[i] - r->w[i];
  }
  return true;
}

static double design_of(const restricted *r, size_t animal, size_t covariate)
{
  return r->data->design[animal * r->data->n_covariates + covariate];
}

static double weight_of(const restricted *r, size_t animal)
{
  return r->data->weights != NULL ? r->data->weights[animal] : 1.0;
}

/* Adds X' V X and X' w of the animal that was taken. */
static void add_normal_equations(restricted *r, size_t animal)
{
  const size_t n = r->n;
  for (size_t i = 0; i < r->n_beta; i++) {
    const double x = weight_of(r, animal) * design_of(r, animal, i / n);
    r->right[i] += x * r->w[i % n];
    for (size_t j = 0; j < r->n_beta; j++) {
      r->p[i * r->n_beta + j] += x * design_of(r, animal, j / n) * r->v[(i % n) * n + j % n];
    }
  }
}

/* Betas that are held at 0 drop out of the normal equations. */
static void drop_fixed_betas(restricted *r)
{
  for (size_t i = 0; i < r->n_beta; i++) {
    if (!r->fixed_beta[i]) {
      continue;
    }
    r->right[i] = 0.0;
    for (size_t j = 0; j < r->n_beta; j++) {
      r->p[i * r->n_beta + j] = i == j ? 1.0 : 0.0;
      r->p[j * r->n_beta + i] = i == j ? 1.0 : 0.0;
    }
  }
}

/* Scaled to ones on the diagonal before it is inverted: rows may differ by many powers of ten. */
static bool invert_normal_equations(restricted *r, double *log_p)
{
  const size_t m = r->n_beta;
  double log_scales = 0.0;
  for (size_t i = 0; i < m; i++) {
    if (!(r->p[i * m + i] > 0.0)) {
      return false;
    }
    r->beta[i] = 1.0 / sqrt(r->p[i * m + i]);
    log_scales -= 2.0 * log(r->beta[i]);
  }
  for (size_t i = 0; i < m * m; i++) {
    r->p[i] *= r->beta[i / m] * r->beta[i % m];
  }
  if (!invert_matrix(m, r->p, log_p)) {
    return false;
  }
  for (size_t i = 0; i < m * m; i++) {
    r->p[i] *= r->beta[i / m] * r->beta[i % m];
  }
  *log_p += log_scales;
  return true;
}

/* beta, and P^-1 in r->p. PF_POINT_FAILED: it cannot be had. */
static pf_status solve_betas(restricted *r, double *log_p, pf_error *error)
{
  memset(r->p, 0, r->n_beta * r->n_beta * sizeof *r->p);
  memset(r->right, 0, r->n_beta * sizeof *r->right);
  for (size_t a = 0; a < r->data->n_animals; a++) {
    double log_m = 0.0;
    if (!take_animal(r, a, &log_m)) {
      return pf_fail(error, PF_POINT_FAILED,
                     "the likelihood has no value at this spread between animals");
    }
    add_normal_equations(r, a);
  }
  drop_fixed_betas(r);
  if (!invert_normal_equations(r, log_p)) {
    return pf_fail(error, PF_POINT_FAILED,
                   "the data of all animals together do not determine the population's means (or "
                   "the differences between groups)");
  }
  cblas_dgemv(CblasRowMajor, CblasNoTrans, (int)r->n_beta, (int)r->n_beta, 1.0, r->p,
              (int)r->n_beta, r->right, 1, 0.0, r->beta, 1);
  return PF_OK;
}

/* mean = X beta, u = b - A mean, q = L' u, g = M^-1 q of the animal that was taken. */
static void find_mode(restricted *r, size_t animal)
{
  const size_t n = r->n;
  for (size_t k = 0; k < n; k++) {
    r->mean[k] = 0.0;
    for (size_t c = 0; c < r->data->n_covariates; c++) {
      r->mean[k] += design_of(r, animal, c) * r->beta[c * n + k];
    }
  }
  apply_matrix(n, false, r->a, r->mean, r->u);
  for (size_t k = 0; k < n; k++) {
    r->u[k] = r->b[k] - r->u[k];
  }
  apply_matrix(n, true, r->root, r->u, r->q);
  apply_matrix(n, false, r->m, r->q, r->g);
}

/* Of the animal that was taken, its mode found: the log of the integral of exp(b' theta - theta' A
 * theta / 2) over N(mean, L L'). */
static double evidence_of(const restricted *r, double log_m)
{
  const double at_mean = pf_dot(r->b, r->mean, r->n) + pf_dot(r->u, r->mean, r->n);
  return 0.5 * (at_mean + pf_dot(r->q, r->g, r->n) - log_m);
}

/* out = X P^-1 X' of an animal. */
static void spread_of_mean(const restricted *r, size_t animal, double *out)
{
  const size_t n = r->n, m = r->n_beta, n_covariates = r->data->n_covariates;
  memset(out, 0, n * n * sizeof *out);
  for (size_t c = 0; c < n_covariates; c++) {
    for (size_t d = 0; d < n_covariates; d++) {
      const double x = design_of(r, animal, c) * design_of(r, animal, d);
      for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
          out[i * n + j] += x * r->p[(c * n + i) * m + d * n + j];
        }
      }
    }
  }
}

/* d f / d L of the animal that was taken is added to r->slope. */
static void add_slope(restricted *r, size_t animal)
{
  const size_t n = r->n;
  const double weight = weight_of(r, animal);
  for (size_t i = 0; i < n * n; i++) {
    r->scratch[i] = r->m[i] + r->g[i / n] * r->g[i % n];
  }
  multiply_matrices(n, false, r->al, r->scratch, r->product);
  for (size_t i = 0; i < n * n; i++) {
    r->slope[i] += weight * (r->product[i] - r->u[i / n] * r->g[i % n]);
  }
  if (r->data->unrestricted) {
    return;
  }
  spread_of_mean(r, animal, r->scratch);
  multiply_matrices(n, false, r->v, r->scratch, r->product);
  multiply_matrices(n, false, r->product, r->v, r->scratch);
  multiply_matrices(n, false, r->scratch, r->root, r->product);
  for (size_t i = 0; i < n * n; i++) {
    r->slope[i] -= weight * r->product[i];
  }
}

/* ---- the function ---- */

static void chain_slope(const restricted *r, double *gradient)
{
  const size_t n = r->n;
  for (size_t i = 0; i < r->n_unknown; i++) {
    const size_t at = r->unknown[i];
    gradient[i] = 0.0;
    if (at < n) {
      gradient[i] = cblas_ddot((int)n, r->slope + at * n, 1, r->k_rows + at * n, 1);
      continue;
    }
    size_t row = 1;
    while (row + 1 < n && row_of_k(n, row + 1) <= at) {
      row++;
    }
    const size_t column = at - row_of_k(n, row);
    const double *k = r->k_rows + row * n, *slope = r->slope + row * n;
    const double along = cblas_ddot((int)n, slope, 1, k, 1);
    gradient[i] = r->all[row] * k[row] * (slope[column] - along * k[column]);
  }
}

static void set_unknowns(restricted *r, const double *values)
{
  for (size_t i = 0; i < r->n_unknown; i++) {
    r->all[r->unknown[i]] = values[i];
  }
  build_root(r);
}

/* Minus the restricted log likelihood, and its gradient where that is wanted. */
static pf_status evaluate_reml(void *self, const double *values, double *f, double *gradient,
                               pf_error *error)
{
  restricted *r = self;
  double log_p = 0.0;
  set_unknowns(r, values);
  const pf_status status = solve_betas(r, &log_p, error);
  if (status != PF_OK) {
    return status;
  }
  memset(r->slope, 0, r->n * r->n * sizeof *r->slope);
  *f = r->data->unrestricted ? 0.0 : 0.5 * log_p;
  for (size_t a = 0; a < r->data->n_animals; a++) {
    double log_m = 0.0;
    if (!take_animal(r, a, &log_m)) {
      return pf_fail(error, PF_POINT_FAILED,
                     "the likelihood has no value at this spread between animals");
    }
    find_mode(r, a);
    *f -= weight_of(r, a) * evidence_of(r, log_m);
    if (gradient != NULL) {
      add_slope(r, a);
    }
  }
  if (gradient != NULL) {
    chain_slope(r, gradient);
  }
  return PF_OK;
}

/* ---- the optimum ---- */

static pf_status minimise_reml(restricted *r, double *values, double *f, pf_error *error)
{
  double *bounds = pf_memory_need(2 * r->n_unknown, sizeof *bounds, error);
  if (bounds == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; i < r->n_unknown; i++) {
    bounds[i] = -INFINITY;
    bounds[r->n_unknown + i] = INFINITY;
    values[i] = r->all[r->unknown[i]];
  }
  const pf_function function = {.self = r,
                                .n = r->n_unknown,
                                .lower = bounds,
                                .upper = bounds + r->n_unknown,
                                .value = evaluate_reml,
                                .noise = 1e-13};
  pf_optimiser_settings settings = pf_optimiser_defaults();
  pf_optimum optimum;
  settings.iterations = 500;
  pf_status status = PF_OK;
  if (r->n_unknown > 0) {
    status = pf_optimiser_lbfgs.minimise(&function, &settings, NULL, values, &optimum, error);
  }
  pf_memory_free(bounds);
  if (status != PF_OK) {
    return status;
  }
  for (size_t i = 0; i < r->n_unknown; i++) {
    if (r->unknown[i] < r->n) {
      values[i] = fabs(values[i]) < no_sd ? 0.0 : fabs(values[i]);
    }
  }
  return evaluate_reml(r, values, f, NULL, error);
}

/* The parts of a model, in the values' own units. */
static pf_status create_model(const pf_mixed_data *data, pf_mixed_model *out, pf_error *error)
{
  const size_t n = data->n, n_beta = data->n_covariates * n;
  *out = (pf_mixed_model){
      .n_animals = data->n_animals,
      .n = n,
      .n_covariates = data->n_covariates,
      .beta = pf_memory_need(n_beta, sizeof *out->beta, error),
      .covariance = pf_memory_need(n_beta * n_beta, sizeof *out->covariance, error),
      .sd = pf_memory_need(n, sizeof *out->sd, error),
      .correlation = pf_memory_need(n * n, sizeof *out->correlation, error),
      .theta = pf_memory_need(data->n_animals * n, sizeof *out->theta, error),
      .spread = pf_memory_need(data->n_animals * n * n, sizeof *out->spread, error),
      .evidence = pf_memory_need(data->n_animals, sizeof *out->evidence, error)};
  if (out->beta == NULL || out->covariance == NULL || out->sd == NULL || out->correlation == NULL ||
      out->theta == NULL || out->spread == NULL || out->evidence == NULL) {
    pf_mixed_model_clear(out);
    return PF_STOP;
  }
  return PF_OK;
}

static void copy_population(restricted *r, pf_mixed_model *out)
{
  const size_t n = r->n, m = r->n_beta;
  for (size_t i = 0; i < m; i++) {
    out->beta[i] = r->beta[i] * r->unit[i % n];
    for (size_t j = 0; j < m; j++) {
      const bool held = r->fixed_beta[i] || r->fixed_beta[j];
      out->covariance[i * m + j] = held ? 0.0 : r->p[i * m + j] * r->unit[i % n] * r->unit[j % n];
    }
  }
  multiply_matrices(n, false, r->k_rows, r->k_rows, r->scratch);
  for (size_t i = 0; i < n; i++) {
    out->sd[i] = r->data->sharing[i] == PF_SHARING_SEPARATE ? (double)INFINITY
                                                            : fabs(r->all[i]) * r->unit[i];
    for (size_t j = 0; j < n; j++) {
      out->correlation[i * n + j] = cblas_ddot((int)n, r->k_rows + i * n, 1, r->k_rows + j * n, 1);
    }
  }
}

/* theta = mean + L g; its covariance L M^-1 L' + (1 - L M^-1 L' A) X P^-1 X' (1 - ...)'. */
static bool copy_animal(restricted *r, size_t animal, pf_mixed_model *out)
{
  const size_t n = r->n;
  const int size = (int)n;
  double log_m = 0.0;
  double *spread = out->spread + animal * n * n, *theta = out->theta + animal * n;
  if (!take_animal(r, animal, &log_m)) {
    return false;
  }
  find_mode(r, animal);
  out->evidence[animal] = evidence_of(r, log_m);
  apply_matrix(n, false, r->root, r->g, theta);
  multiply_matrices(n, false, r->root, r->m, r->scratch);
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, size, size, size, 1.0, r->scratch, size,
              r->root, size, 0.0, spread, size);
  multiply_matrices(n, false, spread, r->a, r->product); /* L M^-1 L' A */
  for (size_t i = 0; i < n * n; i++) {
    r->product[i] = (i / n == i % n ? 1.0 : 0.0) - r->product[i];
  }
  spread_of_mean(r, animal, r->v);
  multiply_matrices(n, false, r->product, r->v, r->scratch);
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, size, size, size, 1.0, r->scratch, size,
              r->product, size, 1.0, spread, size);
  for (size_t i = 0; i < n; i++) {
    theta[i] = (theta[i] + r->mean[i]) * r->unit[i];
    for (size_t j = 0; j < n; j++) {
      spread[i * n + j] *= r->unit[i] * r->unit[j];
    }
  }
  return true;
}

static pf_status copy_result(restricted *r, pf_mixed_model *out, pf_error *error)
{
  copy_population(r, out);
  for (size_t a = 0; a < r->data->n_animals; a++) {
    if (!copy_animal(r, a, out)) {
      return pf_fail(error, PF_POINT_FAILED,
                     "the likelihood has no value at this spread between animals");
    }
  }
  return PF_OK;
}

static pf_status check_size(const pf_mixed_data *data, pf_error *error)
{
  if (data->n > PF_MIXED_MAX_VALUES) {
    return pf_fail(error, PF_POINT_FAILED,
                   "%zu values of each animal are more than a population fit takes (%d)", data->n,
                   (int)PF_MIXED_MAX_VALUES);
  }
  return PF_OK;
}

pf_status pf_mixed_model_fit(const pf_mixed_data *data, const double *held, pf_mixed_model *out,
                             pf_error *error)
{
  restricted r;
  double *values = NULL, f = 0.0;
  *out = (pf_mixed_model){0};
  if (check_size(data, error) != PF_OK) {
    return PF_POINT_FAILED;
  }
  pf_status status = create_restricted(data, held, &r, error);
  if (status != PF_OK) {
    return status;
  }
  values = pf_memory_need(r.n_unknown, sizeof *values, error);
  status = values == NULL ? PF_STOP : create_model(data, out, error);
  if (status != PF_OK) {
    goto done;
  }
  status = minimise_reml(&r, values, &f, error);
  if (status != PF_OK) {
    goto done;
  }
  out->log_likelihood = -f;
  status = copy_result(&r, out, error);
done:
  clear_restricted(&r);
  pf_memory_free(values);
  if (status != PF_OK) {
    pf_mixed_model_clear(out);
  }
  return status;
}

void pf_mixed_model_clear(pf_mixed_model *model)
{
  pf_memory_free(model->beta);
  pf_memory_free(model->covariance);
  pf_memory_free(model->sd);
  pf_memory_free(model->correlation);
  pf_memory_free(model->theta);
  pf_memory_free(model->spread);
  pf_memory_free(model->evidence);
  *model = (pf_mixed_model){0};
}

/* ---- tests and intervals ---- */

/* The optimum with sd k held. */
static pf_status hold_one(const pf_mixed_data *data, size_t k, double sd, pf_mixed_model *out,
                          pf_error *error)
{
  double *held = pf_memory_need(data->n, sizeof *held, error);
  if (held == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; i < data->n; i++) {
    held[i] = i == k ? sd : (double)NAN;
  }
  const pf_status status = pf_mixed_model_fit(data, held, out, error);
  pf_memory_free(held);
  return status;
}

pf_status pf_mixed_model_without(const pf_mixed_data *data, size_t k, pf_mixed_model *out,
                                 pf_error *error)
{
  return hold_one(data, k, 0.0, out, error);
}

/* Where twice the fall from the optimum, with sd k held, is the threshold. */
typedef struct crossing {
  const pf_mixed_data *data;
  const pf_mixed_model *model; /* the optimum */
  size_t k;
  double threshold;
} crossing;

/* The log likelihood itself at its maximum, with these betas held at 0. */
static pf_status maximise_without(const pf_mixed_data *data, const bool *without,
                                  double *log_likelihood, pf_error *error)
{
  pf_mixed_data own = *data;
  pf_mixed_model model;
  own.without = without;
  own.unrestricted = true;
  const pf_status status = pf_mixed_model_fit(&own, NULL, &model, error);
  if (status == PF_OK) {
    *log_likelihood = model.log_likelihood;
    pf_mixed_model_clear(&model);
  }
  return status;
}

pf_status pf_mixed_model_effect(const pf_mixed_data *data, size_t covariate, size_t k,
                                double *statistic, double *p, pf_error *error)
{
  double with = 0.0, other = 0.0;
  bool *without = pf_memory_need(data->n_covariates * data->n, sizeof *without, error);
  if (without == NULL) {
    return PF_STOP;
  }
  pf_status status = maximise_without(data, without, &with, error);
  if (status == PF_OK) {
    without[covariate * data->n + k] = true;
    status = maximise_without(data, without, &other, error);
  }
  pf_memory_free(without);
  *statistic = fmax(2.0 * (with - other), 0.0);
  *p = pf_stats_chi2_above(*statistic, 1.0);
  return status;
}

/* How far the likelihood has fallen at `sd`, beyond the threshold. */
static pf_status fall_at(const crossing *of, double sd, double *fall, pf_error *error)
{
  pf_mixed_model here;
  const pf_status status = hold_one(of->data, of->k, sd, &here, error);
  if (status != PF_OK) {
    return status;
  }
  *fall = 2.0 * (of->model->log_likelihood - here.log_likelihood) - of->threshold;
  pf_mixed_model_clear(&here);
  return PF_OK;
}

/* Halves [inside, outside], between which the likelihood crosses the threshold, to a part in 1e4.
 */
static pf_status bisect_crossing(const crossing *of, double inside, double *outside,
                                 pf_error *error)
{
  const double width = fabs(*outside - inside);
  while (fabs(*outside - inside) > 1e-4 * width) {
    const double middle = 0.5 * (inside + *outside);
    double fall = 0.0;
    const pf_status status = fall_at(of, middle, &fall, error);
    if (status != PF_OK) {
      return status;
    }
    if (fall > 0.0) {
      *outside = middle;
    } else {
      inside = middle;
    }
  }
  return PF_OK;
}

/* A first step where the estimate is 0: the mean error of an animal's own estimate. */
static double sampling_error(const pf_mixed_data *data, size_t k)
{
  double sum = 0.0;
  for (size_t a = 0; a < data->n_animals; a++) {
    sum += data->information[(a * data->n + k) * data->n + k];
  }
  return sum > 0.0 ? 1.0 / sqrt(sum / (double)data->n_animals) : 1.0;
}

pf_status pf_mixed_model_sd_interval(const pf_mixed_data *data, const pf_mixed_model *model,
                                     size_t k, double threshold, pf_sd_interval *out,
                                     pf_error *error)
{
  enum { MAX_DOUBLINGS = 30 };
  const crossing of = {data, model, k, threshold};
  const double at = model->sd[k];
  double fall = 0.0, *upper = &out->upper;
  pf_status status = fall_at(&of, 0.0, &fall, error);
  if (status != PF_OK) {
    return status;
  }
  out->lower = 0.0;
  if (fall > 0.0) {
    status = bisect_crossing(&of, at, &out->lower, error);
    if (status != PF_OK) {
      return status;
    }
  }
  double inside = at;
  *upper = at + fmax(at, sampling_error(data, k));
  for (int i = 0; i < MAX_DOUBLINGS; i++) {
    status = fall_at(&of, *upper, &fall, error);
    if (status != PF_OK) {
      return status;
    }
    if (fall > 0.0) {
      return bisect_crossing(&of, inside, upper, error);
    }
    inside = *upper;
    *upper += *upper - at > 0.0 ? *upper - at : 1.0;
  }
  *upper = INFINITY;
  return PF_OK;
}

/* ---- permutations ---- */

/* |beta / se|; NaN where beta is held. */
static double size_of_effect(const pf_mixed_model *model, size_t i)
{
  const size_t m = model->n_covariates * model->n;
  const double variance = model->covariance[i * m + i];
  return variance > 0.0 ? fabs(model->beta[i]) / sqrt(variance) : (double)NAN;
}

/* Rows of the design in an order drawn from the stream (Fisher & Yates). */
static void shuffle_rows(const pf_mixed_data *data, const double *uniform, size_t *order,
                         double *rows)
{
  const size_t n = data->n_animals, n_covariates = data->n_covariates;
  for (size_t a = 0; a < n; a++) {
    order[a] = a;
  }
  for (size_t a = n - 1; a > 0; a--) {
    const size_t b = (size_t)(uniform[a] * (double)(a + 1));
    const size_t kept = order[a];
    order[a] = order[b];
    order[b] = kept;
  }
  for (size_t i = 0; i < n * n_covariates; i++) {
    rows[i] = data->design[order[i / n_covariates] * n_covariates + i % n_covariates];
  }
}

/* Counts where a permutation has an effect as large as the data's. */
static pf_status count_permutation(const pf_mixed_data *shuffled, const pf_mixed_model *model,
                                   double *counts, pf_error *error)
{
  pf_mixed_model other;
  pf_error line = pf_error_none();
  const pf_status status = pf_mixed_model_fit(shuffled, NULL, &other, &line);
  if (status < 0) {
    return pf_fail(error, status, "%s", line.text);
  }
  for (size_t i = model->n; i < model->n_covariates * model->n; i++) {
    /* an order in which the model cannot be fitted counts against the effect */
    const bool is_as_large =
        status != PF_OK || size_of_effect(&other, i) >= size_of_effect(model, i) * (1.0 - 1e-9);
    counts[i] += is_as_large ? 1.0 : 0.0;
  }
  if (status == PF_OK) {
    pf_mixed_model_clear(&other);
  }
  return PF_OK;
}

pf_status pf_mixed_model_permute(const pf_mixed_data *data, const pf_mixed_model *model,
                                 size_t n_permutations, pf_stream stream, double *p,
                                 pf_error *error)
{
  const size_t n_animals = data->n_animals, m = model->n_covariates * model->n;
  size_t *order = pf_memory_need(n_animals, sizeof *order, error);
  double *rows = pf_memory_need(n_animals * (data->n_covariates + 1), sizeof *rows, error);
  pf_status status = order == NULL || rows == NULL ? PF_STOP : PF_OK;
  if (status != PF_OK) {
    goto done;
  }
  double *uniform = rows + n_animals * data->n_covariates;
  pf_mixed_data shuffled = *data;
  shuffled.design = rows;
  for (size_t i = 0; i < m; i++) {
    p[i] = 0.0;
  }
  for (size_t k = 0; k < n_permutations; k++) {
    pf_random_uniform(stream, k * n_animals, (int64_t)n_animals, uniform);
    shuffle_rows(data, uniform, order, rows);
    status = count_permutation(&shuffled, model, p, error);
    if (status != PF_OK) {
      goto done;
    }
  }
  for (size_t i = 0; i < m; i++) {
    const bool is_there = i >= model->n && !isnan(size_of_effect(model, i));
    p[i] = is_there ? (p[i] + 1.0) / (double)(n_permutations + 1) : (double)NAN;
  }
done:
  pf_memory_free(order);
  pf_memory_free(rows);
  return status;
}
