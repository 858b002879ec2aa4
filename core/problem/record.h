/* What of a simulated animal is recorded: some of its units, with noise or as spikes. Choices stay
 * as they are. */
#ifndef PLASTFIT_CORE_PROBLEM_RECORD_H
#define PLASTFIT_CORE_PROBLEM_RECORD_H

#include "core/settings/settings.h"

/** Changes the activities of a recording. `seed`: of the data; `index`: of the animal. */
pf_status pf_record_worse(const pf_record_settings *settings, uint64_t seed, int64_t index,
                          pf_recording *recording, pf_error *error);

#endif
