#include "core/state/trajectory.h"

#include "core/base/memory.h"
#include "core/state/seen.h"

#include <string.h>

/* ---- sizes ---- */

size_t pf_trace_cells(const pf_plastic *plastic, const pf_weights *weights, int64_t n_rows)
{
  const int64_t *n = plastic->n_traces;
  return (size_t)(n[PF_PER_NETWORK] + n[PF_PER_PRE] * weights->n_pre + n[PF_PER_POST] * n_rows +
                  n[PF_PER_SYNAPSE] * n_rows * weights->ldw);
}

size_t pf_synaptic_cells(const pf_model *model, const pf_weights *weights, int64_t n_rows)
{
  size_t cells = (size_t)(n_rows * weights->ldw);
  if (!weights->has_traces) {
    return cells;
  }
  for (size_t p = 0; p < model->n_plastic; p++) {
    if (model->plastic[p].projection == weights->index) {
      cells += pf_trace_cells(&model->plastic[p], weights, n_rows);
    }
  }
  return cells;
}

/** Signals that a rule sees. */
static uint64_t find_seen(const pf_seen *seen)
{
  uint64_t found = 0;
  for (size_t s = 0; s < seen->n; s++) {
    found |= UINT64_C(1) << (seen->signals[s].signal & 63);
  }
  return found;
}

/** Signals of population p that a loss observes, a projection transmits or a rule sees. */
static uint64_t find_heard(const pf_model *model, int64_t p)
{
  uint64_t heard = 0;
  for (size_t q = 0; q < model->n_projections; q++) {
    const pf_projection *info = &model->projections[q];
    heard |= info->pre == p ? UINT64_C(1) << (info->signal & 63) : 0;
    heard |= info->post == p ? 1 : 0; /* rules see the first signal */
  }
  for (size_t k = 0; k < model->n_plastic; k++) { /* or others */
    const pf_plastic *plastic = &model->plastic[k];
    const pf_projection *projection = &model->projections[plastic->projection];
    heard |= projection->post == p ? find_seen(&plastic->post) : 0;
    heard |= projection->pre == p ? find_seen(&plastic->pre) : 0;
  }
  for (size_t k = 0; k < model->n_losses; k++) {
    for (size_t o = 0; o < model->losses[k].declared.observables.count; o++) {
      const pf_observable *info = &model->observables[model->losses[k].observables[o]];
      heard |= info->population == p ? UINT64_C(1) << (info->signal & 63) : 0;
    }
  }
  return heard;
}

static pf_activity describe_activity(const pf_workspace *workspace, size_t p)
{
  const pf_model *model = workspace->model;
  const pf_population *info = &model->populations[p];
  const int64_t ld = pf_leading_dimension(info->n);
  return (pf_activity){.info = info,
                       .n = info->n,
                       .ld = ld,
                       .phase = model->phase[p],
                       .heard = find_heard(model, (int64_t)p),
                       .plane_stride = workspace->capacity * ld};
}

static pf_weights describe_weights(const pf_workspace *workspace, size_t q)
{
  const pf_model *model = workspace->model;
  const pf_projection_size size = pf_model_projection_size(model, (int64_t)q);
  const int64_t ldw = pf_leading_dimension(size.n_pre);
  pf_weights weights = {.info = &model->projections[q],
                        .n_pre = size.n_pre,
                        .n_post = size.n_post,
                        .ldw = ldw,
                        .cells = (size_t)(size.n_post * ldw),
                        .index = (int64_t)q,
                        .bound = &model->bounds[q],
                        .mask = model->masks[q].changes,
                        .connected = model->masks[q].connected};
  size_t n_parts = 0;
  bool sees_more = false;
  int64_t n_rows = 0;
  for (size_t p = model->n_plastic; p-- > 0;) {
    const pf_plastic *plastic = &model->plastic[p];
    if (plastic->projection != (int64_t)q) {
      continue;
    }
    weights.plastic = plastic; /* in the end the first */
    weights.has_traces = weights.has_traces || plastic->declared.traces.count > 0;
    sees_more = sees_more || plastic->post.n > 0 || plastic->pre.n > 0;
    n_parts += plastic->n_parts;
    for (size_t r = 0; r < plastic->n_ranges; r++) {
      n_rows += plastic->ranges[r].n;
    }
  }
  weights.covered = n_rows == weights.n_post;
  weights.plain = n_parts == 1 && weights.covered && !weights.has_traces && !sees_more &&
                  weights.bound->lower == NULL;
  return weights;
}

/* ---- memory ---- */

