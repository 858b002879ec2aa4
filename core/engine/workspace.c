#include "core/engine/coupled.h"
#include "core/engine/synaptic_state.h"
#include "core/sensitivity/sensitivity.h"

#include "core/base/memory.h"

#include <string.h>

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

static void make_activity(pf_workspace *workspace, size_t p)
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

static void add_rule(pf_weights *weights, const pf_plastic *plastic, size_t *n_rules,
                     int64_t *n_rows)
{
  const pf_rule_ops *ops = plastic->rule->plugin->rule;
  weights->plastic = weights->plastic == NULL ? plastic : weights->plastic;
  weights->has_traces = weights->has_traces || plastic->declared.traces.count > 0;
  weights->projects =
      weights->projects || (PF_HAS(ops, pf_rule_ops, project) && ops->project != NULL);
  for (size_t r = 0; r < plastic->n_ranges; r++) {
    *n_rows += plastic->ranges[r].n;
  }
  ++*n_rules;
}

static void make_weights(pf_workspace *workspace, size_t q)
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
                   !weights->has_traces && !weights->projects && weights->bound->lower == NULL;
  weights->mask = model->masks[q].changes;
  weights->connected = model->masks[q].connected;
  workspace->initial_ldw[q] = weights->ldw;
}

static pf_status make_all(pf_workspace *workspace, pf_error *error)
{
  const pf_model *model = workspace->model;
  size_t n_populations = model->declared.populations.count,
         n_projections = model->declared.projections.count;
  size_t steps = (size_t)workspace->capacity;
  workspace->activity = pf_memory_need(n_populations, sizeof *workspace->activity, error);
  workspace->weights = pf_memory_need(n_projections, sizeof *workspace->weights, error);
  workspace->initial_w = pf_memory_need(n_projections, sizeof *workspace->initial_w, error);
  workspace->initial_ldw = pf_memory_need(n_projections, sizeof *workspace->initial_ldw, error);
  workspace->log_likelihood = pf_memory_need(steps, sizeof(double), error);
  workspace->cotangent = pf_memory_need(steps, sizeof(double), error);
  workspace->count = pf_memory_need(steps, sizeof(int64_t), error);
  workspace->scored = pf_memory_need(steps, 1, error);
  workspace->segments = pf_memory_need(2 * steps, sizeof *workspace->segments, error);
  workspace->initial_state = pf_memory_need(n_populations, sizeof *workspace->initial_state, error);
  workspace->initial_ld_state =
      pf_memory_need(n_populations, sizeof *workspace->initial_ld_state, error);
  if (workspace->activity == NULL || workspace->weights == NULL || workspace->initial_w == NULL ||
      workspace->initial_ldw == NULL || workspace->log_likelihood == NULL ||
      workspace->cotangent == NULL || workspace->count == NULL || workspace->scored == NULL ||
      workspace->segments == NULL || workspace->initial_state == NULL ||
      workspace->initial_ld_state == NULL) {
    return PF_STOP;
  }
  int64_t max_units = 0;
  for (size_t p = 0; p < n_populations; p++) {
    make_activity(workspace, p);
    workspace->initial_ld_state[p] = workspace->activity[p].ld;
    max_units = workspace->activity[p].n > max_units ? workspace->activity[p].n : max_units;
  }
  workspace->zeros = pf_memory_need((size_t)max_units, sizeof *workspace->zeros, error);
  if (workspace->zeros == NULL) {
    return PF_STOP;
  }
  for (size_t q = 0; q < n_projections; q++) {
    make_weights(workspace, q);
  }
  return PF_OK;
}

