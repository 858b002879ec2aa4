#include "core/infer/agreement.h"

#include "core/base/memory.h"
#include "core/intervals/clusters.h"
#include "core/stats/stats.h"

#include <math.h>
#include <stdio.h>

static const double agreed = 0.05; /* p below: they do not agree */

/* Memory for one animal. */
typedef struct form {
  size_t *inside; /* [n] values not at a bound */
  size_t m;       /* of them */
  double *scale;  /* [n] of those, by what all animals say of them: the test has no units */
  double *part;   /* [n][n] information, then its pseudoinverse */
} form;

/* s' I^-1 s over the values that are not at a bound, and the rank of I. */
static pf_status add_animal(const pf_infer_job *job, const form *f, const double *scores,
                            const double *information, pf_agreement *to, pf_error *error)
{
  const size_t n = job->out->n, m = f->m;
  pf_spectrum *spectrum = NULL;
  for (size_t i = 0; i < m * m; i++) {
    f->part[i] =
        information[f->inside[i / m] * n + f->inside[i % m]] * f->scale[i / m] * f->scale[i % m];
  }
  const pf_status status = pf_spectrum_create(
      f->part, m, job->problem->settings->intervals.rank_tolerance, &spectrum, error);
  if (status != PF_OK) {
    return status;
  }
  pf_spectrum_covariance(spectrum, f->part);
  for (size_t i = 0; i < m * m; i++) {
    to->statistic += scores[f->inside[i / m]] * f->scale[i / m] * f->part[i] *
                     scores[f->inside[i % m]] * f->scale[i % m];
  }
  to->freedom += (double)(m - spectrum->n_free);
  pf_spectrum_free(spectrum);
  return PF_OK;
}

static pf_status add_animals(const pf_infer_job *job, const pf_cluster_sums *sums, pf_agreement *to,
                             pf_error *error)
{
  const size_t n = job->out->n;
  form f = {.inside = pf_memory_need(n, sizeof *f.inside, error),
            .scale = pf_memory_need(n, sizeof *f.scale, error),
            .part = pf_memory_need(n * n, sizeof *f.part, error)};
  pf_status status = f.inside == NULL || f.scale == NULL || f.part == NULL ? PF_STOP : PF_OK;
  if (status != PF_OK) {
    goto done;
  }
  for (size_t k = 0; k < n; k++) {
    const double known = job->out->information[k * n + k];
    f.inside[f.m] = k;
    f.scale[f.m] = known > 0.0 && isfinite(1.0 / sqrt(known)) ? 1.0 / sqrt(known) : 1.0;
    f.m += job->out->at_bound[k] ? 0 : 1;
  }
  to->freedom = (double)job->out->spectrum->n_free - (double)f.m;
  for (size_t a = 0; a < to->n_animals; a++) {
    status = add_animal(job, &f, sums->scores + a * n, sums->information + a * n * n, to, error);
    if (status != PF_OK) {
      goto done;
    }
  }
done:
  pf_memory_free(f.inside);
  pf_memory_free(f.scale);
  pf_memory_free(f.part);
  return status;
}

static bool has_shared(const pf_layout *layout)
{
  for (size_t k = 0; k < layout->n; k++) {
    if (pf_layout_is_shared(layout, k)) {
      return true;
    }
  }
  return false;
}

pf_status pf_infer_agreement(pf_infer_job *job, pf_error *error)
{
  const pf_layout *layout = job->group->layout;
  const size_t n = layout->n, n_animals = layout->n_animals;
  pf_agreement found = {.n_animals = n_animals};
  if (n_animals < 2 || !has_shared(layout) || !job->evidence.proportional ||
      job->evidence.no_sigma != NULL) {
    return PF_OK;
  }
  pf_clusters in = {0};
  pf_cluster_sums sums = {.scores = pf_memory_need(n_animals * n, sizeof *sums.scores, error),
                          .information =
                              pf_memory_need(n_animals * n * n, sizeof *sums.information, error)};
  pf_status status = sums.scores == NULL || sums.information == NULL ? PF_STOP : PF_OK;
  if (status != PF_OK) {
    goto done;
  }
  status = pf_clusters_find(job, true, &in, error);
  if (status != PF_OK) {
    goto done;
  }
  status = pf_clusters_sum(job, &in, &sums, error);
  if (status != PF_OK) {
    goto done;
  }
  status = add_animals(job, &sums, &found, error);
  if (status == PF_OK && found.freedom > 0.0) {
    found.p = pf_stats_chi2_above(found.statistic, found.freedom);
    job->out->agreement = found;
  }
done:
  pf_clusters_clear(&in);
  pf_memory_free(sums.scores);
  pf_memory_free(sums.information);
  return status;
}

void pf_agreement_print(const pf_agreement *agreement, char *text, size_t capacity)
{
  (void)snprintf(text, capacity,
                 "%s (%zu of them; score test: chi-square %.4g with %.0f degrees of freedom, p = "
                 "%.2g)",
                 agreement->p < agreed ? "animals do not agree on one theta"
                                       : "nothing says that animals differ",
                 agreement->n_animals, agreement->statistic, agreement->freedom, agreement->p);
}
