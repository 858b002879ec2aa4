/*
 * Interval method `sandwich`: I^-1 V I^-1 (Huber 1967; White 1982, Econometrica 50:1; clusters:
 * Liang & Zeger 1986, Biometrika 73:13): standard errors that hold where the model's own variance
 * is wrong. V = G / (G - 1) sum over G clusters of s s', s the score (of the mean over draws)
 * summed over the steps of the cluster; quantiles of Student's t with G - 1 degrees.
 */
#include "core/infer/interval_method.h"

#include "core/base/memory.h"
#include "core/infer/covariance.h"
#include "core/sensitivity/information.h"
#include "core/stats/stats.h"

#include <math.h>
#include <string.h>

/** Which cluster each step of each recording is in. */
typedef struct clusters {
  size_t **of; /**< [n_recordings][n_steps] */
  size_t n_recordings, n;
} clusters;

static void clear_clusters(clusters *c)
{
  for (size_t r = 0; c->of != NULL && r < c->n_recordings; r++) {
    pf_memory_free(c->of[r]);
  }
  pf_memory_free(c->of);
}

/** Blocks of `block` trials in a row; what is left at the end joins the last. Where all is one
 * trial: of steps. */
static size_t cut_into_blocks(const pf_recording *recording, int64_t block, size_t first,
                              size_t *of)
{
  int64_t n_trials = 0;
  for (int64_t t = 0; t < recording->n_steps; t++) {
    n_trials += t == 0 || recording->trial[t] != recording->trial[t - 1] ? 1 : 0;
  }
  const bool by_steps = n_trials < 2;
  const int64_t n = by_steps ? recording->n_steps : n_trials;
  const int64_t n_blocks = n / block > 1 ? n / block : 1;
  for (int64_t t = 0, trial = -1; t < recording->n_steps; t++) {
    trial += by_steps || t == 0 || recording->trial[t] != recording->trial[t - 1] ? 1 : 0;
    of[t] = first + (size_t)(trial / block < n_blocks ? trial / block : n_blocks - 1);
  }
  return (size_t)n_blocks;
}

static pf_status find_clusters(const pf_infer_job *job, clusters *out, pf_error *error)
{
  const pf_layout *layout = job->group->layout;
  const pf_interval_settings *wanted = &job->problem->settings->intervals;
  const bool by_animal = wanted->cluster == PF_CLUSTER_ANIMAL ||
                         (wanted->cluster == PF_CLUSTER_AUTO && layout->n_animals > 1);
  *out = (clusters){.n_recordings = layout->n_recordings,
                    .of = pf_memory_need(layout->n_recordings, sizeof(size_t *), error)};
  if (out->of == NULL) {
    return PF_STOP;
  }
  for (size_t r = 0; r < layout->n_recordings; r++) {
    const pf_recording *recording =
        job->group->draws[r]->recording; /* draw 0 of each comes first */
    const size_t local = pf_layout_recording(layout, recording);
    size_t *of = pf_memory_need((size_t)recording->n_steps, sizeof *of, error);
    if (of == NULL) {
      return PF_STOP;
    }
    out->of[local] = of;
    if (!by_animal) {
      out->n += cut_into_blocks(recording, wanted->block, out->n, of);
      continue;
    }
    for (int64_t t = 0; t < recording->n_steps; t++) {
      of[t] = layout->animal[local];
    }
    out->n = layout->n_animals;
  }
  return PF_OK;
}

/** Adds the scores of one draw's steps, dL / d value, to those of their clusters. */
static pf_status add_scores(const pf_infer_job *job, size_t d, const pf_directions *directions,
                            const clusters *in, double *scores, pf_error *error)
{
  const pf_layout *layout = job->group->layout;
  const pf_model *model = job->problem->model;
  const pf_batch *batch = job->evidence.batches.batches[0];
  const pf_draw *draw = batch->draws[d];
  const size_t recording = pf_layout_recording(layout, draw->recording), m = directions->n;
  double *theta = pf_memory_need(model->n_parameters, sizeof *theta, error);
  double *steps = pf_memory_need((size_t)draw->n_steps * m, sizeof *steps, error);
  pf_loss_value *values = pf_memory_need(model->n_losses, sizeof *values, error);
  pf_status status = theta == NULL || steps == NULL || values == NULL ? PF_STOP : PF_OK;
  if (status == PF_OK) {
    pf_information_out out = {.values = values, .step_scores = steps};
    pf_layout_theta(layout, job->group->values, recording, theta);
    const pf_information_in at = {.model = model,
                                  .draw = draw,
                                  .theta = theta,
                                  .scale = batch->scale + d * model->n_losses,
                                  .workspaces = job->workspaces,
                                  .n_workspaces = job->n_workspaces};
    status = pf_information(&at, directions, &out, error);
  }
  for (int64_t t = 0; status == PF_OK && t < draw->n_steps; t++) {
    double *to = scores + in->of[recording][t] * layout->n;
    for (size_t a = 0; a < m; a++) {
      const pf_parameter_instance *instance =
          &layout->instances[pf_layout_instance(layout, recording, directions->which[a])];
      to[instance->value] += instance->factor * steps[(size_t)t * m + a];
    }
  }
  pf_memory_free(theta);
  pf_memory_free(steps);
  pf_memory_free(values);
  return status;
}

