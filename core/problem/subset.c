#include "core/problem/subset.h"

#include "core/base/memory.h"

#include <string.h>

/** Animals of the recordings, in order of first appearance: the index of this one's, among the
 * first n recordings and else new. */
static size_t find_animal(pf_dataset *data, const pf_recording *recording)
{
  for (size_t i = 0; i < data->n; i++) {
    if (data->recordings[i].animal_number == recording->animal_number) {
      return data->recordings[i].animal_index;
    }
  }
  data->animals[data->n_animals] = recording->animal;
  return data->n_animals++;
}

static pf_status add_recording(pf_dataset *data, const pf_recording *from, pf_error *error)
{
  const size_t bytes = (size_t)from->n_steps * sizeof *from->flags;
  pf_recording *to = &data->recordings[data->n];
  uint32_t *flags = pf_memory_need(bytes, 1, error);
  if (flags == NULL) {
    return PF_STOP;
  }
  memcpy(flags, from->flags, bytes);
  *to = *from;
  to->flags = flags;
  to->animal_index = find_animal(data, from);
  data->n++;
  return PF_OK;
}

pf_status pf_problem_subset(const pf_problem *problem, const size_t *recordings, size_t n,
                            pf_problem **out, pf_error *error)
{
  pf_problem *subset = pf_problem_share(problem, problem->seed, error);
  if (subset == NULL) {
    return PF_STOP;
  }
  pf_dataset *data = &subset->data;
  data->recordings = pf_memory_need(n, sizeof *data->recordings, error);
  data->animals = pf_memory_need(n, sizeof *data->animals, error);
  pf_status status = data->recordings == NULL || data->animals == NULL ? PF_STOP : PF_OK;
  for (size_t k = 0; k < n; k++) {
    if (status == PF_OK) {
      status = add_recording(data, &problem->data.recordings[recordings[k]], error);
    }
  }
  if (status != PF_OK) {
    pf_problem_subset_free(subset);
    return status;
  }
  *out = subset;
  return PF_OK;
}

void pf_problem_subset_free(pf_problem *subset)
{
  if (subset == NULL) {
    return;
  }
  for (size_t k = 0; k < subset->data.n; k++) {
    pf_memory_free(subset->data.recordings[k].flags);
  }
  pf_memory_free(subset->data.recordings);
  pf_memory_free(subset->data.animals);
  pf_memory_free(subset);
}
