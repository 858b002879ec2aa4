#include "core/population/posterior_root.h"

#include "core/optimise/optimiser.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <string.h>

/* In sampling errors of an animal. */
static const double least_sd = 0.1;

bool pf_sigma_root(const pf_mixed_data *data, const pf_mixed_model *model, double *root)
{
  const size_t n = data->n;
  for (size_t k = 0; k < n; k++) {
    double sum = 0.0;
    for (size_t a = 0; a < data->n_animals; a++) {
      sum += data->information[(a * n + k) * n + k];
    }
    const double least = least_sd / sqrt(sum / (double)data->n_animals);
    const bool is_drawn = data->sharing[k] == PF_SHARING_DRAWN;
    root[k * n + k] = is_drawn ? fmax(model->sd[k], least) : least;
  }
  for (size_t i = 0; i < n; i++) {
    for (size_t j = 0; j < i; j++) {
      const double r = model->correlation[i * n + j];
      root[i * n + j] = isfinite(r) ? r * root[i * n + i] * root[j * n + j] : 0.0;
    }
  }
  for (size_t i = 0; i < n; i++) {
    for (size_t j = i + 1; j < n; j++) {
      root[i * n + j] = 0.0;
    }
  }
  for (size_t i = 0; i < n; i++) {
    root[i * n + i] *= root[i * n + i];
  }
  if (LAPACKE_dpotrf(LAPACK_ROW_MAJOR, 'L', (lapack_int)n, root, (lapack_int)n) != 0) {
    return false;
  }
  return pf_are_finite(root, n * n);
}

bool pf_posterior_root(const double *information, size_t n, const double *sigma, double *scratch,
                       double *root)
{
  const int size = (int)n;
  double *al = scratch, *m = scratch + n * n;
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, size, size, size, 1.0, information, size,
              sigma, size, 0.0, al, size);
  cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, size, size, size, 1.0, sigma, size, al, size,
              0.0, m, size);
  for (size_t i = 0; i < n; i++) {
    m[i * n + i] += 1.0;
  }
  if (LAPACKE_dpotrf(LAPACK_ROW_MAJOR, 'L', size, m, size) != 0) {
    return false;
  }
  memcpy(al, sigma, n * n * sizeof *al); /* L (factor of M)'^-1 */
  cblas_dtrsm(CblasRowMajor, CblasRight, CblasLower, CblasTrans, CblasNonUnit, size, size, 1.0, m,
              size, al, size);
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, size, size, size, 1.0, al, size, al, size,
              0.0, root, size);
  if (LAPACKE_dpotrf(LAPACK_ROW_MAJOR, 'L', size, root, size) != 0) {
    return false;
  }
  for (size_t i = 0; i < n; i++) {
    for (size_t j = i + 1; j < n; j++) {
      root[i * n + j] = 0.0;
    }
  }
  return pf_are_finite(root, n * n);
}
