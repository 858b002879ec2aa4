/* Fisher information at the estimate, and the standard errors that follow. */
#include "core/infer/infer.h"

#include "core/base/memory.h"
#include "core/stats/stats.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

pf_status pf_infer_curvature(const pf_infer_job *job, const pf_group_batches *batches,
                             double *matrix, uint32_t *how, pf_error *error)
{
  const size_t n = job->group->layout->n;
  pf_group_objective *function = NULL;
  double *gradient = pf_memory_need(n, sizeof *gradient, error);
  double value = 0.0;
  const pf_group_objective_in in = {.problem = job->problem,
                                    .layout = job->group->layout,
                                    .batches = batches,
                                    .workspaces = job->workspaces,
                                    .n_workspaces = job->n_workspaces};
  pf_status status = gradient == NULL ? PF_STOP : pf_group_objective_create(&in, &function, error);
  if (status == PF_OK) {
    const pf_function *f = pf_group_objective_get(function);
    status = f->curvature(f->self, job->group->values, &value, gradient, matrix, error);
    *how |= pf_group_objective_how(function);
  }
  pf_group_objective_free(function);
  pf_memory_free(gradient);
  return status;
}

/** I, its spectrum, and sigma from how many directions are determined. */
static pf_status find_information(pf_infer_job *job, pf_error *error)
{
  pf_inference_group *out = job->out;
  const size_t n = out->n, n_losses = job->problem->model->n_losses;
  pf_evidence *evidence = &job->evidence;
  pf_status status =
      pf_infer_curvature(job, &evidence->batches, out->information, &out->derivatives, error);
  status = status == PF_OK ? pf_spectrum_create(out->information, n,
                                                job->problem->settings->intervals.rank_tolerance,
                                                &out->spectrum, error)
                           : status;
  if (status != PF_OK) {
    return status;
  }
  const double before = evidence->factor[0];
  pf_evidence_determine(job->problem, evidence, n - out->spectrum->n_free);
  memcpy(out->variance, evidence->variance, n_losses * sizeof *out->variance);
  out->log_likelihood = pf_evidence_log_likelihood(job->problem, evidence);
  if (evidence->factor[0] == before && n_losses == 1) {
    return PF_OK;
  }
  if (n_losses == 1) {
    for (size_t i = 0; i < n * n; i++) {
      out->information[i] *= evidence->factor[0] / before;
    }
  } else {
    status =
        pf_infer_curvature(job, &evidence->batches, out->information, &out->derivatives, error);
  }
  pf_spectrum_free(out->spectrum);
  out->spectrum = NULL;
  return status == PF_OK ? pf_spectrum_create(out->information, n,
                                              job->problem->settings->intervals.rank_tolerance,
                                              &out->spectrum, error)
                         : status;
}

pf_status pf_infer_invert(const pf_infer_job *job, const double *matrix, double *inverse,
                          pf_error *error)
{
  const size_t n = job->out->n;
  size_t m = 0;
  size_t *free_ones = pf_memory_need(n, sizeof *free_ones, error);
  double *part = pf_memory_need(n * n, sizeof *part, error);
  pf_spectrum *spectrum = NULL;
  pf_status status = free_ones == NULL || part == NULL ? PF_STOP : PF_OK;
  if (status == PF_OK) {
    for (size_t k = 0; k < n; k++) {
      free_ones[m] = k;
      m += job->out->at_bound[k] ? 0 : 1;
    }
    for (size_t i = 0; i < m * m; i++) {
      part[i] = matrix[free_ones[i / m] * n + free_ones[i % m]];
    }
    status = pf_spectrum_create(part, m, job->problem->settings->intervals.rank_tolerance,
                                &spectrum, error);
  }
  if (status == PF_OK) {
    memset(inverse, 0, n * n * sizeof *inverse);
    pf_spectrum_covariance(spectrum, part);
    for (size_t i = 0; i < m * m; i++) {
      inverse[free_ones[i / m] * n + free_ones[i % m]] = part[i];
    }
  }
  pf_spectrum_free(spectrum);
  pf_memory_free(free_ones);
  pf_memory_free(part);
  return status;
}

/**
 * The objective that was fitted weighs data by s where the likelihood has c: its minimum has the
 * covariance H^-1 V H^-1, H = sum s J'CJ, V = sum s^2 / c J'CJ.
 */
static pf_status weigh(const pf_infer_job *job, double *inverse, double *v, pf_error *error)
{
  const size_t n = job->out->n, n_losses = job->problem->model->n_losses;
  pf_group_batches fitted = {0};
  double *h = pf_memory_need(n * n, sizeof *h, error);
  pf_status status =
      h == NULL ? PF_STOP : pf_group_batches_create(job->problem, job->group, true, &fitted, error);
  status =
      status == PF_OK ? pf_infer_curvature(job, &fitted, h, &job->out->derivatives, error) : status;
  status = status == PF_OK ? pf_infer_invert(job, h, inverse, error) : status;
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

void pf_infer_between(const double *inverse, const double *v, size_t n, double *scratch,
                      double *covariance)
{
  const int size = (int)n;
  cblas_dsymm(CblasRowMajor, CblasLeft, CblasUpper, size, size, 1.0, inverse, size, v, size, 0.0,
              scratch, size);
  cblas_dsymm(CblasRowMajor, CblasRight, CblasUpper, size, size, 1.0, inverse, size, scratch, size,
              0.0, covariance, size);
}

static pf_status find_covariance(const pf_infer_job *job, pf_error *error)
{
  pf_inference_group *out = job->out;
  const size_t n = out->n;
  if (job->evidence.proportional) {
    return pf_infer_invert(job, out->information, out->covariance, error);
  }
  double *memory = pf_memory_need(3 * n * n, sizeof *memory, error);
  pf_status status = memory == NULL ? PF_STOP : weigh(job, memory, memory + n * n, error);
  if (status == PF_OK) {
    pf_infer_between(memory, memory + n * n, n, memory + 2 * n * n, out->covariance);
  }
  pf_memory_free(memory);
  return status;
}

void pf_infer_symmetric(const pf_inference_group *out, const double *covariance, double quantile,
                        pf_intervals *to)
{
  for (size_t k = 0; k < out->n; k++) {
    if (!out->at_bound[k] && out->spectrum->identified[k]) {
      to->se[k] = sqrt(fmax(covariance[k * out->n + k], 0.0));
      to->lower[k] = out->group->values[k] - quantile * to->se[k];
      to->upper[k] = out->group->values[k] + quantile * to->se[k];
    }
  }
}

pf_status pf_infer_fisher(pf_infer_job *job, pf_error *error)
{
  pf_inference_group *out = job->out;
  const pf_layout *layout = job->group->layout;
  const pf_interval_settings *wanted = &job->problem->settings->intervals;
  for (size_t k = 0; k < out->n; k++) {
    const double v = job->group->values[k];
    out->at_bound[k] = v <= layout->lower[k] || v >= layout->upper[k];
  }
  pf_status status = find_information(job, error);
  status = status == PF_OK ? find_covariance(job, error) : status;
  pf_intervals *to = &out->methods[PF_INTERVAL_FISHER];
  if (status != PF_OK || !wanted->methods[PF_INTERVAL_FISHER]) {
    return status;
  }
  if (job->evidence.no_sigma != NULL) {
    return pf_infer_why(&to->why, error, "%s", job->evidence.no_sigma);
  }
  status = pf_intervals_create(out->n, to, error);
  if (status == PF_OK) {
    pf_infer_symmetric(out, out->covariance, pf_stats_normal_quantile(0.5 + 0.5 * wanted->level),
                       to);
  }
  return status;
}
