#include "core/model/model.h"

#include "core/data/data_names.h"

#include <string.h>

int64_t pf_model_n_input(const pf_model *model)
{
  return model->populations[0].n;
}

pf_projection_size pf_model_projection_size(const pf_model *model, int64_t projection)
{
  const pf_projection *info = &model->projections[projection];
  return (pf_projection_size){model->populations[info->post].n, model->populations[info->pre].n};
}

int64_t pf_model_projection(const pf_model *model, const char *name, int64_t *n_post,
                            int64_t *n_pre)
{
  for (size_t q = 0; q < model->n_projections; q++) {
    const pf_projection *projection = &model->projections[q];
    if (strcmp(projection->name, name) == 0) {
      *n_post = model->populations[projection->post].n;
      *n_pre = model->populations[projection->pre].n;
      return (int64_t)q;
    }
  }
  return -1;
}

int64_t pf_model_observable(const pf_model *model, const char *name)
{
  for (size_t k = 0; k < model->n_observables; k++) {
    if (strcmp(model->observables[k].name, name) == 0) {
      return (int64_t)k;
    }
  }
  if (!pf_is_activity(name) || model->n_plastic == 0) {
    return -1;
  }
  const int64_t post = model->projections[model->plastic[0].projection].post;
  for (size_t k = 0; k < model->n_observables; k++) {
    if (model->observables[k].population == post && model->observables[k].signal == 0) {
      return (int64_t)k;
    }
  }
  return -1;
}

bool pf_model_has_traces(const pf_model *model)
{
  for (size_t p = 0; p < model->n_plastic; p++) {
    if (model->plastic[p].declared.traces.count > 0) {
      return true;
    }
  }
  return false;
}
