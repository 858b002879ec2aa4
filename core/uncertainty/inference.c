#include "core/uncertainty/inference.h"

#include "core/base/memory.h"

#include <stdio.h>

enum { NAME_LENGTH = 160 };

const char *pf_verdict_words(uint32_t verdict)
{
  static const char *const words[] = {"", "identified", "practically not identified",
                                      "not identified by this design"};
  return verdict < sizeof words / sizeof words[0] ? words[verdict] : "";
}

bool pf_weights_are_latent(const pf_model *model)
{
  for (size_t k = 0; k < model->n_losses; k++) {
    for (size_t o = 0; o < model->losses[k].declared.observables.count; o++) {
      const pf_observable *seen = &model->observables[model->losses[k].observables[o]];
      for (size_t p = 0; p < model->n_plastic; p++) {
        const pf_projection *plastic = &model->projections[model->plastic[p].projection];
        if (seen->population == plastic->post) {
          return false;
        }
      }
    }
  }
  return model->n_plastic > 0;
}

void pf_value_name(const pf_problem *problem, const pf_layout *layout, size_t k, char *text,
                   size_t capacity)
{
  const size_t instance = layout->index[k], i = layout->instances[instance].parameter;
  const pf_model_parameter *parameter = &layout->parameters[i];
  const char *label = pf_parameter_label(parameter);
  const bool says_owner = parameter->owner != NULL &&
                          (problem->model->n_plastic > 1 || i >= problem->model->network_theta0);
  const char *animal = "";
  int64_t experiment = -1;
  char whose[96] = "";
  pf_layout_copy(layout, instance, &animal, &experiment);
  if (experiment >= 0) {
    (void)snprintf(whose, sizeof whose, " [%.60s, experiment %lld]", animal, (long long)experiment);
  } else if (animal[0] != '\0') {
    (void)snprintf(whose, sizeof whose, " [%.60s]", animal);
  }
  (void)snprintf(text, capacity, "%s%s%s%s", says_owner ? parameter->owner : "",
                 says_owner ? ": " : "", label, whose);
}

const char **pf_value_names(const pf_problem *problem, const pf_layout *layout, pf_error *error)
{
  const size_t n = layout->n;
  const char **names = pf_memory_need(n, sizeof *names + NAME_LENGTH, error);
  if (names == NULL) {
    return NULL;
  }
  char *text = (char *)(names + n); /* behind the pointers */
  for (size_t k = 0; k < n; k++) {
    pf_value_name(problem, layout, k, text + k * NAME_LENGTH, NAME_LENGTH);
    names[k] = text + k * NAME_LENGTH;
  }
  return names;
}

void pf_inference_forget(pf_inference_group *group)
{
  for (size_t k = 0; group->note != NULL && k < group->n; k++) {
    pf_memory_free(group->note[k]);
  }
  for (size_t i = 0; i < group->n_warnings; i++) {
    pf_memory_free(group->warnings[i]);
  }
  for (size_t m = 0; m < PF_N_INTERVAL_METHODS; m++) {
    pf_memory_free(group->methods[m].se);
    pf_memory_free(group->methods[m].lower);
    pf_memory_free(group->methods[m].upper);
    pf_memory_free(group->methods[m].why);
  }
  pf_spectrum_free(group->spectrum);
  pf_memory_free(group->why);
  pf_memory_free(group->variance);
  pf_memory_free(group->information);
  pf_memory_free(group->covariance);
  pf_memory_free(group->at_bound);
  pf_memory_free(group->verdict);
  pf_memory_free(group->note);
  pf_memory_free(group->warnings);
  pf_memory_free(group->better);
  pf_memory_free(group->curves);
  *group = (pf_inference_group){0};
}

void pf_inference_free(pf_inference *inference)
{
  if (inference == NULL) {
    return;
  }
  for (size_t u = 0; u < inference->n_groups; u++) {
    pf_inference_forget(&inference->groups[u]);
  }
  pf_memory_free(inference->groups);
  pf_memory_free(inference);
}
