#include "core/model/phases.h"

static const pf_population *population_at(const pf_model *model, int64_t i)
{
  const pf_population_table *table = &model->declared.populations;
  return i < 0 ? NULL : pf_table_at(table->items, table->stride, table->count, (size_t)i);
}

static const pf_projection *projection_at(const pf_model *model, int64_t i)
{
  const pf_projection_table *table = &model->declared.projections;
  return i < 0 ? NULL : pf_table_at(table->items, table->stride, table->count, (size_t)i);
}

static bool is_plastic(const pf_model *model, size_t q)
{
  for (size_t k = 0; k < model->n_plastic; k++) {
    if (model->plastic[k].projection == (int64_t)q) {
      return true;
    }
  }
  return false;
}

/**
 * PLASTIC: what plastic projections reach or start from, and everything that leads there. Of those,
 * BEFORE: what no plastic weight influences. AFTER: the rest. Projections may lead back
 * (PF_PRE_PREVIOUS), so marks spread until nothing changes.
 */
void pf_model_choose_phases(pf_model *model)
{
  const size_t n = model->declared.populations.count,
               n_projections = model->declared.projections.count;
  for (size_t p = 0; p < n; p++) {
    model->phase[p] = p == 0 ? PF_PHASE_INPUT : PF_PHASE_AFTER;
  }
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t q = 0; q < n_projections; q++) {
      const pf_projection *projection = projection_at(model, (int64_t)q);
      const bool plastic = is_plastic(model, q);
      if (plastic && model->phase[projection->post] == PF_PHASE_AFTER) {
        model->phase[projection->post] = PF_PHASE_PLASTIC;
        changed = true;
      }
      if ((plastic || model->phase[projection->post] == PF_PHASE_PLASTIC) &&
          model->phase[projection->pre] == PF_PHASE_AFTER) {
        model->phase[projection->pre] = PF_PHASE_PLASTIC;
        changed = true;
      }
    }
  }
  for (size_t p = 1; p < n; p++) {
    model->phase[p] = model->phase[p] == PF_PHASE_PLASTIC ? PF_PHASE_BEFORE : model->phase[p];
  }
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t q = 0; q < n_projections; q++) {
      const pf_projection *projection = projection_at(model, (int64_t)q);
      const bool influenced =
          is_plastic(model, q) || model->phase[projection->pre] == PF_PHASE_PLASTIC;
      if (influenced && model->phase[projection->post] == PF_PHASE_BEFORE) {
        model->phase[projection->post] = PF_PHASE_PLASTIC;
        changed = true;
      }
    }
  }
  for (size_t p = 1; p < n; p++) {
    bool remembers = population_at(model, (int64_t)p)->n_state > 0;
    for (size_t q = 0; q < n_projections; q++) {
      const pf_projection *projection = projection_at(model, (int64_t)q);
      remembers =
          remembers || (projection->post == (int64_t)p && projection->when == PF_PRE_PREVIOUS);
    }
    model->stepwise[model->phase[p]] = model->stepwise[model->phase[p]] || remembers;
  }
}
