/* What the interval method `profile` does for the others. */
#ifndef PLASTFIT_CORE_INFER_PROFILE_METHOD_H
#define PLASTFIT_CORE_INFER_PROFILE_METHOD_H

#include "core/uncertainty/infer_job.h"

/** Intervals of identified values at a bound, which other methods have none of: one-sided. */
pf_status pf_profile_bounds(pf_infer_job *job, pf_intervals *to, pf_error *error);

#endif
