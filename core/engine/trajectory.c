#include "core/engine/trajectory.h"

#include "core/base/memory.h"

#include <string.h>

size_t pf_trace_cells(const pf_plastic *plastic, const pf_weights *weights, int64_t n_rows)
{
  const int64_t *n = plastic->n_traces;
  return (size_t)(n[PF_PER_NETWORK] + n[PF_PER_PRE] * weights->n_pre + n[PF_PER_POST] * n_rows +
                  n[PF_PER_SYNAPSE] * n_rows * weights->ldw);
}

size_t pf_synaptic_cells(const pf_model *model, const pf_weights *weights, int64_t n_rows)
{
  size_t cells = (size_t)(n_rows * weights->ldw);
  for (size_t p = 0; p < model->n_plastic && weights->has_traces; p++) {
    cells += model->plastic[p].projection == weights->index
                 ? pf_trace_cells(&model->plastic[p], weights, n_rows)
                 : 0;
  }
  return cells;
}

void pf_weights_disconnect(const pf_weights *weights, pf_real *w)
{
  for (int64_t k = 0; weights->connected != NULL && k < (int64_t)weights->cells; k++) {
    if (weights->connected[k] == 0) {
      w[k] = 0; /* stated, not multiplied: a weight that is not a number would stay so */
    }
  }
}

/** Signals of population p that a loss observes, a projection transmits or a rule sees. */
static uint64_t heard_of(const pf_model *model, size_t p)
{
  const pf_projection_table *projections = &model->declared.projections;
  const pf_observable_table *observables = &model->declared.observables;
  uint64_t heard = 0;
  for (size_t q = 0; q < projections->count; q++) {
    const pf_projection *info =
        pf_table_at(projections->items, projections->stride, projections->count, q);
    heard |= info->pre == (int64_t)p ? UINT64_C(1) << (info->signal & 63) : 0;
    heard |= info->post == (int64_t)p ? 1 : 0; /* rules see the first signal */
  }
  for (size_t k = 0; k < model->n_losses; k++) {
    for (size_t o = 0; o < model->losses[k].declared.observables.count; o++) {
      const pf_observable *info =
          pf_table_at(observables->items, observables->stride, observables->count,
                      (size_t)model->losses[k].observables[o]);
      heard |= info->population == (int64_t)p ? UINT64_C(1) << (info->signal & 63) : 0;
    }
  }
  return heard;
}

void pf_activity_make(pf_workspace *workspace, size_t p)
{
  const pf_model *model = workspace->model;
  const pf_population_table *table = &model->declared.populations;
  pf_activity *activity = &workspace->activity[p];
  activity->info = pf_table_at(table->items, table->stride, table->count, p);
  activity->n = activity->info->n;
  activity->ld = pf_leading_dimension(activity->n);
  activity->phase = model->phase[p];
  activity->heard = heard_of(model, p);
  activity->plane_stride = workspace->capacity * activity->ld;
}

static void add_rule(pf_weights *weights, const pf_plastic *plastic, size_t *n_rules,
                     int64_t *n_rows)
{
  weights->plastic = weights->plastic == NULL ? plastic : weights->plastic;
  weights->has_traces = weights->has_traces || plastic->declared.traces.count > 0;
  for (size_t r = 0; r < plastic->n_ranges; r++) {
    *n_rows += plastic->ranges[r].n;
  }
  ++*n_rules;
}

void pf_weights_make(pf_workspace *workspace, size_t q)
{
  size_t n_rules = 0;
  int64_t n_rows = 0;
  const pf_model *model = workspace->model;
  const pf_projection_table *table = &model->declared.projections;
  pf_weights *weights = &workspace->weights[q];
  weights->info = pf_table_at(table->items, table->stride, table->count, q);
  weights->n_pre = workspace->activity[weights->info->pre].n;
  weights->n_post = workspace->activity[weights->info->post].n;
  weights->ldw = pf_leading_dimension(weights->n_pre);
  weights->cells = (size_t)(weights->n_post * weights->ldw);
  for (size_t p = 0; p < model->n_plastic; p++) {
    if (model->plastic[p].projection == (int64_t)q) {
      add_rule(weights, &model->plastic[p], &n_rules, &n_rows);
    }
  }
  weights->index = (int64_t)q;
  weights->bound = &model->bounds[q];
  weights->covered = n_rows == weights->n_post;
  weights->plain = n_rules == 1 && weights->plastic->n_ranges == 1 && weights->covered &&
                   !weights->has_traces && weights->bound->lower == NULL;
  weights->mask = model->masks[q].changes;
  weights->connected = model->masks[q].connected;
  workspace->initial_ldw[q] = weights->ldw;
}

