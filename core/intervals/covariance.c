#include "core/intervals/covariance.h"

#include "core/base/memory.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

/* Does the likelihood stay as it is where value k changes by `length` to either side? */
static bool is_flat(const pf_function *f, const double *values, double at, size_t k, double length,
                    double *point)
{
  static const double no_change = 1e-3; /* nats, where the curvature says half a nat */
  for (int side = -1; side <= 1; side += 2) {
    double found = 0.0;
    pf_error ignored = pf_error_none();
    memcpy(point, values, f->n * sizeof *point);
    point[k] += side * length;
    if (f->value(f->self, point, &found, NULL, &ignored) != PF_OK ||
        !(fabs(found - at) <= no_change)) {
      return false;
    }
  }
  return true;
}

/* Derivatives are rounding where there should be none, never quite 0. */
static void remove_rounding(const pf_function *f, const double *values, double at, double *point,
                            double *matrix)
{
  static const double far = 1e6; /* sizes of a value */
  const size_t n = f->n;
  for (size_t k = 0; k < n; k++) {
    const double length = 1.0 / sqrt(matrix[k * n + k]);
    const double size = values[k] != 0.0 ? fabs(values[k]) : 1.0;
    if (!isfinite(length) || length < far * size || !is_flat(f, values, at, k, length, point)) {
      continue;
    }
    for (size_t i = 0; i < n; i++) {
      matrix[k * n + i] = matrix[i * n + k] = 0.0;
    }
  }
}

pf_status pf_infer_curvature(const pf_infer_job *job, const pf_group_batches *batches,
                             double *matrix, uint32_t *how, pf_error *error)
{
  pf_group_objective *function = NULL;
  double *gradient = pf_memory_need(job->group->layout->n, sizeof *gradient, error);
  double value = 0.0;
  if (gradient == NULL) {
    return PF_STOP;
  }
  pf_status status = pf_infer_objective(job, batches, &function, error);
  if (status == PF_OK) {
    const pf_function *f = pf_group_objective_get(function);
    status = f->curvature(f->self, job->group->values, &value, gradient, matrix, error);
    *how |= pf_group_objective_how(function);
    if (status == PF_OK) {
      remove_rounding(f, job->group->values, value, gradient, matrix);
    }
  }
  pf_group_objective_free(function);
  pf_memory_free(gradient);
  return status;
}

static pf_status find_spectrum(pf_infer_job *job, pf_error *error)
{
  pf_inference_group *out = job->out;
  pf_spectrum_free(out->spectrum);
  out->spectrum = NULL;
  return pf_spectrum_create_at(out->information, job->group->values, out->n,
                               job->problem->settings->intervals.rank_tolerance, &out->spectrum,
                               error);
}

/** Of the marginal likelihood, whose observed information the fit found with it. */
static pf_status find_marginal_information(pf_infer_job *job, pf_error *error)
{
  pf_inference_group *out = job->out;
  const pf_marginal_fit *marginal = job->group->marginal;
  const size_t n = out->n;
  memcpy(out->information, marginal->information, n * n * sizeof *out->information);
  out->log_likelihood = marginal->log_likelihood;
  if (!marginal->is_definite) {
    return pf_infer_why(&out->why, error,
                        "the observed information of the marginal likelihood is not positive "
                        "definite at the estimate, so it says nothing of errors: there are too few "
                        "data for so many coefficients, or too few particles (marginal.particles) "
                        "and draws (marginal.draws)");
  }
  const pf_status status = find_spectrum(job, error);
  if (status != PF_OK) {
    return status;
  }
  pf_evidence_determine(job->problem, &job->evidence, n - out->spectrum->n_free);
  memcpy(out->variance, job->evidence.variance,
         job->problem->model->n_losses * sizeof *out->variance);
  return PF_OK;
}

/** I, its spectrum, and sigma from how many directions are identified. */
static pf_status find_information(pf_infer_job *job, pf_error *error)
{
  pf_inference_group *out = job->out;
  pf_evidence *evidence = &job->evidence;
  const size_t n = out->n, n_losses = job->problem->model->n_losses;
  pf_status status =
      pf_infer_curvature(job, &evidence->batches, out->information, &out->derivatives, error);
  if (status == PF_OK) {
    status = find_spectrum(job, error);
  }
  if (status != PF_OK) {
    return status;
  }
  const double before = evidence->factor[0];
  pf_evidence_determine(job->problem, evidence, n - out->spectrum->n_free);
  memcpy(out->variance, evidence->variance, n_losses * sizeof *out->variance);
  out->log_likelihood = pf_evidence_log_likelihood(job->problem, evidence);
  if (n_losses > 1) {
    status =
        pf_infer_curvature(job, &evidence->batches, out->information, &out->derivatives, error);
    return status == PF_OK ? find_spectrum(job, error) : status;
  }
  if (evidence->factor[0] == before) {
    return PF_OK;
  }
  for (size_t i = 0; i < n * n; i++) {
    out->information[i] *= evidence->factor[0] / before;
  }
  return find_spectrum(job, error);
}

