/* The same problem on other data from its teacher: everything that is drawn is drawn with another
 * seed. */
#ifndef PLASTFIT_CORE_PROBLEM_REPLICATE_H
#define PLASTFIT_CORE_PROBLEM_REPLICATE_H

#include "core/problem/problem.h"

/**
 * As many animals as `problem` has, simulated anew by its teacher. Model, masks and settings are
 * shared and stay the problem's, which MUST outlive it; choices, rewards, inputs, starting weights,
 * what is recorded, and where fits start come from `seed`: with the problem's own seed they are the
 * problem's own data. There are no fresh animals. Any thread; one problem may be made again by
 * several at once. PF_STOP where the source is no task.
 */
pf_status pf_problem_replicate(const pf_problem *problem, uint64_t seed, pf_problem **out,
                               pf_error *error);
void pf_problem_replicate_free(pf_problem *replicate);

#endif
