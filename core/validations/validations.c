#include "core/validations/validations.h"

#include <string.h>

#define PLACE(name) &name,
static const pf_validation *const all[] = {PF_EACH_VALIDATION(PLACE)};
#undef PLACE
enum { COUNT = sizeof all / sizeof all[0] };
_Static_assert((int)COUNT <= (int)PF_MAX_VALIDATIONS, "raise PF_MAX_VALIDATIONS");

uint32_t pf_validation_count(void)
{
  return COUNT;
}

const pf_validation *pf_validation_at(uint32_t number)
{
  return all[number];
}

uint32_t pf_validation_number(const pf_validation *validation)
{
  uint32_t v = 0;
  while (v < COUNT && all[v] != validation) {
    v++;
  }
  return v;
}

uint32_t pf_validation_named(const char *name)
{
  uint32_t v = 0;
  while (v < COUNT && strcmp(all[v]->name, name) != 0) {
    v++;
  }
  return v;
}

pf_names pf_validation_names(const char **names)
{
  for (uint32_t v = 0; v < COUNT; v++) {
    names[v] = all[v]->name;
  }
  return (pf_names){names, COUNT};
}

pf_folds pf_validation_folds(const pf_validation *validation, const pf_dataset *data, double value)
{
  return validation->divide != NULL ? validation->divide(data, value)
                                    : (pf_folds){.n = 1, .value = value};
}

pf_status pf_validation_mask(const pf_validation *validation, const pf_recording *recording,
                             const pf_folds *folds, int64_t fold, uint32_t *flags, pf_error *error)
{
  if (validation->mask != NULL) {
    return validation->mask(recording, folds, fold, flags, error);
  }
  memcpy(flags, recording->flags, (size_t)recording->n_steps * sizeof *flags);
  return PF_OK;
}
