#include "core/engine/workspace.h"

#include "core/base/memory.h"
#include "core/engine/kernels.h"
#include "core/engine/trajectory.h"

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
    pf_activity_make(workspace, p);
    workspace->initial_ld_state[p] = workspace->activity[p].ld;
    max_units = workspace->activity[p].n > max_units ? workspace->activity[p].n : max_units;
  }
  workspace->zeros = pf_memory_need((size_t)max_units, sizeof *workspace->zeros, error);
  if (workspace->zeros == NULL) {
    return PF_STOP;
  }
  for (size_t q = 0; q < n_projections; q++) {
    pf_weights_make(workspace, q);
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
  workspace->kernels = pf_kernels_choose();
  workspace->capacity = n_steps;
  pf_status status = make_all(workspace, error);
  if (status != PF_OK) {
    pf_workspace_free(workspace);
    return status;
  }
  *out = workspace;
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
  if (workspace->attached != NULL) {
    workspace->free_attached(workspace->attached);
  }
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
