#include "core/problem/subset.h"

#include "core/base/memory.h"

#include <string.h>

/** Animals of the recordings, in order of first appearance; `*index` is that of the last of them.
 */
static size_t place_of(pf_dataset *data, size_t number, const pf_recording *recordings, size_t n,
                       char *name)
{
  for (size_t i = 0; i < n; i++) {
    if (recordings[i].animal_number == number) {
      return recordings[i].animal_index;
    }
  }
  data->animals[data->n_animals] = name;
  return data->n_animals++;
}

pf_status pf_problem_subset(const pf_problem *problem, const size_t *recordings, size_t n,
                            pf_problem **out, pf_error *error)
{
  pf_problem *view = pf_memory_need(1, sizeof *view, error);
  if (view == NULL) {
    return PF_STOP;
  }
  pf_settings *settings = pf_memory_need(1, sizeof *settings, error);
  if (settings == NULL) {
    pf_memory_free(view);
    return PF_STOP;
  }
  *settings = *problem->settings;
  *view = *problem; /* shared, all but what follows */
  view->settings = settings;
  view->fresh = (pf_dataset){0};
  settings->evaluate.animals = 0;
  view->data = (pf_dataset){.recordings = pf_memory_need(n, sizeof *view->data.recordings, error),
                            .animals = pf_memory_need(n, sizeof *view->data.animals, error)};
  pf_status status = view->data.recordings == NULL || view->data.animals == NULL ? PF_STOP : PF_OK;
  for (size_t k = 0; k < n && status == PF_OK; k++) {
    const pf_recording *from = &problem->data.recordings[recordings[k]];
    const size_t bytes = (size_t)from->n_steps * sizeof *from->flags;
    pf_recording *to = &view->data.recordings[k];
    uint32_t *flags = pf_memory_need(bytes, 1, error);
    if (flags == NULL) {
      status = PF_STOP;
      break;
    }
    memcpy(flags, from->flags, bytes);
    *to = *from;
    to->flags = flags;
    to->animal_index =
        place_of(&view->data, from->animal_number, view->data.recordings, k, from->animal);
    view->data.n++;
  }
  if (status != PF_OK) {
    pf_problem_subset_free(view);
    return status;
  }
  *out = view;
  return PF_OK;
}

void pf_problem_subset_free(pf_problem *view)
{
  if (view == NULL) {
    return;
  }
  for (size_t k = 0; view->data.recordings != NULL && k < view->data.n; k++) {
    pf_memory_free(view->data.recordings[k].flags);
  }
  pf_memory_free(view->data.recordings);
  pf_memory_free(view->data.animals);
  pf_memory_free(view->settings);
  pf_memory_free(view);
}
