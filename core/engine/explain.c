#include "core/engine/explain.h"

#include "core/base/memory.h"
#include "core/engine/checkpoint_plan.h"
#include "core/engine/coupled.h"
#include "core/engine/segments.h"
#include "core/engine/sweep.h"
#include "core/engine/trajectory.h"
#include "core/engine/workspace.h"

static const pf_population *population_at(const pf_model *model, size_t p)
{
  const pf_population_table *table = &model->declared.populations;
  return pf_table_at(table->items, table->stride, table->count, p);
}

static const pf_projection *projection_at(const pf_model *model, size_t q)
{
  const pf_projection_table *table = &model->declared.projections;
  return pf_table_at(table->items, table->stride, table->count, q);
}

/** Cells of a row of a projection, as they lie in memory. */
static size_t row_cells(const pf_model *model, const pf_projection *projection)
{
  return (size_t)pf_leading_dimension(population_at(model, (size_t)projection->pre)->n);
}

/** Drives and signals of all steps. */
static size_t trajectory_bytes(const pf_model *model, int64_t n_steps)
{
  size_t cells = 0;
  for (size_t p = 1; p < model->declared.populations.count; p++) {
    const pf_population *population = population_at(model, p);
    cells += (size_t)n_steps * (size_t)pf_leading_dimension(population->n) *
             (1 + population->signals.count + (size_t)population->n_state);
  }
  return cells * sizeof(pf_real);
}

static size_t weight_bytes(const pf_model *model)
{
  size_t cells = 0;
  for (size_t q = 0; q < model->declared.projections.count; q++) {
    const pf_projection *projection = projection_at(model, q);
    cells +=
        (size_t)population_at(model, (size_t)projection->post)->n * row_cells(model, projection);
  }
  return cells * sizeof(pf_real);
}

/** What a row of the plastic projections onto population p carries from step to step: weights and
 * traces. */
static size_t plastic_row_bytes(const pf_model *model, const pf_workspace *workspace, size_t p)
{
  size_t cells = 0;
  for (size_t q = 0; q < model->declared.projections.count; q++) {
    const pf_weights *weights = &workspace->weights[q];
    if (weights->plastic != NULL && weights->info->post == (int64_t)p) {
      cells += pf_synaptic_cells(model, weights, 1);
    }
  }
  return cells * sizeof(pf_real);
}

/** By blocks of rows: what the population whose states take most takes. */
static size_t explain_sweep(const pf_model *model, const pf_workspace *workspace,
                            int64_t n_segments, pf_explained *told)
{
  size_t largest = 0;
  for (size_t p = 1; p < model->declared.populations.count; p++) {
    const size_t row = plastic_row_bytes(model, workspace, p);
    if (row == 0) {
      continue;
    }
    const pf_block_plan plan =
        pf_plan_blocks(population_at(model, p)->n, row, n_segments, model->state_budget);
    const size_t bytes = pf_plan_bytes(&plan, row, n_segments);
    if (bytes > largest) { /* one population after the other, in the same memory */
      largest = bytes;
      told->rows = plan.rows;
      told->n_blocks = plan.n_blocks;
      told->interval = plan.interval < n_segments ? plan.interval : 0;
    }
  }
  return largest;
}

/** Step by step: slots of all that is carried, and scratch. */
static size_t explain_coupled(const pf_model *model, const pf_workspace *workspace,
                              int64_t n_segments, pf_explained *told, size_t *forward)
{
  size_t buffer = 0, scratch = 0;
  int64_t kept = 0, checkpoints = 0;
  pf_coupled_cells(workspace, &buffer, &scratch);
  const int64_t interval =
      pf_plan_interval(buffer * sizeof(pf_real), n_segments, model->state_budget);
  const size_t n_buffers = pf_plan_buffers(interval, n_segments, &kept, &checkpoints);
  for (size_t p = 1; p < model->declared.populations.count; p++) {
    const int64_t n = population_at(model, p)->n;
    told->rows = plastic_row_bytes(model, workspace, p) > 0 && n > told->rows ? n : told->rows;
  }
  told->n_blocks = 1;
  told->interval = interval < n_segments ? interval : 0;
  *forward = (2 * buffer + scratch) * sizeof(pf_real);
  return (n_buffers * buffer + scratch) * sizeof(pf_real);
}

pf_status pf_explain(const pf_model *model, const pf_recording *recording, pf_explained *out,
                     pf_error *error)
{
  const int64_t n_steps = recording->n_steps;
  pf_workspace *workspace = NULL; /* a short one, for the sizes of things */
  pf_segment *segments = pf_memory_need(2 * (size_t)n_steps, sizeof *segments, error);
  if (segments == NULL || pf_workspace_create(model, 1, &workspace, error) != PF_OK) {
    pf_memory_free(segments);
    return PF_STOP;
  }
  const pf_segmentation cut = {.flags = recording->flags,
                               .gap = model->forgets ? recording->gap : NULL,
                               .n_steps = n_steps,
                               .every_step = pf_model_has_traces(model)};
  const int64_t n_segments = pf_segments_make(&cut, segments);
  pf_explained told = {.swept = pf_sweep_can(model)};
  for (int64_t r = 0; r < n_segments; r++) {
    told.n_changes += segments[r].changes;
  }
  pf_memory_free(segments);
  const size_t trajectory = trajectory_bytes(model, n_steps), weights = weight_bytes(model);
  size_t forward = 0;
  const size_t states = told.swept ? explain_sweep(model, workspace, n_segments, &told)
                                   : explain_coupled(model, workspace, n_segments, &told, &forward);
  pf_workspace_free(workspace);
  told.forward_bytes = trajectory + weights + (told.swept ? states : forward);
  told.bytes = 2 * (trajectory + weights) + states;
  *out = told;
  return PF_OK;
}
