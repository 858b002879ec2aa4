/* Masks of steps: PF_STEP_FIT says which a fit sees, PF_STEP_SCORE which are scored. */
#ifndef PLASTFIT_CORE_COMPARE_STEP_MASKS_H
#define PLASTFIT_CORE_COMPARE_STEP_MASKS_H

#include "core/data/dataset.h"

bool pf_starts_trial(const pf_recording *recording, int64_t t);
int64_t pf_count_trials(const pf_recording *recording);

/** Put flags [n_steps] in place, and count trials as normalise = "padded" does, which is over
 * fitted steps. */
void pf_recording_mask(pf_recording *recording, const uint32_t *flags);
/** Steps that have the flag. */
int64_t pf_count_steps(const uint32_t *flags, int64_t n_steps, uint32_t flag);

#endif
