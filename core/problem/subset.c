#include "core/problem/subset.h"

#include "core/base/memory.h"

#include <string.h>

/** A recording of the whole data, which shares everything but its flags. */
static pf_status copy_recording(const pf_recording *from, pf_recording *to, pf_error *error)
{
  const size_t bytes = (size_t)from->n_steps * sizeof *from->flags;
  uint32_t *flags = pf_memory_need(bytes, 1, error);
  if (flags == NULL) {
    return PF_STOP;
  }
  memcpy(flags, from->flags, bytes);
  *to = *from;
  to->flags = flags;
  return PF_OK;
}

/** Animals in order of first appearance. index [n_animals of the whole data]: 1 and more where an
 * animal is in the subset already. */
static void find_animal(pf_dataset *data, pf_recording *recording, size_t *index)
{
  size_t *place = &index[recording->animal_index];
  if (*place == 0) {
    data->animals[data->n_animals++] = recording->animal;
    *place = data->n_animals;
  }
  recording->animal_index = *place - 1;
}

static pf_status add_recordings(const pf_dataset *from, const size_t *recordings, size_t n,
                                pf_dataset *to, pf_error *error)
{
  to->recordings = pf_memory_need(n, sizeof *to->recordings, error);
  to->animals = pf_memory_need(n, sizeof *to->animals, error);
  size_t *index = pf_memory_need(from->n_animals, sizeof *index, error);
  pf_status status = PF_STOP;
  if (to->recordings == NULL || to->animals == NULL || index == NULL) {
    goto done;
  }
  for (size_t k = 0; k < n; k++) {
    pf_recording *added = &to->recordings[to->n];
    status = copy_recording(&from->recordings[recordings[k]], added, error);
    if (status != PF_OK) {
      goto done;
    }
    to->n++;
    find_animal(to, added, index);
  }
  status = pf_dataset_place(to, error);
done:
  pf_memory_free(index);
  return status;
}

pf_status pf_problem_subset(const pf_problem *problem, const size_t *recordings, size_t n,
                            pf_problem **out, pf_error *error)
{
  pf_problem *subset = pf_problem_share(problem, problem->seed, error);
  if (subset == NULL) {
    return PF_STOP;
  }
  const pf_status status = add_recordings(&problem->data, recordings, n, &subset->data, error);
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
  pf_dataset_forget_places(&subset->data);
  pf_memory_free(subset);
}
