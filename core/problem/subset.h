/* A part of a problem's recordings, with flags of their own: what one fold of a validation fits, or
 * scores. */
#ifndef PLASTFIT_CORE_PROBLEM_SUBSET_H
#define PLASTFIT_CORE_PROBLEM_SUBSET_H

#include "core/problem/problem.h"

/**
 * Recordings (indices in problem->data, ascending) whose flags are a copy and may be changed
 * (pf_recording_mask). Settings, models and what was recorded are shared, so that `problem` MUST
 * outlive the subset. What is random stays as it is in the whole: draws and starts go by the
 * recordings' places in the data as read. No fresh animals.
 */
pf_status pf_problem_subset(const pf_problem *problem, const size_t *recordings, size_t n,
                            pf_problem **out, pf_error *error);
void pf_problem_subset_free(pf_problem *subset);

#endif
