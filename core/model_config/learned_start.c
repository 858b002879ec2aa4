#include "core/model_config/learned_start.h"

#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/model/starting_weights.h"

#include <string.h>

/** Is projection q named in the list, or, without one, does it have a rule? */
static bool is_chosen(const pf_start_settings *settings, const pf_model *model, size_t q)
{
  const pf_names chosen = settings->projections;
  for (size_t i = 0; i < chosen.count; i++) {
    if (strcmp(chosen.items[i], pf_projection_at(model, q)->name) == 0) {
      return true;
    }
  }
  for (size_t p = 0; chosen.count == 0 && p < model->n_plastic; p++) {
    if (model->plastic[p].projection == (int64_t)q) {
      return true;
    }
  }
  return false;
}

static pf_status check_names(const pf_start_settings *settings, const pf_model *model,
                             pf_error *error)
{
  const pf_names chosen = settings->projections;
  pf_status status = PF_OK;
  pf_names names = {0};
  if (chosen.count == 0) {
    return PF_OK;
  }
  if (pf_projection_names(model, &names, error) != PF_OK) {
    return PF_STOP;
  }
  for (size_t i = 0; i < chosen.count; i++) {
    int64_t n_post = 0, n_pre = 0;
    if (pf_model_projection(model, chosen.items[i], &n_post, &n_pre) < 0) {
      const char *near = pf_text_nearest(chosen.items[i], names);
      status =
          pf_fail(error, PF_STOP,
                  "initial_weights.projections: %s has no projection '%s'; did you mean '%s'?",
                  model->network->label, chosen.items[i], near == NULL ? names.items[0] : near);
      break;
    }
  }
  pf_memory_free((void *)names.items);
  return status;
}

static pf_status check_settings(const pf_start_settings *settings, const pf_model *model,
                                pf_error *error)
{
  if (check_names(settings, model, error) != PF_OK) {
    return PF_STOP;
  }
  if (settings->file != NULL) {
    return pf_fail(error, PF_STOP,
                   "initial_weights has `file`, which states the starting weights, and `learn`, "
                   "which fits them; remove one");
  }
  if (!(settings->lower <= settings->upper)) {
    return pf_fail(error, PF_STOP,
                   "initial_weights: found lower = %g above upper = %g, expected the other way "
                   "round",
                   settings->lower, settings->upper);
  }
  return PF_OK;
}

static pf_status learn_chosen(const pf_start_settings *settings, pf_model *model, pf_error *error)
{
  const pf_start_spec spec = {.scope = settings->scope,
                              .lower = settings->lower,
                              .upper = settings->upper,
                              .l1 = settings->l1,
                              .l2 = settings->l2};
  const uint32_t mode = settings->learn == PF_LEARN_EACH ? PF_START_EACH : PF_START_MEAN_SD;
  for (size_t q = 0; q < model->n_projections; q++) {
    if (is_chosen(settings, model, q) &&
        pf_model_learn_start(model, (int64_t)q, mode, &spec, error) != PF_OK) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

pf_status pf_learned_start(const pf_models *models, const pf_start_settings *settings,
                           pf_model *model, pf_error *error)
{
  if (settings->learn == PF_LEARN_NOTHING) {
    return PF_OK;
  }
  if (check_settings(settings, model, error) != PF_OK ||
      learn_chosen(settings, model, error) != PF_OK) {
    pf_error_locate(error, models->config, pf_node_get(models->network.node, "initial_weights"));
    return PF_STOP;
  }
  return PF_OK;
}
