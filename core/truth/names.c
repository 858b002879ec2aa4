#include "core/truth/names.h"
#include "core/base/memory.h"
#include "core/truth/polynomial.h"
#include <ctype.h>
#include <math.h>
#include <string.h>

/* ---- names ---- */

static bool is_unique(const pf_model *model, size_t i)
{
  for (size_t k = 0; k < model->start_theta0 && i < model->start_theta0;
       k++) { /* starting weights' names are unique */
    if (k != i && pf_is_reported(model, k) &&
        strcmp(model->parameters[k].declared.name, model->parameters[i].declared.name) == 0) {
      return false;
    }
  }
  return true;
}

pf_status pf_keys_create(const pf_model *model, char ***out, pf_error *error)
{
  char **keys = pf_memory_need(model->n_parameters, sizeof(char *), error);
  if (keys == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; i < model->n_parameters; i++) {
    const char *name = model->parameters[i].declared.name;
    const char *owner = model->parameters[i].owner;
    const bool alone = owner == NULL || is_unique(model, i);
    const size_t length = strlen(name) + (alone ? 0 : strlen(owner) + 1) + 1;
    keys[i] = pf_memory_need(length, 1, error);
    if (keys[i] == NULL) {
      pf_keys_free(model, keys);
      return PF_STOP;
    }
    (void)snprintf(keys[i], length, "%s%s%s", alone ? "" : owner, alone ? "" : ".", name);
  }
  *out = keys;
  return PF_OK;
}

void pf_keys_free(const pf_model *model, char **keys)
{
  for (size_t i = 0; keys != NULL && i < model->n_parameters; i++) {
    pf_memory_free(keys[i]);
  }
  pf_memory_free(keys);
}

bool pf_is_taylor_name(const char *name)
{
  static const char letters[] = "XYWR";
  for (size_t i = 0; i < 4; i++) {
    if (name[0] != letters[i] || !isdigit((unsigned char)name[1])) {
      return false;
    }
    name += 2;
  }
  return *name == '\0';
}

bool pf_is_reported(const pf_model *model, size_t i)
{
  const pf_parameter *declared = &model->parameters[i].declared;
  const pf_parameter *plugins = NULL;
  if (i < model->network_theta0 || i >= model->start_theta0 || pf_is_free(&model->parameters[i]) ||
      model->parameters[i].tied) {
    return true;
  }
  if (i < model->network_theta0 + model->declared.parameters.count) {
    const pf_parameter_table *table = &model->declared.parameters;
    plugins = pf_table_at(table->items, table->stride, table->count, i - model->network_theta0);
  }
  for (size_t k = 0; k < model->n_losses && plugins == NULL; k++) {
    const pf_parameter_table *table = &model->losses[k].declared.parameters;
    plugins = i < model->losses[k].theta0 ? NULL
                                          : pf_table_at(table->items, table->stride, table->count,
                                                        i - model->losses[k].theta0);
  }
  return plugins == NULL || plugins->initial != declared->initial;
}

/* ---- truth ---- */

static bool all_taylor(const pf_plastic *plastic)
{
  const pf_parameter_table *table = &plastic->declared.parameters;
  for (size_t i = 0; i < table->count; i++) {
    const pf_parameter *parameter = pf_table_at(table->items, table->stride, table->count, i);
    if (!pf_is_taylor_name(parameter->name)) {
      return false;
    }
  }
  return true;
}

static bool same_modulators(const pf_plastic *a, const pf_plastic *b)
{
  if (a->declared.modulators.count != b->declared.modulators.count) {
    return false;
  }
  for (size_t m = 0; m < a->declared.modulators.count; m++) {
    if (!pf_linear_same(&a->modulators[m], &b->modulators[m])) {
      return false;
    }
  }
  return true;
}

/* A polynomial is fitted: the teacher's rule as a polynomial, whatever its plugin. */
static void polynomial_truth(const pf_problem *problem, const pf_plastic *model,
                             const pf_plastic *teacher, double *truth)
{
  double coefficients[PF_POLYNOMIAL_SIZE];
  if (!pf_polynomial_of_rule(teacher, &problem->models->teacher_theta[teacher->theta0],
                             coefficients)) {
    return;
  }
  if (!same_modulators(model, teacher)) { /* another r: only a rule without r can be compared */
    for (int i = 0; i < PF_POLYNOMIAL_SIZE; i++) {
      if (i % 3 != 0 && coefficients[i] != 0.0) {
        return;
      }
    }
  }
  for (size_t i = 0; i < model->declared.parameters.count; i++) {
    const char *name = problem->model->parameters[model->theta0 + i].declared.name;
    const int a = name[1] - '0';
    const int b = name[3] - '0';
    const int c = name[5] - '0';
    const int d = name[7] - '0';
    if (a <= 2 && b <= 2 && c <= 2 && d <= 2) {
      truth[model->theta0 + i] =
          coefficients[pf_polynomial_index(a, b, c, d)] * (teacher->eta / model->eta);
    }
  }
}

/* Both rules are of one plugin: parameters of one name mean the same, if what surrounds them is the
 * same. */
static void same_plugin_truth(const pf_problem *problem, const pf_plastic *model,
                              const pf_plastic *teacher, double *truth)
{
  if (strcmp(model->rule->plugin->name, teacher->rule->plugin->name) != 0 ||
      model->eta != teacher->eta || !same_modulators(model, teacher)) {
    return;
  }
  for (size_t i = 0; i < model->declared.parameters.count; i++) {
    const char *name = problem->model->parameters[model->theta0 + i].declared.name;
    for (size_t k = 0; k < teacher->declared.parameters.count; k++) {
      if (strcmp(problem->models->teacher->parameters[teacher->theta0 + k].declared.name, name) ==
          0) {
        truth[model->theta0 + i] = problem->models->teacher_theta[teacher->theta0 + k];
      }
    }
  }
}

static void rule_truth(const pf_problem *problem, size_t p, double *truth)
{
  const pf_plastic *model = &problem->model->plastic[p];
  const pf_plastic *teacher = &problem->models->teacher->plastic[p];
  if (model->projection != teacher->projection) {
    return;
  }
  if (all_taylor(model)) {
    polynomial_truth(problem, model, teacher, truth);
  } else {
    same_plugin_truth(problem, model, teacher, truth);
  }
}

static void other_truth(const pf_problem *problem, size_t i, double *truth)
{
  const pf_model_parameter *wanted = &problem->model->parameters[i];
  for (size_t k = problem->models->teacher->network_theta0;
       k < problem->models->teacher->n_parameters; k++) {
    const pf_model_parameter *have = &problem->models->teacher->parameters[k];
    if (have->owner != NULL && wanted->owner != NULL && strcmp(have->owner, wanted->owner) == 0 &&
        strcmp(have->declared.name, wanted->declared.name) == 0) {
      truth[i] = problem->models->teacher_theta[k];
    }
  }
}

pf_status pf_truth_create(const pf_problem *problem, double **out, pf_error *error)
{
  const pf_model *model = problem->model;
  double *truth = pf_memory_need(model->n_parameters, sizeof *truth, error);
  if (truth == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; i < model->n_parameters; i++) {
    truth[i] = NAN;
  }
  if (problem->models->teacher != NULL) {
    for (size_t p = 0; p < model->n_plastic && p < problem->models->teacher->n_plastic; p++) {
      rule_truth(problem, p, truth);
    }
    for (size_t i = model->network_theta0; i < model->n_parameters; i++) {
      other_truth(problem, i, truth);
    }
  }
  *out = truth;
  return PF_OK;
}
