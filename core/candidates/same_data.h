/* Do two candidates see the same data? What differs, in words. */
#ifndef PLASTFIT_CORE_CANDIDATES_SAME_DATA_H
#define PLASTFIT_CORE_CANDIDATES_SAME_DATA_H

#include "core/base/text.h"
#include "core/data/dataset.h"

#include <stdbool.h>

/**
 * Adds what `b` has otherwise than `a`, the first difference of each kind: animals and experiments,
 * steps, trials, blocks, the steps that are fitted or scored, `plastic` steps, sessions, what is
 * predicted, rewards. False, and nothing added: no difference. Inputs and other channels are not
 * looked at: candidates may see them in their own way.
 */
bool pf_data_differ(const pf_dataset *a, const pf_dataset *b, pf_text *words);

#endif
