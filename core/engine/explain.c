#include "core/engine/explain.h"

#include "core/base/memory.h"
#include "core/engine/plan.h"
#include "core/engine/sweep.h"

static const pf_population *population_at(const pf_model *model, size_t p)
{
  const pf_population_table *table = &model->needs.populations;
  return pf_table_at(table->items, table->stride, table->count, p);
}

static const pf_projection *projection_at(const pf_model *model, size_t q)
{
  const pf_projection_table *table = &model->needs.projections;
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
  for (size_t p = 1; p < model->needs.populations.count; p++) {
    const pf_population *population = population_at(model, p);
    cells += (size_t)n_steps * (size_t)pf_leading_dimension(population->n) * (1 + population->signals.count);
  }
  return cells * sizeof(pf_real);
}

static size_t weight_bytes(const pf_model *model)
{
  size_t cells = 0;
  for (size_t q = 0; q < model->needs.projections.count; q++) {
    const pf_projection *projection = projection_at(model, q);
    cells += (size_t)population_at(model, (size_t)projection->post)->n * row_cells(model, projection);
  }
  return cells * sizeof(pf_real);
}

/** Of the plastic projections onto population p. */
static size_t plastic_row_bytes(const pf_model *model, size_t p)
{
  size_t cells = 0;
  for (size_t k = 0; k < model->n_plastic; k++) {
    const pf_projection *projection = projection_at(model, (size_t)model->plastic[k].projection);
    cells += projection->post == (int64_t)p ? row_cells(model, projection) : 0;
  }
  return cells * sizeof(pf_real);
}

pf_status pf_explain(const pf_model *model, const pf_recording *recording, pf_explained *out, pf_error *error)
{
  const int64_t n_steps = recording->n_steps;
  pf_run *runs = pf_memory_need((size_t)n_steps, sizeof *runs, error);
  if (runs == NULL) {
    return PF_STOP;
  }
  const int64_t n_runs = pf_plan_runs(recording->flags, n_steps, 0, runs);
  pf_explained told = {.swept = pf_sweep_can(model)};
  for (int64_t r = 0; r < n_runs; r++) {
    told.n_changes += runs[r].changes;
  }
  pf_memory_free(runs);
  size_t all_states = 0, largest = 0;
  for (size_t p = 1; p < model->needs.populations.count; p++) {
    const int64_t n = population_at(model, p)->n;
    const size_t row = plastic_row_bytes(model, p);
    if (row == 0) {
      continue;
    }
    all_states += (size_t)n * row * (size_t)(told.n_changes + 1);
    const pf_block_plan plan = pf_plan_blocks(n, row, n_runs, model->state_budget);
    const size_t bytes = pf_plan_bytes(&plan, row, n_runs);
    if (told.swept && bytes > largest) { /* one population after the other, in the same memory */
      largest = bytes;
      told.rows = plan.rows;
      told.n_blocks = plan.n_blocks;
      told.interval = plan.interval < n_runs ? plan.interval : 0;
    } else if (!told.swept && n > told.rows) {
      told.rows = n;
      told.n_blocks = 1;
    }
  }
  const size_t trajectory = trajectory_bytes(model, n_steps), weights = weight_bytes(model);
  told.forward_bytes = trajectory + weights + (told.swept ? largest : all_states);
  told.bytes = 2 * (trajectory + weights) + (told.swept ? largest : all_states);
  *out = told;
  return PF_OK;
}
