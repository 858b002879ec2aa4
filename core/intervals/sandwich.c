/*
 * Interval method `sandwich`: I^-1 V I^-1 (Huber 1967; White 1982, Econometrica 50:1; clusters:
 * Liang & Zeger 1986, Biometrika 73:13): standard errors that hold where the model's own variance
 * is wrong. V = G / (G - 1) sum over G clusters of s s', s the score (of the mean over draws)
 * summed over the steps of the cluster; quantiles of Student's t with G - 1 degrees.
 */
#include "core/intervals/interval_method.h"

#include "core/base/memory.h"
#include "core/intervals/clusters.h"
#include "core/intervals/covariance.h"
#include "core/stats/stats.h"

#include <lapacke.h>
#include <math.h>

/** v [n][n] = G / (G - 1) sum over clusters of s s'. */
static void set_score_variance(const pf_clusters *in, const double *scores, size_t n, double *v)
{
  const double share = (double)in->n / (double)(in->n - 1);
  for (size_t c = 0; c < in->n; c++) {
    for (size_t i = 0; i < n * n; i++) {
      v[i] += share * scores[c * n + i / n] * scores[c * n + i % n];
    }
  }
}

/* The values that the clusters say something of: those that have intervals, and, where clusters are
 * animals, are no animal's own. How many. */
static size_t list_values(const pf_infer_job *job, const pf_clusters *in, size_t *which)
{
  const pf_inference_group *out = job->out;
  size_t m = 0;
  for (size_t k = 0; k < out->n; k++) {
    const bool is_of_clusters = !in->by_animal || pf_layout_is_shared(job->group->layout, k);
    if (out->spectrum->identified[k] && !out->at_bound[k] && is_of_clusters) {
      which[m++] = k;
    }
  }
  return m;
}

/* What the clusters say something of. */
typedef struct cluster_rank {
  size_t m;        /* how many values */
  double smallest; /* eigenvalue of V I^-1 over them; NaN: there is none */
} cluster_rank;

/*
 * The smallest eigenvalue of V I^-1 over the values that the clusters say something of: some 1
 * where the model is right, 0 where the scores have no rank. An animal's own values are fitted, so
 * that their scores are 0, and I^-1 is what is left of the information after that.
 */
static pf_status find_smallest(const pf_infer_job *job, const pf_clusters *in, const double *v,
                               const double *inverse, cluster_rank *out, pf_error *error)
{
  const size_t n = job->out->n;
  size_t *which = pf_memory_need(n, sizeof *which, error);
  double *memory = pf_memory_need(2 * n * n + n, sizeof *memory, error);
  const pf_status status = which == NULL || memory == NULL ? PF_STOP : PF_OK;
  *out = (cluster_rank){.smallest = NAN};
  if (status != PF_OK) {
    goto done;
  }
  const size_t m = list_values(job, in, which);
  out->m = m;
  double *a = memory, *b = a + n * n, *eigenvalues = b + n * n;
  for (size_t i = 0; i < m * m; i++) {
    const size_t at = which[i / m] * n + which[i % m];
    a[i] = v[at];
    b[i] = inverse[at];
  }
  const lapack_int size = (lapack_int)m;
  if (m > 0 &&
      LAPACKE_dsygv(LAPACK_ROW_MAJOR, 2, 'N', 'L', size, a, size, b, size, eigenvalues) == 0) {
    out->smallest = eigenvalues[0];
  }
done:
  pf_memory_free(which);
  pf_memory_free(memory);
  return status;
}

/* Why V says nothing of `m` values; NULL: it does. */
static const char *refuse_variance(const pf_clusters *in, size_t m, double smallest)
{
  static const double no_rank = 1e-6;
  if (m == 0) {
    return "clusters are animals, and no value is shared by them; intervals.cluster=\"block\" has "
           "clusters within an animal";
  }
  if (in->n <= m) {
    return "there are not more clusters than values, so their scores do not show how values vary; "
           "use more animals, or smaller blocks (intervals.cluster, intervals.block)";
  }
  if (smallest < no_rank) {
    return "the clusters are alike (copies of one animal?): their scores hardly vary, so they do "
           "not show the error";
  }
  return NULL;
}

