/* From the jobs' results to the rows of a comparison. */
#ifndef PLASTFIT_CORE_COMPARE_ASSEMBLE_H
#define PLASTFIT_CORE_COMPARE_ASSEMBLE_H

#include "core/candidates/job.h"

/** Everything but the table (pf_compare_tabulate). results: [jobs->n], all done; their estimates
 * and predictions become the comparison's. */
pf_status pf_compare_assemble(const pf_jobs *jobs, pf_job_result *results, pf_comparison **out,
                              pf_error *error);

#endif
