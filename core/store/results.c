#include "core/store/results.h"

#include "core/base/memory.h"
#include "core/truth/names.h"
#include "core/truth/truth.h"

pf_status pf_results_prepare(pf_results *results, pf_error *error)
{
  const pf_status status = pf_keys_create(results->problem->model, &results->keys, error);
  if (status != PF_OK) {
    return status;
  }
  if (pf_truth_create(results->problem, &results->truth, error) != PF_OK) {
    pf_results_clear(results);
    return PF_STOP;
  }
  return PF_OK;
}

void pf_results_clear(pf_results *results)
{
  pf_keys_free(results->problem->model, results->keys);
  pf_memory_free(results->truth);
  results->keys = NULL;
  results->truth = NULL;
}

bool pf_has_starts(const pf_fit *fit)
{
  return fit->n_groups > 0 && fit->groups[0].n_starts > 1;
}

bool pf_has_inference(const pf_inference *inference)
{
  return inference != NULL && inference->n_groups > 0;
}

uint32_t pf_main_method(const pf_inference *inference)
{
  size_t u = 0;
  while (u + 1 < inference->n_groups && inference->groups[u].why != NULL) {
    u++;
  }
  return inference->groups[u].main;
}

const char *pf_status_word(pf_status status)
{
  return status == PF_OK ? "ok" : "failed";
}

const char *pf_group_word(const pf_fit_group *group)
{
  if (group->interrupted) {
    return "interrupted";
  }
  const uint32_t verdict = pf_fit_verdict(group);
  return verdict == PF_FIT_CONVERGED ? "ok" : pf_fit_verdict_words(verdict);
}

void pf_instance_means(const pf_layout *layout, const double *instances, double *means)
{
  for (size_t i = 0; i < layout->n_parameters; i++) {
    const size_t end = i + 1 < layout->n_parameters ? layout->first[i + 1] : layout->n_instances;
    double sum = 0.0;
    for (size_t s = layout->first[i]; s < end; s++) {
      sum += instances[s];
    }
    means[i] = sum / (double)(end - layout->first[i]);
  }
}
