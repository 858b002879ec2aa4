/* Data of a problem: read by the source, or simulated in closed loop with the teacher. */
#ifndef PLASTFIT_CORE_PROBLEM_DATA_H
#define PLASTFIT_CORE_PROBLEM_DATA_H

#include "core/problem/problem.h"

/** problem->data, and fresh animals for the evaluation. */
pf_status pf_data_create(pf_problem *problem, pf_error *error);
/** Simulates `n` animals by the teacher's rule, from number `first` on, as WORD1, WORD2, ... */
pf_status pf_data_simulate(const pf_problem *problem, pf_dataset *data, const char *word,
                           int64_t first, int64_t n, pf_error *error);

#endif
