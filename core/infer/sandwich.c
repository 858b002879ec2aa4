/*
 * The sandwich I^-1 V I^-1 (Huber 1967; White 1982, Econometrica 50:1; clusters: Liang & Zeger
 * 1986, Biometrika 73:13): standard errors that hold where the model's own variance is wrong. V = G
 * / (G - 1) sum over G clusters of s s', s the score (of the mean over draws) summed over the steps
 * of the cluster; quantiles of Student's t with G - 1 degrees.
 */
#include "core/infer/infer.h"

#include "core/base/memory.h"
#include "core/sensitivity/information.h"
#include "core/stats/stats.h"

#include <math.h>
#include <string.h>

/** Which cluster each step of each recording is in. */
typedef struct clusters {
  size_t **of; /**< [n_recordings][n_steps] */
  size_t n_recordings, n;
} clusters;

static void clusters_clear(clusters *c)
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
  pf_status status = out->of == NULL ? PF_STOP : PF_OK;
  for (size_t r = 0; r < layout->n_recordings && status == PF_OK; r++) {
    const pf_recording *recording =
        job->group->draws[r]->recording; /* draw 0 of each comes first */
    const size_t local = pf_layout_recording(layout, recording);
    out->of[local] = pf_memory_need((size_t)recording->n_steps, sizeof(size_t), error);
    if (out->of[local] == NULL) {
      status = PF_STOP;
    } else if (by_animal) {
      for (int64_t t = 0; t < recording->n_steps; t++) {
        out->of[local][t] = layout->animal[local];
      }
      out->n = layout->n_animals;
    } else {
      out->n += cut_into_blocks(recording, wanted->block, out->n, out->of[local]);
    }
  }
  return status;
}

/** scores [n clusters][n values] of the evidence. */
static pf_status find_scores(const pf_infer_job *job, const clusters *in, double *scores,
                             pf_error *error)
{
  const pf_layout *layout = job->group->layout;
  const pf_model *model = job->problem->model;
  const pf_batch *batch = job->evidence.batches.batches[0];
  const size_t n = layout->n;
  size_t m = 0;
  size_t *which = pf_memory_need(layout->n_parameters, sizeof *which, error);
  double *theta = pf_memory_need(model->n_parameters, sizeof *theta, error);
  pf_loss_value *values = pf_memory_need(model->n_losses, sizeof *values, error);
  double *steps = NULL;
  pf_status status = which == NULL || theta == NULL || values == NULL ? PF_STOP : PF_OK;
  for (size_t i = 0; i < layout->n_parameters && status == PF_OK; i++) {
    if (layout->instances[layout->first[i]].value != PF_LAYOUT_NONE) {
      which[m++] = i;
    }
  }
  const pf_directions directions = {.n = m, .which = which};
  for (size_t d = 0; d < batch->n && status == PF_OK; d++) {
    const pf_draw *draw = batch->draws[d];
    const size_t recording = pf_layout_recording(layout, draw->recording);
    pf_memory_free(steps);
    steps = pf_memory_need((size_t)draw->n_steps * m, sizeof *steps, error);
    if (steps == NULL) {
      status = PF_STOP;
      break;
    }
    pf_layout_theta(layout, job->group->values, recording, theta);
    pf_information_out out = {.values = values, .step_scores = steps};
    const pf_information_in at = {.model = model,
                                  .draw = draw,
                                  .theta = theta,
                                  .scale = batch->scale + d * model->n_losses,
                                  .workspaces = job->workspaces,
                                  .n_workspaces = job->n_workspaces};
    status = pf_information(&at, &directions, &out, error);
    for (int64_t t = 0; t < draw->n_steps && status == PF_OK; t++) {
      double *to = scores + in->of[recording][t] * n;
      for (size_t a = 0; a < m; a++) {
        const pf_parameter_instance *instance =
            &layout->instances[pf_layout_instance(layout, recording, which[a])];
        to[instance->value] += instance->factor * steps[(size_t)t * m + a];
      }
    }
  }
  pf_memory_free(which);
  pf_memory_free(theta);
  pf_memory_free(values);
  pf_memory_free(steps);
  return status;
}

static pf_status fill(const pf_infer_job *job, const clusters *in, pf_intervals *to,
                      pf_error *error)
{
  pf_inference_group *out = job->out;
  const size_t n = out->n, n_clusters = in->n;
  const size_t freedom = n_clusters - 1;
  double *scores = pf_memory_need(n_clusters * n, sizeof *scores, error);
  double *memory = pf_memory_need(4 * n * n, sizeof *memory, error);
  pf_status status =
      scores == NULL || memory == NULL ? PF_STOP : find_scores(job, in, scores, error);
  status = status == PF_OK ? pf_intervals_create(n, to, error) : status;
  if (status == PF_OK) {
    double *inverse = memory, *v = memory + n * n;
    for (size_t c = 0; c < n_clusters; c++) {
      for (size_t i = 0; i < n * n; i++) {
        v[i] +=
            (double)n_clusters / (double)freedom * scores[c * n + i / n] * scores[c * n + i % n];
      }
    }
    status = pf_infer_invert(job, out->information, inverse, error);
    if (status == PF_OK) {
      pf_infer_between(inverse, v, n, memory + 2 * n * n, memory + 3 * n * n);
      pf_infer_symmetric(
          out, memory + 3 * n * n,
          pf_stats_student_quantile(0.5 + 0.5 * job->problem->settings->intervals.level, freedom),
          to);
    }
  }
  if (status == PF_OK && n_clusters <= n) {
    status = pf_infer_warn(
        out, error,
        "sandwich: %zu clusters for %zu values; such standard errors are too small, have more "
        "clusters than values",
        n_clusters, n);
  }
  pf_memory_free(scores);
  pf_memory_free(memory);
  return status;
}

pf_status pf_infer_sandwich(pf_infer_job *job, pf_error *error)
{
  pf_inference_group *out = job->out;
  pf_intervals *to = &out->methods[PF_INTERVAL_SANDWICH];
  clusters in = {0};
  pf_status status = PF_OK;
  if (job->evidence.no_sigma != NULL) {
    return pf_infer_why(&to->why, error, "%s", job->evidence.no_sigma);
  }
  if (!job->evidence.proportional) {
    return pf_infer_why(&to->why, error,
                        "what was fitted weighs the data otherwise than their likelihood "
                        "(normalise, weight), so that "
                        "its scores do not sum to 0; fisher allows for it");
  }
  status = find_clusters(job, &in, error);
  out->n_clusters = in.n;
  if (status == PF_OK && in.n < 2) {
    status =
        pf_infer_why(&to->why, error, "there is one cluster; let intervals.cluster be \"block\"");
  } else if (status == PF_OK) {
    status = fill(job, &in, to, error);
  }
  clusters_clear(&in);
  return status;
}