static pf_status set_intervals(const pf_infer_job *job, const pf_clusters *in, pf_intervals *to,
                               pf_error *error)
{
  pf_inference_group *out = job->out;
  const size_t n = out->n;
  const double tail = 0.5 + 0.5 * job->problem->settings->intervals.level;
  cluster_rank rank = {0};
  pf_cluster_sums sums = {.scores = pf_memory_need(in->n * n, sizeof *sums.scores, error)};
  double *memory = pf_memory_need(4 * n * n, sizeof *memory, error);
  pf_status status = sums.scores == NULL || memory == NULL ? PF_STOP : PF_OK;
  if (status != PF_OK) {
    goto done;
  }
  double *inverse = memory, *v = memory + n * n, *scratch = v + n * n,
         *covariance = scratch + n * n;
  status = pf_clusters_sum(job, in, &sums, error);
  if (status != PF_OK) {
    goto done;
  }
  set_score_variance(in, sums.scores, n, v);
  status = pf_infer_invert(job, out->information, inverse, error);
  if (status != PF_OK) {
    goto done;
  }
  status = find_smallest(job, in, v, inverse, &rank, error);
  if (status != PF_OK) {
    goto done;
  }
  const char *refused = refuse_variance(in, rank.m, rank.smallest);
  if (refused != NULL) {
    status = pf_infer_why(&to->why, error, "%s", refused);
    goto done;
  }
  status = pf_intervals_create(n, to, error);
  if (status != PF_OK) {
    goto done;
  }
  pf_infer_sandwich_product(inverse, v, n, scratch, covariance);
  pf_intervals_set_symmetric(out, covariance, pf_stats_student_quantile(tail, in->n - 1), to);
done:
  pf_memory_free(sums.scores);
  pf_memory_free(memory);
  return status;
}

/* Animals say nothing of the error of what is one animal's own. */
static void remove_own(const pf_layout *layout, pf_intervals *to)
{
  for (size_t k = 0; k < layout->n; k++) {
    if (!pf_layout_is_shared(layout, k)) {
      to->se[k] = to->lower[k] = to->upper[k] = NAN;
    }
  }
}

static pf_status compute_sandwich(pf_infer_job *job, pf_intervals *to, pf_error *error)
{
  const pf_interval_settings *wanted = &job->problem->settings->intervals;
  const pf_layout *layout = job->group->layout;
  const bool by_animal = wanted->cluster == PF_CLUSTER_ANIMAL ||
                         (wanted->cluster == PF_CLUSTER_AUTO && layout->n_animals > 1);
  pf_clusters in = {0};
  if (job->group->marginal != NULL && !by_animal) {
    return pf_infer_why(&to->why, error,
                        "with likelihood = \"marginal\" clusters are animals; let "
                        "intervals.cluster be \"animal\"");
  }
  pf_status status = pf_clusters_find(job, by_animal, &in, error);
  job->out->n_clusters = in.n;
  if (status != PF_OK) {
    goto done;
  }
  if (in.n < 2) {
    status =
        pf_infer_why(&to->why, error, "there is one cluster; let intervals.cluster be \"block\"");
    goto done;
  }
  status = set_intervals(job, &in, to, error);
  if (status != PF_OK || !by_animal || !to->there || pf_infer_all_shared(job)) {
    goto done;
  }
  remove_own(layout, to);
  if (!wanted->automatic) { /* else another method's stands beside it */
    status = pf_infer_warn(job->out, error,
                           "sandwich: a parameter of one animal has no interval, as other animals "
                           "say nothing of it; intervals.methods=[\"profile\"] has one");
  }
done:
  pf_clusters_clear(&in);
  return status;
}

const pf_interval_method pf_interval_sandwich = {
    .name = "sandwich",
    .joins_automatic = true,
    .needs_likelihood = "what was fitted weighs the data otherwise than their likelihood "
                        "(normalise, weight), so that its scores do not sum to 0; fisher allows "
                        "for it",
    .compute = compute_sandwich,
};
