#include "core/engine/explain.h"

#include "core/base/memory.h"
#include "core/engine/checkpoint_plan.h"
#include "core/engine/coupled.h"
#include "core/engine/sweep.h"
#include "core/state/segments.h"
#include "core/state/trajectory.h"
#include "core/state/workspace.h"

/** Drives, signals and states of all steps. */
static size_t trajectory_bytes(const pf_model *model, int64_t n_steps)
{
  size_t cells = 0;
  for (size_t p = 1; p < model->n_populations; p++) {
    const pf_population *population = &model->populations[p];
    cells += (size_t)n_steps * (size_t)pf_leading_dimension(population->n) *
             (1 + population->signals.count + (size_t)population->n_state);
  }
  return cells * sizeof(pf_real);
}

static size_t weight_bytes(const pf_workspace *workspace)
{
  size_t cells = 0;
  for (size_t q = 0; q < workspace->model->n_projections; q++) {
    cells += workspace->weights[q].cells;
  }
  return cells * sizeof(pf_real);
}

/** The synaptic state of a row of the plastic projections onto population p. */
static size_t plastic_row_bytes(const pf_workspace *workspace, size_t p)
{
  size_t cells = 0;
  for (size_t q = 0; q < workspace->model->n_projections; q++) {
    const pf_weights *weights = &workspace->weights[q];
    if (weights->plastic != NULL && weights->info->post == (int64_t)p) {
      cells += pf_synaptic_cells(workspace->model, weights, 1);
    }
  }
  return cells * sizeof(pf_real);
}

/** By blocks of rows: what the population whose states take most takes. */
static size_t explain_sweep(const pf_workspace *workspace, int64_t n_segments, pf_explained *out)
{
  const pf_model *model = workspace->model;
  size_t largest = 0;
  for (size_t p = 1; p < model->n_populations; p++) {
    const size_t row = plastic_row_bytes(workspace, p);
    if (row == 0) {
      continue;
    }
    const pf_block_plan plan =
        pf_plan_blocks(model->populations[p].n, row, n_segments, model->state_budget);
    const size_t bytes = pf_plan_bytes(&plan, row, n_segments);
    if (bytes > largest) { /* one population after the other, in the same memory */
      largest = bytes;
      out->rows = plan.rows;
      out->n_blocks = plan.n_blocks;
      out->interval = plan.interval < n_segments ? plan.interval : 0;
    }
  }
  return largest;
}

/** The coupled path: buffers of all synaptic states, and scratch. */
static size_t explain_coupled(const pf_workspace *workspace, int64_t n_segments, pf_explained *out,
                              size_t *forward)
{
  const pf_model *model = workspace->model;
  size_t buffer = 0, scratch = 0;
  int64_t kept = 0, checkpoints = 0;
  pf_coupled_cells(workspace, &buffer, &scratch);
  const int64_t interval =
      pf_plan_interval(buffer * sizeof(pf_real), n_segments, model->state_budget);
  const size_t n_buffers = pf_plan_buffers(interval, n_segments, &kept, &checkpoints);
  for (size_t p = 1; p < model->n_populations; p++) {
    const int64_t n = model->populations[p].n;
    if (plastic_row_bytes(workspace, p) > 0 && n > out->rows) {
      out->rows = n;
    }
  }
  out->n_blocks = 1;
  out->interval = interval < n_segments ? interval : 0;
  *forward = (2 * buffer + scratch) * sizeof(pf_real);
  return (n_buffers * buffer + scratch) * sizeof(pf_real);
}

/** The segments of the recording; *n_changes: of its weights. -1: no memory. */
static int64_t count_segments(const pf_model *model, const pf_recording *recording,
                              int64_t *n_changes, pf_error *error)
{
  pf_segment *segments = pf_memory_need(2 * (size_t)recording->n_steps, sizeof *segments, error);
  if (segments == NULL) {
    return -1;
  }
  const pf_segmentation cut = {.flags = recording->flags,
                               .gap = model->forgets ? recording->gap : NULL,
                               .n_steps = recording->n_steps,
                               .every_step = pf_model_has_traces(model)};
  const int64_t n = pf_segments_make(&cut, segments);
  *n_changes = pf_segments_changes(segments, n);
  pf_memory_free(segments);
  return n;
}

pf_status pf_explain(const pf_model *model, const pf_recording *recording, pf_explained *out,
                     pf_error *error)
{
  pf_workspace *workspace = NULL; /* a short one, for the sizes of things */
  *out = (pf_explained){.swept = pf_sweep_can(model)};
  const int64_t n_segments = count_segments(model, recording, &out->n_changes, error);
  if (n_segments < 0 || pf_workspace_create(model, 1, &workspace, error) != PF_OK) {
    return PF_STOP;
  }
  const size_t trajectory = trajectory_bytes(model, recording->n_steps);
  const size_t weights = weight_bytes(workspace);
  size_t states = 0, forward = 0;
  if (out->swept) {
    states = forward = explain_sweep(workspace, n_segments, out);
  } else {
    states = explain_coupled(workspace, n_segments, out, &forward);
  }
  pf_workspace_free(workspace);
  out->forward_bytes = trajectory + weights + forward;
  out->bytes = 2 * (trajectory + weights) + states;
  return PF_OK;
}