pf_status pf_workspace_need_trajectory(pf_workspace *workspace, pf_error *error)
{
  if (workspace->has_trajectory) {
    return PF_OK;
  }
  for (size_t p = 1; p < workspace->model->declared.populations.count;
       p++) { /* the input is the draw's */
    pf_activity *activity = &workspace->activity[p];
    const size_t plane = (size_t)activity->plane_stride;
    activity->drive = pf_memory_need(plane, sizeof(pf_real), error);
    activity->signals =
        pf_memory_need(plane * activity->info->signals.count, sizeof(pf_real), error);
    if (activity->drive == NULL || activity->signals == NULL) {
      return PF_STOP;
    }
    if (activity->info->n_state > 0) {
      activity->state =
          pf_memory_need(plane * (size_t)activity->info->n_state, sizeof(pf_real), error);
      activity->start =
          pf_memory_need((size_t)(activity->info->n_state * activity->ld), sizeof(pf_real), error);
      if (activity->state == NULL || activity->start == NULL) {
        return PF_STOP;
      }
    }
  }
  for (size_t q = 0; q < workspace->model->declared.projections.count; q++) {
    pf_weights *weights = &workspace->weights[q];
    if (weights->states == NULL) {
      weights->states = pf_memory_need(weights->cells, sizeof(pf_real), error);
      weights->capacity = 1;
    }
    if (weights->bound->lower != NULL) {
      weights->unclipped = pf_memory_need(weights->cells, sizeof(pf_real), error);
    }
    if (weights->states == NULL || (weights->bound->lower != NULL && weights->unclipped == NULL)) {
      return PF_STOP;
    }
  }
  workspace->has_trajectory = true;
  return PF_OK;
}

pf_status pf_workspace_reserve(pf_workspace *workspace, int64_t n_states, pf_error *error)
{
  for (size_t q = 0; q < workspace->model->declared.projections.count; q++) {
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

pf_status pf_workspace_need_cotangents(pf_workspace *workspace, pf_error *error)
{
  if (workspace->has_cotangents) {
    return PF_OK;
  }
  for (size_t p = 1; p < workspace->model->declared.populations.count; p++) {
    pf_activity *activity = &workspace->activity[p];
    size_t plane = (size_t)activity->plane_stride;
    activity->g_drive = pf_memory_need(plane, sizeof(pf_real), error);
    activity->g_signals =
        pf_memory_need(plane * activity->info->signals.count, sizeof(pf_real), error);
    if (activity->g_drive == NULL || activity->g_signals == NULL) {
      return PF_STOP;
    }
    if (activity->info->n_state > 0) {
      activity->g_state =
          pf_memory_need(plane * (size_t)activity->info->n_state, sizeof(pf_real), error);
      activity->g_start =
          pf_memory_need((size_t)(activity->info->n_state * activity->ld), sizeof(pf_real), error);
      if (activity->g_state == NULL || activity->g_start == NULL) {
        return PF_STOP;
      }
    }
  }
  for (size_t q = 0; q < workspace->model->declared.projections.count; q++) {
    pf_weights *weights = &workspace->weights[q];
    /* behind the weights' cotangent that of the rules' traces, as in a slot of
     * core/engine/synaptic_state.h */
    weights->g = pf_memory_need(pf_synaptic_cells(workspace->model, weights, weights->n_post),
                                sizeof(pf_real), error);
    if (weights->g == NULL) {
      return PF_STOP;
    }
  }
  workspace->has_cotangents = true;
  return PF_OK;
}

void pf_workspace_clear_cotangents(pf_workspace *workspace, size_t n_populations)
{
  const pf_model *model = workspace->model;
  for (size_t p = 1; p < n_populations; p++) {
    pf_activity *activity = &workspace->activity[p];
    size_t cells = (size_t)(workspace->n_steps * activity->ld);
    for (size_t s = 0; s < activity->info->signals.count; s++) {
      if (s < 64 && (activity->heard >> s & 1) == 0) {
        continue;
      }
      memset(activity->g_signals + s * (size_t)activity->plane_stride, 0, cells * sizeof(pf_real));
    }
    memset(activity->g_drive, 0, cells * sizeof(pf_real));
    for (int64_t k = 0; k < activity->info->n_state; k++) {
      memset(activity->g_state + k * activity->plane_stride, 0, cells * sizeof(pf_real));
      memset(activity->g_start + k * activity->ld, 0, (size_t)activity->ld * sizeof(pf_real));
    }
  }
  for (size_t q = 0; q < model->declared.projections.count; q++) {
    const pf_weights *weights = &workspace->weights[q];
    memset(weights->g, 0, pf_synaptic_cells(model, weights, weights->n_post) * sizeof(pf_real));
  }
}
