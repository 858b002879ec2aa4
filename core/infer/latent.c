#include "core/infer/latent.h"

#include "core/base/memory.h"
#include "core/base/random.h"
#include "core/evaluate/r2.h"
#include "core/stats/stats.h"

#include <lapacke.h>
#include <math.h>
#include <string.h>

enum { N_SAMPLES = 10, MAX_STARTS = 10, MAX_RECORDINGS = 6 };

typedef struct comparison {
  const pf_infer_job *job;
  pf_workspace *here, *there; /* the estimate's run, and another's */
  double *theta, *other;      /* [n_parameters] */
} comparison;

/* R2 of weights at `values` against the estimate's, mean over recordings; NaN where weights
 * overflow. */
static pf_status compare_weights(const comparison *l, const double *values, double *r2,
                                 pf_error *error)
{
  const pf_fit_group *group = l->job->group;
  const pf_model *model = l->job->problem->model;
  const size_t n = group->n_recordings < MAX_RECORDINGS ? group->n_recordings : MAX_RECORDINGS;
  double sum = 0.0;
  size_t count = 0;
  for (size_t r = 0; r < n; r++) { /* the first draw of each: draws are listed draw by draw */
    const pf_draw *draw = group->draws[r];
    const size_t recording = pf_layout_recording(group->layout, draw->recording);
    pf_error line = pf_error_none();
    int64_t n_still = 0;
    double one = NAN;
    pf_layout_theta(group->layout, group->values, recording, l->theta);
    pf_layout_theta(group->layout, values, recording, l->other);
    const pf_simulation estimate = {model, draw, l->theta, {&l->here, 1}};
    const pf_simulation other = {model, draw, l->other, {&l->there, 1}};
    pf_status status = pf_forward(&estimate, PF_SIMULATE_ACTIVITY_ONLY, PF_STEP_FIT, NULL, &line);
    if (status == PF_OK) {
      status = pf_forward(&other, PF_SIMULATE_ACTIVITY_ONLY, PF_STEP_FIT, NULL, &line);
    }
    if (status == PF_OK) {
      status = pf_r2_weights(&estimate, &other, &one, &n_still, &line);
    }
    if (status < 0) {
      return pf_fail(error, status, "%s", line.text);
    }
    sum += status == PF_OK && !isnan(one) ? one : 0.0;
    count += status == PF_OK && !isnan(one) ? 1 : 0;
  }
  *r2 = count > 0 ? sum / (double)count : (double)NAN;
  return PF_OK;
}

/* roots [n][n]: its columns times independent normal numbers have the covariance. */
static pf_status find_roots(const pf_inference_group *out, double *roots, pf_error *error)
{
  const size_t n = out->n;
  double *eigenvalues = pf_memory_need(n, sizeof *eigenvalues, error);
  if (eigenvalues == NULL) {
    return PF_STOP;
  }
  memcpy(roots, out->covariance, n * n * sizeof *roots);
  const lapack_int info =
      LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'V', 'L', (lapack_int)n, roots, (lapack_int)n, eigenvalues);
  for (size_t i = 0; i < n * n && info == 0; i++) {
    roots[i] *= sqrt(fmax(eigenvalues[i % n], 0.0));
  }
  pf_memory_free(eigenvalues);
  return info == 0 ? PF_OK
                   : pf_fail(error, PF_POINT_FAILED,
                             "the covariance has no eigenvalues (dsyev: %d)", (int)info);
}

/* A theta from the sampling distribution, within the bounds. */
static void sample_values(const pf_infer_job *job, const double *roots, uint32_t number,
                          double *normal, double *values)
{
  const pf_layout *layout = job->group->layout;
  const size_t n = layout->n;
  const pf_stream stream = {
      .seed = job->problem->seed, .purpose = PF_RANDOM_LATENT, .draw = number};
  pf_random_normal(stream, 0, (int64_t)n, normal);
  for (size_t k = 0; k < n; k++) {
    double at = job->group->values[k];
    for (size_t i = 0; i < n; i++) {
      at += roots[k * n + i] * normal[i];
    }
    values[k] = fmin(fmax(at, layout->lower[k]), layout->upper[k]);
  }
}

static pf_status compare_all(comparison *l, double *roots, double *normal, double *values,
                             double *r2, pf_error *error)
{
  const pf_infer_job *job = l->job;
  const pf_fit_group *group = job->group;
  pf_latent *latent = &job->out->latent;
  const size_t n_starts = group->starts != NULL ? group->n_starts : 0;
  pf_status status = find_roots(job->out, roots, error);
  size_t n = 0;
  if (status != PF_OK) {
    return status;
  }
  for (uint32_t i = 0; i < N_SAMPLES; i++) {
    sample_values(job, roots, i, normal, values);
    status = compare_weights(l, values, &r2[n++], error);
    if (status != PF_OK) {
      return status;
    }
  }
  for (size_t k = 0; k < n_starts && latent->n_starts < MAX_STARTS; k++) {
    if (k == group->best || !group->starts[k].reached) {
      continue;
    }
    latent->n_starts++;
    status = compare_weights(l, group->starts[k].values, &r2[n++], error);
    if (status != PF_OK) {
      return status;
    }
  }
  latent->n_fits = pf_stats_sort(r2, n);
  latent->median = pf_stats_quantile(r2, latent->n_fits, 0.5);
  latent->lowest = pf_stats_quantile(r2, latent->n_fits, 0.0);
  return PF_OK;
}

pf_status pf_infer_latent(pf_infer_job *job, pf_error *error)
{
  const pf_model *model = job->problem->model;
  const size_t n = job->out->n;
  job->out->latent = (pf_latent){.median = NAN, .lowest = NAN};
  if (!pf_weights_are_latent(model) || job->evidence.no_sigma != NULL) {
    return PF_OK;
  }
  comparison l = {.job = job, .here = job->workspaces[0]};
  l.theta = pf_memory_need(model->n_parameters, sizeof *l.theta, error);
  l.other = pf_memory_need(model->n_parameters, sizeof *l.other, error);
  double *roots = pf_memory_need(n * n, sizeof *roots, error);
  double *normal = pf_memory_need(n, sizeof *normal, error);
  double *values = pf_memory_need(n, sizeof *values, error);
  double *r2 = pf_memory_need((size_t)N_SAMPLES + MAX_STARTS, sizeof *r2, error);
  pf_status status = PF_STOP;
  if (l.theta == NULL || l.other == NULL || roots == NULL || normal == NULL || values == NULL ||
      r2 == NULL) {
    goto done;
  }
  status =
      pf_workspace_create(model, pf_dataset_longest(&job->problem->data)->n_steps, &l.there, error);
  if (status == PF_OK) {
    status = compare_all(&l, roots, normal, values, r2, error);
  }
done:
  pf_workspace_free(l.there);
  pf_memory_free(l.theta);
  pf_memory_free(l.other);
  pf_memory_free(roots);
  pf_memory_free(normal);
  pf_memory_free(values);
  pf_memory_free(r2);
  return status;
}
