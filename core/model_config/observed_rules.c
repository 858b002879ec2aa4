#include "core/model_config/observed_rules.h"

#include "core/base/text.h"
#include "core/layout/layout.h"
#include "core/model/reach.h"

static bool has_free_parameters(const pf_model *model, const pf_plastic *plastic)
{
  for (size_t i = 0; i < plastic->declared.parameters.count; i++) {
    if (pf_is_free(&model->parameters[plastic->theta0 + i])) {
      return true;
    }
  }
  return false;
}

/** "logit, layer1" */
static void name_observables(const pf_model *model, pf_text *text)
{
  for (size_t k = 0; k < model->n_losses; k++) {
    for (size_t o = 0; o < model->losses[k].declared.observables.count; o++) {
      pf_text_add(text, "%s%s", text->text == NULL ? "" : ", ",
                  model->losses[k].declared.observables.items[o]);
    }
  }
}

static pf_status check_rule(const pf_model *model, size_t p, pf_error *error)
{
  const pf_plastic *plastic = &model->plastic[p];
  const char *projection = pf_projection_at(model, (size_t)plastic->projection)->name;
  int64_t n_changing = 0;
  bool seen = false;
  if (!has_free_parameters(model, plastic)) {
    return PF_OK;
  }
  if (pf_model_reach(model, p, &n_changing, &seen, error) != PF_OK) {
    return PF_STOP;
  }
  if (n_changing == 0) {
    return pf_fail(
        error, PF_STOP,
        "no synapse of '%s' changes by %s: where `connected` and `plastic` are both 1 there are "
        "none; expected at least one",
        projection, plastic->rule->label);
  }
  if (seen) {
    return PF_OK;
  }
  pf_text names = {0};
  name_observables(model, &names);
  (void)pf_fail(error, PF_STOP,
                "no loss can see what %s changes in '%s': from there no synapse leads on to what "
                "they look at (%s); connect it, or add a loss that looks at it",
                plastic->rule->label, projection, names.text == NULL ? "" : names.text);
  pf_text_free(&names);
  return PF_STOP;
}

pf_status pf_check_observed(const pf_models *models, const pf_model *model, pf_error *error)
{
  for (size_t p = 0; p < model->n_plastic; p++) {
    if (check_rule(model, p, error) != PF_OK) {
      const pf_node *listed = pf_models_entries(models);
      pf_error_locate(error, models->config, listed != NULL ? listed : models->network.node);
      return PF_STOP;
    }
  }
  return PF_OK;
}
