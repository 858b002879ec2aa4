#include "core/intervals/clusters.h"

#include "core/base/memory.h"
#include "core/sensitivity/information.h"

void pf_clusters_clear(pf_clusters *c)
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

pf_status pf_clusters_find(const pf_infer_job *job, bool by_animal, pf_clusters *out,
                           pf_error *error)
{
  const pf_layout *layout = job->group->layout;
  const pf_interval_settings *wanted = &job->problem->settings->intervals;
  *out = (pf_clusters){.by_animal = by_animal,
                       .n_recordings = layout->n_recordings,
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

/* Adds the scores of one draw's steps, dL / d value, to those of their clusters, and the draw's
 * information to that of its animal. */
static pf_status add_draw(const pf_infer_job *job, size_t d, const pf_directions *directions,
                          const pf_clusters *in, pf_cluster_sums *to, pf_error *error)
{
  const pf_layout *layout = job->group->layout;
  const pf_model *model = job->problem->model;
  const pf_batch *batch = job->evidence.batches.batches[0];
  const pf_draw *draw = batch->draws[d];
  const size_t recording = pf_layout_recording(layout, draw->recording), m = directions->n;
  double *theta = pf_memory_need(model->n_parameters, sizeof *theta, error);
  double *steps = pf_memory_need((size_t)draw->n_steps * m, sizeof *steps, error);
  pf_loss_value *values = pf_memory_need(model->n_losses, sizeof *values, error);
  double *block = pf_memory_need(m * m, sizeof *block, error);
  pf_status status =
      theta == NULL || steps == NULL || values == NULL || block == NULL ? PF_STOP : PF_OK;
  if (status != PF_OK) {
    goto done;
  }
  pf_information_out out = {.values = values, .step_scores = steps};
  out.information = to->information == NULL ? NULL : block;
  pf_layout_theta(layout, job->group->values, recording, theta);
  const pf_information_in at = {.model = model,
                                .draw = draw,
                                .theta = theta,
                                .scale = batch->scale + d * model->n_losses,
                                .workspaces = job->workspaces,
                                .n_workspaces = job->n_workspaces};
  status = pf_information(&at, directions, &out, error);
  if (status != PF_OK) {
    goto done;
  }
  for (int64_t t = 0; t < draw->n_steps; t++) {
    double *scores = to->scores + in->of[recording][t] * layout->n;
    for (size_t a = 0; a < m; a++) {
      const pf_parameter_instance *instance =
          &layout->instances[pf_layout_instance(layout, recording, directions->which[a])];
      scores[instance->value] += instance->factor * steps[(size_t)t * m + a];
    }
  }
  if (to->information != NULL) {
    pf_layout_fold_information(layout, recording, directions->which, m, block,
                               to->information + layout->animal[recording] * layout->n * layout->n);
  }
done:
  pf_memory_free(block);
  pf_memory_free(theta);
  pf_memory_free(steps);
  pf_memory_free(values);
  return status;
}

pf_status pf_clusters_sum(const pf_infer_job *job, const pf_clusters *in, pf_cluster_sums *to,
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
      status = add_draw(job, d, &directions, in, to, error);
    }
  }
  pf_memory_free(which);
  return status;
}
