/* A rule whose changes no loss can see has no coefficients to be found: told before a fit, not
 * after. */
#include "core/base/text.h"
#include "core/layout/layout.h"
#include "core/problem/build.h"
#include "core/model/reach.h"

static bool has_free_parameters(const pf_model *model, const pf_plastic *plastic)
{
  bool any = false;
  for (size_t i = 0; i < plastic->declared.parameters.count; i++) {
    any = any || pf_is_free(&model->parameters[plastic->theta0 + i]);
  }
  return any;
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

pf_status pf_build_check_seen(const pf_problem *problem, const pf_model *model, pf_error *error)
{
  pf_status status = PF_OK;
  for (size_t p = 0; p < model->n_plastic && status == PF_OK; p++) {
    const pf_plastic *plastic = &model->plastic[p];
    const pf_projection *projection =
        pf_table_at(model->declared.projections.items, model->declared.projections.stride,
                    model->declared.projections.count, (size_t)plastic->projection);
    int64_t n_changing = 0;
    bool seen = false;
    if (!has_free_parameters(model, plastic)) {
      continue;
    }
    status = pf_model_reach(model, p, &n_changing, &seen, error);
    if (status == PF_OK && n_changing == 0) {
      status = pf_fail(
          error, PF_STOP,
          "no synapse of '%s' changes by %s: where `connected` and `plastic` are both 1 there are "
          "none; expected at least one",
          projection->name, plastic->rule->label);
    } else if (status == PF_OK && !seen) {
      pf_text names = {0};
      name_observables(model, &names);
      status =
          pf_fail(error, PF_STOP,
                  "no loss can see what %s changes in '%s': from there no synapse leads on to what "
                  "they look at "
                  "(%s); connect it, or add a loss that looks at it",
                  plastic->rule->label, projection->name, names.text == NULL ? "" : names.text);
      pf_text_free(&names);
    }
    if (status != PF_OK) {
      const pf_node *listed = pf_node_get(problem->models->network.node, "projections");
      pf_error_locate(error, problem->config,
                      listed != NULL ? listed : problem->models->network.node);
    }
  }
  return status;
}
