/* A job's result in a file, so that an interrupted comparison goes on where it was. */
#ifndef PLASTFIT_CORE_CANDIDATES_JOB_FILE_H
#define PLASTFIT_CORE_CANDIDATES_JOB_FILE_H

#include "core/candidates/job.h"

/** Write whole or not at all. `path`: without what is added while it is being written. */
pf_status pf_job_write(const pf_job *job, const pf_job_result *result, const char *path,
                       pf_error *error);
/** False where there is no such file, or it is not of this job (another key), or not whole: then
 * the job is to be done.
 */
bool pf_job_read(const pf_job *job, const char *path, pf_job_result *result);

#endif
