#include "core/problem/replicate.h"

#include "core/base/memory.h"
#include "core/problem/build.h"

pf_status pf_problem_replicate(const pf_problem *problem, uint64_t seed, pf_problem **out,
                               pf_error *error)
{
  if (!pf_source_is_task(&problem->models->source)) {
    return pf_fail(error, PF_STOP,
                   "%s reads data; other data can only be had from a task, such as source.plugin = "
                   "\"teacher\"",
                   problem->models->source.label);
  }
  pf_problem *again = pf_memory_need(1, sizeof *again, error);
  if (again == NULL) {
    return PF_STOP;
  }
  pf_settings *settings = pf_memory_need(1, sizeof *settings, error);
  if (settings == NULL) {
    pf_memory_free(again);
    return PF_STOP;
  }
  *settings = *problem->settings;
  *again = *problem; /* shared, all but what follows */
  again->settings = settings;
  settings->seed = seed;
  again->data = (pf_dataset){0};
  again->fresh = (pf_dataset){0};
  settings->evaluate.animals = 0;
  const pf_status status =
      pf_build_animals(again, &again->data, "animal", 0, (int64_t)problem->data.n_animals, error);
  if (status != PF_OK) {
    pf_problem_replicate_free(again);
    return status;
  }
  *out = again;
  return PF_OK;
}

void pf_problem_replicate_free(pf_problem *again)
{
  if (again != NULL) {
    pf_dataset_free(&again->data);
    pf_memory_free(again->settings);
    pf_memory_free(again);
  }
}