/** Values and cotangents of what a rule sees of one side, as many as data. */
static pf_status make_values(const pf_seen *seen, pf_real **out, pf_error *error)
{
  const size_t cells = pf_seen_cells(seen);
  if (cells == 0) {
    return PF_OK;
  }
  *out = pf_memory_need(cells, sizeof(pf_real), error);
  return *out == NULL ? PF_STOP : PF_OK;
}

pf_status pf_trajectory_make(pf_workspace *workspace, pf_error *error)
{
  const pf_model *model = workspace->model;
  workspace->activity = pf_memory_need(model->n_populations, sizeof *workspace->activity, error);
  workspace->weights = pf_memory_need(model->n_projections, sizeof *workspace->weights, error);
  if (workspace->activity == NULL || workspace->weights == NULL) {
    return PF_STOP;
  }
  int64_t max_units = 0;
  for (size_t p = 0; p < model->n_populations; p++) {
    workspace->activity[p] = describe_activity(workspace, p);
    max_units = workspace->activity[p].n > max_units ? workspace->activity[p].n : max_units;
  }
  for (size_t q = 0; q < model->n_projections; q++) {
    workspace->weights[q] = describe_weights(workspace, q);
  }
  workspace->zeros = pf_memory_need((size_t)max_units, sizeof *workspace->zeros, error);
  workspace->seen = pf_memory_need(model->n_plastic, sizeof *workspace->seen, error);
  if (workspace->zeros == NULL || workspace->seen == NULL) {
    return PF_STOP;
  }
  for (size_t k = 0; k < model->n_plastic; k++) {
    if (make_values(&model->plastic[k].post, &workspace->seen[k].post, error) != PF_OK ||
        make_values(&model->plastic[k].pre, &workspace->seen[k].pre, error) != PF_OK) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

void pf_trajectory_free(pf_workspace *workspace)
{
  if (workspace->activity != NULL) {
    for (size_t p = 1; p < workspace->model->n_populations; p++) { /* the input is the draw's */
      pf_activity *activity = &workspace->activity[p];
      pf_memory_free(activity->drive);
      pf_memory_free(activity->signals);
      pf_memory_free(activity->g_drive);
      pf_memory_free(activity->g_signals);
      pf_memory_free(activity->state);
      pf_memory_free(activity->start);
      pf_memory_free(activity->g_state);
      pf_memory_free(activity->g_start);
    }
  }
  if (workspace->weights != NULL) {
    for (size_t q = 0; q < workspace->model->n_projections; q++) {
      pf_memory_free(workspace->weights[q].states);
      pf_memory_free(workspace->weights[q].unclipped);
      pf_memory_free(workspace->weights[q].g);
    }
  }
  if (workspace->seen != NULL) {
    for (size_t k = 0; k < workspace->model->n_plastic; k++) {
      pf_memory_free(workspace->seen[k].post);
      pf_memory_free(workspace->seen[k].pre);
    }
  }
  pf_memory_free(workspace->seen);
  pf_memory_free(workspace->activity);
  pf_memory_free(workspace->weights);
  pf_memory_free(workspace->zeros);
}

/** Room for a population: drive and signals of every step; states, and those before the first. */
static pf_status need_planes(const pf_activity *activity, pf_real *to[4], pf_error *error)
{
  const size_t plane = (size_t)activity->plane_stride, n_state = (size_t)activity->info->n_state;
  to[0] = pf_memory_need(plane, sizeof(pf_real), error);
  to[1] = pf_memory_need(plane * activity->info->signals.count, sizeof(pf_real), error);
  if (to[0] == NULL || to[1] == NULL) {
    return PF_STOP;
  }
  if (n_state == 0) {
    return PF_OK;
  }
  to[2] = pf_memory_need(plane * n_state, sizeof(pf_real), error);
  to[3] = pf_memory_need((size_t)activity->ld * n_state, sizeof(pf_real), error);
  return to[2] == NULL || to[3] == NULL ? PF_STOP : PF_OK;
}

static pf_status need_starting_weights(pf_weights *weights, pf_error *error)
{
  if (weights->states == NULL) {
    weights->states = pf_memory_need(weights->cells, sizeof(pf_real), error);
    weights->capacity = 1;
  }
  if (weights->states == NULL) {
    return PF_STOP;
  }
  if (weights->bound->lower != NULL && weights->unclipped == NULL) {
    weights->unclipped = pf_memory_need(weights->cells, sizeof(pf_real), error);
    return weights->unclipped == NULL ? PF_STOP : PF_OK;
  }
  return PF_OK;
}

pf_status pf_trajectory_need(pf_workspace *workspace, pf_error *error)
{
  if (workspace->has_trajectory) {
    return PF_OK;
  }
  for (size_t p = 1; p < workspace->model->n_populations; p++) {
    pf_activity *activity = &workspace->activity[p];
    pf_real *planes[4] = {NULL};
    const pf_status status = need_planes(activity, planes, error);
    activity->drive = planes[0];
    activity->signals = planes[1];
    activity->state = planes[2];
    activity->start = planes[3];
    if (status != PF_OK) {
      return status;
    }
  }
  for (size_t q = 0; q < workspace->model->n_projections; q++) {
    if (need_starting_weights(&workspace->weights[q], error) != PF_OK) {
      return PF_STOP;
    }
  }
  workspace->has_trajectory = true;
  return PF_OK;
}

pf_status pf_trajectory_need_cotangents(pf_workspace *workspace, pf_error *error)
{
  if (workspace->has_cotangents) {
    return PF_OK;
  }
  for (size_t p = 1; p < workspace->model->n_populations; p++) {
    pf_activity *activity = &workspace->activity[p];
    pf_real *planes[4] = {NULL};
    const pf_status status = need_planes(activity, planes, error);
    activity->g_drive = planes[0];
    activity->g_signals = planes[1];
    activity->g_state = planes[2];
    activity->g_start = planes[3];
    if (status != PF_OK) {
      return status;
    }
  }
  for (size_t q = 0; q < workspace->model->n_projections; q++) {
    pf_weights *weights = &workspace->weights[q];
    /* behind the weights' cotangent that of the rules' traces, as in a synaptic state */
    weights->g = pf_memory_need(pf_synaptic_cells(workspace->model, weights, weights->n_post),
                                sizeof(pf_real), error);
    if (weights->g == NULL) {
      return PF_STOP;
    }
  }
  workspace->has_cotangents = true;
  return PF_OK;
}

pf_status pf_trajectory_reserve_states(pf_workspace *workspace, int64_t n_states, pf_error *error)
{
  for (size_t q = 0; q < workspace->model->n_projections; q++) {
    pf_weights *weights = &workspace->weights[q];
    if (weights->plastic == NULL || weights->capacity >= n_states) {
      continue;
    }
    pf_real *states = weights->cells > SIZE_MAX / sizeof(pf_real) / (size_t)n_states
                          ? NULL
                          : pf_memory_new((size_t)n_states, weights->cells * sizeof(pf_real));
    if (states == NULL) {
      return pf_fail(
          error, PF_STOP,
          "out of memory: %lld states of projection '%s' (%lld x %lld weights) were to be kept",
          (long long)n_states, weights->info->name, (long long)weights->n_post,
          (long long)weights->n_pre);
    }
    pf_memory_free(weights->states);
    weights->states = states;
    weights->capacity = n_states;
  }
  return PF_OK;
}

/* ---- contents ---- */

void pf_weights_disconnect(const pf_weights *weights, pf_real *w)
{
  if (weights->connected == NULL) {
    return;
  }
  for (size_t k = 0; k < weights->cells; k++) {
    if (weights->connected[k] == 0) {
      w[k] = 0; /* stated, not multiplied: a weight that is not a number would stay so */
    }
  }
}

void pf_trajectory_clear_cotangents(pf_workspace *workspace, size_t n_populations)
{
  for (size_t p = 1; p < n_populations; p++) {
    pf_activity *activity = &workspace->activity[p];
    const size_t cells = (size_t)(workspace->n_steps * activity->ld);
    for (size_t s = 0; s < activity->info->signals.count; s++) {
      if (s >= 64 || (activity->heard >> s & 1) != 0) {
        memset(activity->g_signals + s * (size_t)activity->plane_stride, 0,
               cells * sizeof(pf_real));
      }
    }
    memset(activity->g_drive, 0, cells * sizeof(pf_real));
    for (int64_t k = 0; k < activity->info->n_state; k++) {
      memset(activity->g_state + k * activity->plane_stride, 0, cells * sizeof(pf_real));
      memset(activity->g_start + k * activity->ld, 0, (size_t)activity->ld * sizeof(pf_real));
    }
  }
  for (size_t q = 0; q < workspace->model->n_projections; q++) {
    const pf_weights *weights = &workspace->weights[q];
    memset(weights->g, 0,
           pf_synaptic_cells(workspace->model, weights, weights->n_post) * sizeof(pf_real));
  }
}
