#include "core/model/phases.h"

static bool is_plastic(const pf_model *model, size_t q)
{
  for (size_t k = 0; k < model->n_plastic; k++) {
    if (model->plastic[k].projection == (int64_t)q) {
      return true;
    }
  }
  return false;
}

/** Move a population from one phase to another; did it change? */
static bool move_phase(pf_model *model, int64_t population, enum pf_phase from, enum pf_phase to)
{
  if (model->phase[population] != from) {
    return false;
  }
  model->phase[population] = (uint8_t)to;
  return true;
}

/** PLASTIC: what plastic projections join, and everything that leads there; one pass. */
static bool mark_leading(pf_model *model)
{
  bool changed = false;
  for (size_t q = 0; q < model->n_projections; q++) {
    const pf_projection *projection = &model->projections[q];
    const bool plastic = is_plastic(model, q);
    if (plastic && move_phase(model, projection->post, PF_PHASE_AFTER, PF_PHASE_PLASTIC)) {
      changed = true;
    }
    if ((plastic || model->phase[projection->post] == PF_PHASE_PLASTIC) &&
        move_phase(model, projection->pre, PF_PHASE_AFTER, PF_PHASE_PLASTIC)) {
      changed = true;
    }
  }
  return changed;
}

/** Of those BEFORE, the ones that a plastic weight influences are PLASTIC; one pass. */
static bool mark_influenced(pf_model *model)
{
  bool changed = false;
  for (size_t q = 0; q < model->n_projections; q++) {
    const pf_projection *projection = &model->projections[q];
    const bool influenced =
        is_plastic(model, q) || model->phase[projection->pre] == PF_PHASE_PLASTIC;
    if (influenced && move_phase(model, projection->post, PF_PHASE_BEFORE, PF_PHASE_PLASTIC)) {
      changed = true;
    }
  }
  return changed;
}

/** Has the population a state, or does it see the step before? */
static bool has_memory(const pf_model *model, size_t p)
{
  if (model->populations[p].n_state > 0) {
    return true;
  }
  for (size_t q = 0; q < model->n_projections; q++) {
    const pf_projection *projection = &model->projections[q];
    if (projection->post == (int64_t)p && projection->when == PF_PRE_PREVIOUS) {
      return true;
    }
  }
  return false;
}

void pf_model_choose_phases(pf_model *model)
{
  for (size_t p = 0; p < model->n_populations; p++) {
    model->phase[p] = p == 0 ? PF_PHASE_INPUT : PF_PHASE_AFTER;
  }
  /* projections may lead back (PF_PRE_PREVIOUS), so marks spread until nothing changes */
  while (mark_leading(model)) {
  }
  for (size_t p = 1; p < model->n_populations; p++) {
    (void)move_phase(model, (int64_t)p, PF_PHASE_PLASTIC, PF_PHASE_BEFORE);
  }
  while (mark_influenced(model)) {
  }
  for (size_t p = 1; p < model->n_populations; p++) {
    if (has_memory(model, p)) {
      model->stepwise[model->phase[p]] = true;
    }
  }
}
