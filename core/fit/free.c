#include "core/fit/free.h"

#include "core/base/memory.h"

#include <string.h>

bool pf_is_free(const pf_model_parameter *parameter)
{
  return (parameter->declared.flags & PF_PARAMETER_FIXED) == 0 && !parameter->tied;
}

pf_status pf_free_set_create(const pf_model_parameter *parameters, size_t n_all, pf_free_set *out, pf_error *error)
{
  pf_free_set set = {.parameters = parameters, .n_all = n_all};
  set.index = pf_memory_need(n_all, sizeof *set.index, error);
  set.lower = pf_memory_need(n_all, sizeof *set.lower, error);
  set.upper = pf_memory_need(n_all, sizeof *set.upper, error);
  if (set.index == NULL || set.lower == NULL || set.upper == NULL) {
    pf_free_set_clear(&set);
    return PF_STOP;
  }
  for (size_t i = 0; i < n_all; i++) {
    if (pf_is_free(&parameters[i])) {
      set.index[set.n] = i;
      set.lower[set.n] = parameters[i].declared.lower;
      set.upper[set.n] = parameters[i].declared.upper;
      set.n++;
    }
  }
  *out = set;
  return PF_OK;
}

void pf_free_set_clear(pf_free_set *set)
{
  pf_memory_free(set->index);
  pf_memory_free(set->lower);
  pf_memory_free(set->upper);
  memset(set, 0, sizeof *set);
}

void pf_free_gather(const pf_free_set *set, const double *theta, double *values)
{
  for (size_t k = 0; k < set->n; k++) {
    values[k] = theta[set->index[k]];
  }
}

void pf_free_scatter(const pf_free_set *set, const double *values, double *theta)
{
  for (size_t k = 0; k < set->n; k++) {
    theta[set->index[k]] = values[k];
  }
  pf_tie(set->parameters, set->n_all, theta);
}

void pf_free_gradient(const pf_free_set *set, const double *gradient, double *out)
{
  for (size_t k = 0; k < set->n; k++) {
    out[k] = gradient[set->index[k]];
    for (size_t i = 0; i < set->n_all; i++) {
      if (set->parameters[i].tied && set->parameters[i].tied_to == set->index[k]) {
        out[k] += set->parameters[i].factor * gradient[i];
      }
    }
  }
}

void pf_tie(const pf_model_parameter *parameters, size_t n, double *theta)
{
  for (size_t i = 0; i < n; i++) {
    if (parameters[i].tied) {
      theta[i] = parameters[i].factor * theta[parameters[i].tied_to];
    }
  }
}
