#include "core/state/workspace.h"

#include "core/base/memory.h"
#include "core/state/kernels.h"
#include "core/state/trajectory.h"

/** What `initial` of the network is given, and what losses fill. */
static pf_status make_arrays(pf_workspace *workspace, pf_error *error)
{
  const pf_model *model = workspace->model;
  const size_t n_steps = (size_t)workspace->capacity;
  workspace->segments = pf_memory_need(2 * n_steps, sizeof *workspace->segments, error);
  workspace->initial_w = pf_memory_need(model->n_projections, sizeof *workspace->initial_w, error);
  workspace->initial_ldw =
      pf_memory_need(model->n_projections, sizeof *workspace->initial_ldw, error);
  workspace->initial_state =
      pf_memory_need(model->n_populations, sizeof *workspace->initial_state, error);
  workspace->initial_ld_state =
      pf_memory_need(model->n_populations, sizeof *workspace->initial_ld_state, error);
  workspace->log_likelihood = pf_memory_need(n_steps, sizeof(double), error);
  workspace->cotangent = pf_memory_need(n_steps, sizeof(double), error);
  workspace->count = pf_memory_need(n_steps, sizeof(int64_t), error);
  workspace->scored = pf_memory_need(n_steps, 1, error);
  if (workspace->segments == NULL || workspace->initial_w == NULL ||
      workspace->initial_ldw == NULL || workspace->initial_state == NULL ||
      workspace->initial_ld_state == NULL || workspace->log_likelihood == NULL ||
      workspace->cotangent == NULL || workspace->count == NULL || workspace->scored == NULL) {
    return PF_STOP;
  }
  for (size_t p = 0; p < model->n_populations; p++) {
    workspace->initial_ld_state[p] = workspace->activity[p].ld;
  }
  for (size_t q = 0; q < model->n_projections; q++) {
    workspace->initial_ldw[q] = workspace->weights[q].ldw;
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
  pf_status status = pf_trajectory_make(workspace, error);
  if (status == PF_OK) {
    status = make_arrays(workspace, error);
  }
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
  if (workspace->attached != NULL) {
    workspace->free_attached(workspace->attached);
  }
  pf_trajectory_free(workspace);
  pf_memory_free(workspace->segments);
  pf_memory_free(workspace->initial_w);
  pf_memory_free(workspace->initial_ldw);
  pf_memory_free(workspace->initial_state);
  pf_memory_free(workspace->initial_ld_state);
  pf_memory_free(workspace->log_likelihood);
  pf_memory_free(workspace->cotangent);
  pf_memory_free(workspace->count);
  pf_memory_free(workspace->scored);
  pf_pool_free(&workspace->arena);
  pf_pool_free(&workspace->lane_theta);
  pf_pool_free(&workspace->lane_pre);
  pf_memory_free(workspace);
}

const pf_real *pf_workspace_observable(const pf_workspace *workspace, int64_t observable,
                                       int64_t *n, int64_t *ld)
{
  const pf_observable *info = &workspace->model->observables[observable];
  const pf_activity *activity = &workspace->activity[info->population];
  *n = activity->n;
  *ld = activity->ld;
  return activity->signals + info->signal * activity->plane_stride;
}

int64_t pf_workspace_n_changes(const pf_workspace *workspace)
{
  return workspace->n_changes;
}

static const pf_weights *weights_of(const pf_workspace *workspace, size_t plastic)
{
  return &workspace->weights[workspace->model->plastic[plastic].projection];
}

const pf_real *pf_workspace_weights(const pf_workspace *workspace, size_t plastic, int64_t k,
                                    int64_t *ld)
{
  const pf_weights *weights = weights_of(workspace, plastic);
  *ld = weights->ldw;
  return pf_weights_state(weights, k);
}

int64_t pf_workspace_ld(const pf_workspace *workspace, size_t plastic)
{
  return weights_of(workspace, plastic)->ldw;
}

int64_t pf_workspace_rows_at_once(const pf_workspace *workspace, size_t plastic)
{
  const pf_weights *weights = weights_of(workspace, plastic);
  const size_t row = (size_t)(workspace->n_changes + 1) * (size_t)weights->ldw * sizeof(pf_real);
  const int64_t rows = (int64_t)(((size_t)4 << 20) / row);
  if (rows < 1) {
    return 1;
  }
  return rows < weights->n_post ? rows : weights->n_post;
}
