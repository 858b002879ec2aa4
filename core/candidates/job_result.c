#include "core/candidates/job_result.h"

#include "core/base/memory.h"

void pf_job_result_clear(pf_job_result *result)
{
  for (size_t i = 0; result->scores != NULL && i < result->n_scores; i++) {
    pf_memory_free(result->scores[i].error);
  }
  for (size_t i = 0; result->estimates != NULL && i < result->n_estimates; i++) {
    pf_memory_free(result->estimates[i].theta);
  }
  for (size_t i = 0; result->predictions != NULL && i < result->n_predictions; i++) {
    pf_memory_free(result->predictions[i].probability);
  }
  for (size_t i = 0; result->thetas != NULL && i < result->n_thetas; i++) {
    pf_memory_free(result->thetas[i].theta);
  }
  pf_memory_free(result->thetas);
  pf_memory_free(result->scores);
  pf_memory_free(result->estimates);
  pf_memory_free(result->predictions);
  pf_memory_free(result->error);
  *result = (pf_job_result){0};
}
