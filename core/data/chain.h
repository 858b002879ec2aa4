/* Sessions of an animal made one recording, through which weights last. */
#ifndef PLASTFIT_CORE_DATA_CHAIN_H
#define PLASTFIT_CORE_DATA_CHAIN_H

#include "core/data/dataset.h"

/**
 * Make every animal's recordings one, in their order: sessions of a run in which weights last,
 * PF_STEP_NEW_SESSION at the first step of each but the first. Channels and targets must be the
 * same in all. Hours between sessions: the channel "gap_hours" at a session's first step, else
 * `gap`.
 */
pf_status pf_dataset_chain(pf_dataset *data, double gap, pf_error *error);

#endif
