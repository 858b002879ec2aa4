#include "core/problem/replicate.h"

#include "core/base/memory.h"
#include "core/problem/data.h"

pf_status pf_problem_replicate(const pf_problem *problem, uint64_t seed, pf_problem **out,
                               pf_error *error)
{
  const pf_component *source = &problem->models->source;
  if (!pf_source_is_task(source)) {
    return pf_fail(error, PF_STOP,
                   "%s reads data; other data can only be had from a task, such as source.plugin = "
                   "\"teacher\"",
                   source->label);
  }
  pf_problem *replicate = pf_problem_share(problem, seed, error);
  if (replicate == NULL) {
    return PF_STOP;
  }
  const pf_status status = pf_data_simulate(replicate, &replicate->data, "animal", 0,
                                            (int64_t)problem->data.n_animals, error);
  if (status != PF_OK) {
    pf_problem_replicate_free(replicate);
    return status;
  }
  *out = replicate;
  return PF_OK;
}

void pf_problem_replicate_free(pf_problem *replicate)
{
  if (replicate != NULL) {
    pf_dataset_free(&replicate->data);
    pf_memory_free(replicate);
  }
}
