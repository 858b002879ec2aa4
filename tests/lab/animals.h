/* Recordings of random numbers, with everything in them that recorded data have and an adjoint can
 * get wrong. */
#ifndef PLASTFIT_TESTS_LAB_ANIMALS_H
#define PLASTFIT_TESTS_LAB_ANIMALS_H

#include "core/data/dataset.h"

/** How wide a recording is. */
typedef struct lab_widths {
  int64_t n_input, n_activity, n_choices;
} lab_widths;

/**
 * Appends an experiment of n_steps steps: trials of 1 to 5 steps whose last is plastic and rewarded
 * (the last trial is cut off), some steps that are not fitted, targets "choice" and "activity"
 * (n_activity units) of which some are missing, likewise "counts" (whole numbers), a channel
 * "reward" and the "expected_reward" that the host derives from it. A choice is 1 at a trial's last
 * step, 0 at others; with n_choices > 1 any of 0 to n_choices - 1. Steps last 0.5 to 2 ms.
 */
pf_status lab_add_animal(pf_dataset *data, int64_t n_steps, const lab_widths *widths, uint64_t seed,
                         pf_error *error);

#endif
