/* Is a result that was read from a file one that its job can have given? */
#ifndef PLASTFIT_CORE_CANDIDATES_JOB_CHECK_H
#define PLASTFIT_CORE_CANDIDATES_JOB_CHECK_H

#include "core/candidates/job.h"

/**
 * The right key says that a file was written for the job, not that nobody changed it since. False
 * where a number points at no animal, recording or validation of the job, sizes differ from the
 * data's, rows repeat, or a number that must be finite is not: then the job is to be done again.
 */
bool pf_job_result_belongs(const pf_jobs *jobs, const pf_job *job, const pf_job_result *result);

#endif
