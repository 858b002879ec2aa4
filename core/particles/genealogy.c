#include "core/particles/genealogy.h"

void pf_genealogy_begin(pf_genealogy *genealogy)
{
  genealogy->after.n = 0;
  genealogy->parents.n = 0;
}

pf_status pf_genealogy_add(pf_genealogy *genealogy, int64_t t, const uint32_t *parents,
                           pf_error *error)
{
  int64_t *after = pf_array_append(&genealogy->after, error);
  if (after == NULL) {
    return PF_STOP;
  }
  *after = t;
  return pf_array_append_all(&genealogy->parents, parents, genealogy->n_particles, error);
}

void pf_genealogy_trace(const pf_genealogy *genealogy, uint32_t last, int64_t n_steps,
                        uint32_t *numbers)
{
  const int64_t *after = genealogy->after.items;
  const uint32_t *parents = genealogy->parents.items;
  size_t k = genealogy->after.n;
  uint32_t number = last;
  for (int64_t t = n_steps; t-- > 0;) {
    while (k > 0 && after[k - 1] >= t) {
      k--;
      number = parents[k * genealogy->n_particles + number];
    }
    numbers[t] = number;
  }
}

void pf_genealogy_clear(pf_genealogy *genealogy)
{
  pf_array_free(&genealogy->after);
  pf_array_free(&genealogy->parents);
}