/** scores [n clusters][n values] of the evidence. */
static pf_status find_scores(const pf_infer_job *job, const clusters *in, double *scores,
                             pf_error *error)
{
  const pf_layout *layout = job->group->layout;
  pf_status status = PF_OK;
  size_t m = 0;
  size_t *which = pf_memory_need(layout->n_parameters, sizeof *which, error);
  if (which == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; i < layout->n_parameters; i++) {
    if (layout->instances[layout->first[i]].value != PF_LAYOUT_NONE) {
      which[m++] = i;
    }
  }
  const pf_directions directions = {.n = m, .which = which};
  for (size_t d = 0; d < job->evidence.batches.batches[0]->n; d++) {
    if (status == PF_OK) {
      status = add_scores(job, d, &directions, in, scores, error);
    }
  }
  pf_memory_free(which);
  return status;
}

/** v [n][n] = G / (G - 1) sum over clusters of s s'. */
static void set_score_variance(const clusters *in, const double *scores, size_t n, double *v)
{
  const double share = (double)in->n / (double)(in->n - 1);
  for (size_t c = 0; c < in->n; c++) {
    for (size_t i = 0; i < n * n; i++) {
      v[i] += share * scores[c * n + i / n] * scores[c * n + i % n];
    }
  }
}

static pf_status set_intervals(const pf_infer_job *job, const clusters *in, pf_intervals *to,
                               pf_error *error)
{
  pf_inference_group *out = job->out;
  const size_t n = out->n;
  const double tail = 0.5 + 0.5 * job->problem->settings->intervals.level;
  double *scores = pf_memory_need(in->n * n, sizeof *scores, error);
  double *memory = pf_memory_need(4 * n * n, sizeof *memory, error);
  pf_status status = scores == NULL || memory == NULL ? PF_STOP : PF_OK;
  if (status != PF_OK) {
    goto done;
  }
  double *inverse = memory, *v = memory + n * n, *scratch = v + n * n,
         *covariance = scratch + n * n;
  status = find_scores(job, in, scores, error);
  if (status == PF_OK) {
    status = pf_intervals_create(n, to, error);
  }
  if (status == PF_OK) {
    set_score_variance(in, scores, n, v);
    status = pf_infer_invert(job, out->information, inverse, error);
  }
  if (status != PF_OK) {
    goto done;
  }
  pf_infer_sandwich_product(inverse, v, n, scratch, covariance);
  pf_intervals_set_symmetric(out, covariance, pf_stats_student_quantile(tail, in->n - 1), to);
  if (in->n <= n) {
    status = pf_infer_warn(
        out, error,
        "sandwich: %zu clusters for %zu values; such standard errors are too small, have more "
        "clusters than values",
        in->n, n);
  }
done:
  pf_memory_free(scores);
  pf_memory_free(memory);
  return status;
}

static pf_status compute_sandwich(pf_infer_job *job, pf_intervals *to, pf_error *error)
{
  clusters in = {0};
  pf_status status = find_clusters(job, &in, error);
  job->out->n_clusters = in.n;
  if (status == PF_OK && in.n < 2) {
    status =
        pf_infer_why(&to->why, error, "there is one cluster; let intervals.cluster be \"block\"");
  } else if (status == PF_OK) {
    status = set_intervals(job, &in, to, error);
  }
  clear_clusters(&in);
  return status;
}

const pf_interval_method pf_interval_sandwich = {
    .name = "sandwich",
    .needs_likelihood = "what was fitted weighs the data otherwise than their likelihood "
                        "(normalise, weight), so that its scores do not sum to 0; fisher allows "
                        "for it",
    .compute = compute_sandwich,
};
