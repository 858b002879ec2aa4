/* Recordings of random numbers, with everything in them that recorded data have and an adjoint can get wrong. */
#ifndef PLASTFIT_TESTS_LAB_ANIMALS_H
#define PLASTFIT_TESTS_LAB_ANIMALS_H

#include "core/data/dataset.h"

/**
 * Appends an experiment of n_steps steps: trials of 1 to 5 steps whose last is plastic and rewarded (the last trial is
 * cut off), some steps that are not fitted, targets "choice" and "activity" (n_activity units) of which some are
 * missing, a channel "reward" and the "expected_reward" that the host derives from it.
 */
pf_status lab_add_animal(pf_dataset *data, int64_t n_steps, int64_t n_input, int64_t n_activity, uint64_t seed,
                         pf_error *error);

#endif
