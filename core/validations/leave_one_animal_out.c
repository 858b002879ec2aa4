/* One theta is fitted to all animals but one, and scores that one. */
#include "core/validations/validations.h"

static pf_folds divide_animals(const pf_dataset *data, double value)
{
  return (pf_folds){.n = (int64_t)data->n_animals, .value = value};
}

static pf_status mask_animal(const pf_recording *recording, const pf_folds *folds, int64_t fold,
                             uint32_t *flags, pf_error *error)
{
  const bool left_out = recording->animal_number == (size_t)fold;
  (void)folds;
  (void)error;
  for (int64_t t = 0; t < recording->n_steps; t++) {
    flags[t] = recording->flags[t] & ~(uint32_t)(left_out ? PF_STEP_FIT : PF_STEP_SCORE);
  }
  return PF_OK;
}

static void describe_animals(const pf_folds *folds, pf_text *text)
{
  (void)folds;
  pf_text_add(text, "each animal scored with one theta fitted to all others (fit.per = \"shared\" "
                    "here), or, of a population, with the mean of its likelihood over thetas that "
                    "the population of all others has");
}

const pf_validation pf_leave_one_animal_out = {.name = "leave-one-animal-out",
                                               .held_out = true,
                                               .leaves_animal_out = true,
                                               .divide = divide_animals,
                                               .mask = mask_animal,
                                               .describe = describe_animals};
