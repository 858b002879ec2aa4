#include "core/candidates/nesting.h"

#include <math.h>
#include <string.h>

static bool is_same_text(const char *a, const char *b)
{
  return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/** The parameter of the same owner and name; NULL: there is none. */
static const pf_model_parameter *find_parameter(const pf_model *model,
                                                const pf_model_parameter *like)
{
  for (size_t i = 0; i < model->n_parameters; i++) {
    const pf_model_parameter *one = &model->parameters[i];
    if (is_same_text(one->owner, like->owner) &&
        strcmp(one->declared.name, like->declared.name) == 0) {
      return one;
    }
  }
  return NULL;
}

static size_t count_free(const pf_model *model)
{
  size_t n = 0;
  for (size_t i = 0; i < model->n_parameters; i++) {
    n += pf_is_free(&model->parameters[i]) ? 1 : 0;
  }
  return n;
}

bool pf_model_contains(const pf_model *bigger, const pf_model *smaller)
{
  if (count_free(bigger) <= count_free(smaller)) {
    return false;
  }
  for (size_t i = 0; i < smaller->n_parameters; i++) {
    if (!pf_is_free(&smaller->parameters[i])) {
      continue;
    }
    const pf_model_parameter *own = find_parameter(bigger, &smaller->parameters[i]);
    if (own == NULL || !pf_is_free(own)) {
      return false;
    }
  }
  return true;
}

/** Theta of the recording, else of another of its animal, else of any. */
static const double *find_theta(const pf_job_result *result, const pf_dataset *data,
                                const pf_recording *recording)
{
  const double *of_animal = NULL;
  for (size_t i = 0; i < result->n_thetas; i++) {
    const pf_job_theta *one = &result->thetas[i];
    if (one->recording == recording->number) {
      return one->theta;
    }
    for (size_t k = 0; of_animal == NULL && k < data->n; k++) {
      const pf_recording *other = &data->recordings[k];
      if (other->number == one->recording && other->animal_number == recording->animal_number) {
        of_animal = one->theta;
      }
    }
  }
  return of_animal != NULL ? of_animal : result->thetas[0].theta;
}

bool pf_earlier_values(const pf_earlier_optimum *found, const pf_layout *layout, double *values)
{
  const pf_dataset *data = layout->data;
  if (found->result->status != PF_OK || found->result->n_thetas == 0 || !found->result->done) {
    return false;
  }
  for (size_t k = 0; k < layout->n; k++) {
    const pf_parameter_instance *instance = &layout->instances[layout->index[k]];
    const pf_recording *recording = &data->recordings[layout->recordings[instance->recording]];
    const pf_model_parameter *same =
        find_parameter(found->model, &layout->parameters[instance->parameter]);
    values[k] = 0.0;
    if (same != NULL) {
      values[k] = find_theta(found->result, data, recording)[same - found->model->parameters];
    }
    values[k] = fmin(fmax(values[k], layout->lower[k]), layout->upper[k]);
  }
  return true;
}
