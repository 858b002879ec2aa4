#include "core/truth/names.h"
#include "core/base/memory.h"
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