pf_status pf_infer_invert(const pf_infer_job *job, const double *matrix, double *inverse,
                          pf_error *error)
{
  const size_t n = job->out->n;
  size_t m = 0;
  size_t *inside = pf_memory_need(n, sizeof *inside, error); /* [m] values not at a bound */
  double *part = pf_memory_need(n * n + n, sizeof *part, error);
  pf_spectrum *spectrum = NULL;
  pf_status status = inside == NULL || part == NULL ? PF_STOP : PF_OK;
  if (status != PF_OK) {
    goto done;
  }
  double *values = part + n * n;
  for (size_t k = 0; k < n; k++) {
    inside[m] = k;
    values[m] = job->group->values[k];
    m += job->out->at_bound[k] ? 0 : 1;
  }
  for (size_t i = 0; i < m * m; i++) {
    part[i] = matrix[inside[i / m] * n + inside[i % m]];
  }
  status = pf_spectrum_create_at(part, values, m, job->problem->settings->intervals.rank_tolerance,
                                 &spectrum, error);
  if (status != PF_OK) {
    goto done;
  }
  memset(inverse, 0, n * n * sizeof *inverse);
  pf_spectrum_covariance(spectrum, part);
  for (size_t i = 0; i < m * m; i++) {
    inverse[inside[i / m] * n + inside[i % m]] = part[i];
  }
done:
  pf_spectrum_free(spectrum);
  pf_memory_free(inside);
  pf_memory_free(part);
  return status;
}

/** H^-1 and V of find_covariance(), both [n][n]. */
static pf_status find_weighted(const pf_infer_job *job, double *inverse, double *v, pf_error *error)
{
  const size_t n = job->out->n, n_losses = job->problem->model->n_losses;
  pf_group_batches fitted = {0};
  double *h = pf_memory_need(n * n, sizeof *h, error);
  if (h == NULL) {
    return PF_STOP;
  }
  pf_status status = pf_group_batches_create(job->problem, job->group, true, &fitted, error);
  if (status == PF_OK) {
    status = pf_infer_curvature(job, &fitted, h, &job->out->derivatives, error);
  }
  if (status == PF_OK) {
    status = pf_infer_invert(job, h, inverse, error);
  }
  if (status == PF_OK) {
    pf_batch *batch = fitted.batches[0];
    for (size_t i = 0; i < batch->n * n_losses; i++) {
      batch->scale[i] *=
          batch->scale[i] * (double)job->evidence.n_draws / job->evidence.factor[i % n_losses];
    }
    status = pf_infer_curvature(job, &fitted, v, &job->out->derivatives, error);
  }
  pf_group_batches_clear(&fitted);
  pf_memory_free(h);
  return status;
}

void pf_infer_sandwich_product(const double *inverse, const double *v, size_t n, double *scratch,
                               double *covariance)
{
  const int size = (int)n;
  cblas_dsymm(CblasRowMajor, CblasLeft, CblasUpper, size, size, 1.0, inverse, size, v, size, 0.0,
              scratch, size);
  cblas_dsymm(CblasRowMajor, CblasRight, CblasUpper, size, size, 1.0, inverse, size, scratch, size,
              0.0, covariance, size);
}

/**
 * I^-1. Where the objective that was fitted weighs data by s and the likelihood by c, its minimum
 * has the covariance H^-1 V H^-1, H = sum s J'CJ, V = sum s^2 / c J'CJ.
 */
static pf_status find_covariance(const pf_infer_job *job, pf_error *error)
{
  pf_inference_group *out = job->out;
  const size_t n = out->n;
  if (job->evidence.proportional) {
    return pf_infer_invert(job, out->information, out->covariance, error);
  }
  double *memory = pf_memory_need(3 * n * n, sizeof *memory, error);
  if (memory == NULL) {
    return PF_STOP;
  }
  const pf_status status = find_weighted(job, memory, memory + n * n, error);
  if (status == PF_OK) {
    pf_infer_sandwich_product(memory, memory + n * n, n, memory + 2 * n * n, out->covariance);
  }
  pf_memory_free(memory);
  return status;
}

pf_status pf_infer_information(pf_infer_job *job, pf_error *error)
{
  const pf_layout *layout = job->group->layout;
  for (size_t k = 0; k < layout->n; k++) {
    const double v = job->group->values[k];
    job->out->at_bound[k] = v <= layout->lower[k] || v >= layout->upper[k];
  }
  const pf_status status = job->group->marginal != NULL ? find_marginal_information(job, error)
                                                        : find_information(job, error);
  return status == PF_OK && job->out->why == NULL ? find_covariance(job, error) : status;
}