pf_status pf_workspace_create(const pf_model *model, int64_t n_steps, pf_workspace **out,
                              pf_error *error)
{
  pf_workspace *workspace = pf_memory_need(1, sizeof *workspace, error);
  if (workspace == NULL) {
    return PF_STOP;
  }
  workspace->model = model;
  workspace->capacity = n_steps;
  pf_status status = make_all(workspace, error);
  if (status != PF_OK) {
    pf_workspace_free(workspace);
    return status;
  }
  *out = workspace;
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

void pf_workspace_free(pf_workspace *workspace)
{
  if (workspace == NULL) {
    return;
  }
  for (size_t p = 1;
       workspace->activity != NULL && p < workspace->model->declared.populations.count; p++) {
    pf_memory_free(workspace->activity[p].drive);
    pf_memory_free(workspace->activity[p].signals);
    pf_memory_free(workspace->activity[p].g_drive);
    pf_memory_free(workspace->activity[p].g_signals);
    pf_memory_free(workspace->activity[p].state);
    pf_memory_free(workspace->activity[p].start);
    pf_memory_free(workspace->activity[p].g_state);
    pf_memory_free(workspace->activity[p].g_start);
  }
  for (size_t q = 0; workspace->weights != NULL && q < workspace->model->declared.projections.count;
       q++) {
    pf_memory_free(workspace->weights[q].states);
    pf_memory_free(workspace->weights[q].unclipped);
    pf_memory_free(workspace->weights[q].g);
  }
  pf_memory_free(workspace->activity);
  pf_memory_free(workspace->weights);
  pf_memory_free(workspace->zeros);
  pf_memory_free(workspace->initial_state);
  pf_memory_free(workspace->initial_ld_state);
  pf_memory_free(workspace->initial_w);
  pf_memory_free(workspace->initial_ldw);
  pf_memory_free(workspace->log_likelihood);
  pf_memory_free(workspace->cotangent);
  pf_memory_free(workspace->count);
  pf_memory_free(workspace->scored);
  pf_memory_free(workspace->segments);
  pf_memory_free(workspace->arena);
  pf_memory_free(workspace->lane_theta);
  pf_memory_free(workspace->lane_pre);
  pf_sensitivity_free(workspace->sensitivity);
  pf_memory_free(workspace);
}

const pf_real *pf_workspace_observable(const pf_workspace *workspace, int64_t observable,
                                       int64_t *n, int64_t *ld)
{
  const pf_observable_table *table = &workspace->model->declared.observables;
  const pf_observable *info =
      pf_table_at(table->items, table->stride, table->count, (size_t)observable);
  const pf_activity *activity = &workspace->activity[info->population];
  *n = activity->n;
  *ld = activity->ld;
  return activity->signals + info->signal * activity->plane_stride;
}

int64_t pf_workspace_n_changes(const pf_workspace *workspace, size_t plastic)
{
  (void)plastic; /* all plastic projections change at the same steps */
  return workspace->n_changes;
}

const pf_real *pf_workspace_weights(const pf_workspace *workspace, size_t plastic, int64_t k,
                                    int64_t *ld)
{
  const pf_weights *weights = &workspace->weights[workspace->model->plastic[plastic].projection];
  *ld = weights->ldw;
  return pf_weights_state(weights, k);
}

int64_t pf_workspace_ld(const pf_workspace *workspace, size_t plastic)
{
  return workspace->weights[workspace->model->plastic[plastic].projection].ldw;
}

int64_t pf_workspace_rows_at_once(const pf_workspace *workspace, size_t plastic)
{
  const pf_weights *weights = &workspace->weights[workspace->model->plastic[plastic].projection];
  const size_t row = (size_t)(workspace->n_changes + 1) * (size_t)weights->ldw * sizeof(pf_real);
  const int64_t rows = (int64_t)(((size_t)4 << 20) / row);
  return rows < 1 ? 1 : rows < weights->n_post ? rows : weights->n_post;
}

pf_status pf_standing_rows(const pf_standing_run *run, size_t plastic, int64_t row0, int64_t n_rows,
                           pf_real *states, pf_error *error)
{
  const pf_workspace *workspace = run->workspace;
  const pf_weights *weights = &workspace->weights[workspace->model->plastic[plastic].projection];
  const size_t cells = (size_t)(n_rows * weights->ldw);
  if (!workspace->keeps_states) {
    return pf_coupled_rows(run, plastic, row0, n_rows, states, error);
  }
  for (int64_t k = 0; k <= workspace->n_changes; k++) {
    memcpy(states + (size_t)k * cells, pf_weights_state(weights, k) + row0 * weights->ldw,
           cells * sizeof *states);
  }
  return PF_OK;
}
