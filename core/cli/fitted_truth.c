#define _POSIX_C_SOURCE 200809L

#include "core/cli/fitted_truth.h"

#include "core/base/memory.h"
#include "core/base/text.h"

#include <stdlib.h>
#include <string.h>

/** The text becomes an item of `out`. */
static pf_status keep_text(pf_text *text, pf_array *out, pf_error *error)
{
  char **item = text->failed ? NULL : pf_array_append(out, error);
  if (item == NULL) {
    pf_text_free(text);
    return pf_fail(error, PF_STOP, "out of memory");
  }
  *item = text->text;
  *text = (pf_text){0};
  return PF_OK;
}

/** source.truth={ rules: { learn: { ... }; }; }, as the run's config has the rules. */
static pf_status add_rules(const pf_problem *run, pf_array *out, pf_error *error)
{
  const pf_models *models = run->models;
  pf_text text = {0};
  pf_text_add(&text, "source.truth={ rules: {");
  for (size_t p = 0; p < models->n_rules; p++) {
    char *rule = pf_node_text(models->rules[p].node, error);
    if (rule == NULL) {
      pf_text_free(&text);
      return PF_STOP;
    }
    pf_text_add(&text, " %s: %s;", models->owners[p] + strlen("rules."), rule);
    free(rule);
  }
  pf_text_add(&text, " }; }");
  return keep_text(&text, out, error);
}

static pf_status add_value(const char *owner, const char *name, double value, bool is_rule,
                           pf_array *out, pf_error *error)
{
  pf_text text = {0};
  if (is_rule) {
    pf_text_add(&text, "source.truth.%s.parameters.%s={ value=%.17g; }", owner, name, value);
  } else {
    pf_text_add(&text, "%s.parameters.%s.value=%.17e", owner, name, value);
  }
  return keep_text(&text, out, error);
}

static pf_status add_values(const pf_problem *run, const double *theta, pf_array *out,
                            pf_error *error)
{
  const pf_model *model = run->model;
  for (size_t i = 0; i < model->start_theta0; i++) {
    const pf_model_parameter *parameter = &model->parameters[i];
    const bool is_rule = i < model->network_theta0;
    const bool is_hosts = (model->forgets && i == model->forgetting_theta) ||
                          (model->learns_input_sd && i == model->input_sd_theta);
    if (is_hosts || (!is_rule && !pf_is_free(parameter))) {
      continue;
    }
    const pf_status status =
        add_value(parameter->owner, parameter->declared.name, theta[i], is_rule, out, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

pf_status pf_fitted_truth(const pf_problem *run, const pf_fit *fit, pf_array *out, pf_error *error)
{
  const pf_fit_group *group = &fit->groups[0];
  if (fit->n_groups != 1 || group->status != PF_OK) {
    return PF_OK;
  }
  for (size_t s = 0; s < group->layout->n_instances; s++) {
    const size_t i = group->layout->instances[s].parameter;
    if (i < run->model->start_theta0 && group->layout->scope[i] != PF_SCOPE_SHARED &&
        group->layout->n_recordings > 1) {
      return PF_OK;
    }
  }
  double *theta = pf_memory_need(run->model->n_parameters, sizeof *theta, error);
  if (theta == NULL) {
    return PF_STOP;
  }
  pf_layout_theta(group->layout, group->values, 0, theta);
  pf_status status = add_rules(run, out, error);
  if (status == PF_OK) {
    status = add_values(run, theta, out, error);
  }
  pf_memory_free(theta);
  return status;
}

void pf_fitted_truth_free(pf_array *overrides)
{
  for (size_t i = 0; i < overrides->n; i++) {
    free(((char **)overrides->items)[i]);
  }
  pf_array_free(overrides);
}
