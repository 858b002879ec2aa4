/* The work of a recovery: simulate, fit, infer, again and again. */
#ifndef PLASTFIT_CORE_RECOVER_RECOVER_H
#define PLASTFIT_CORE_RECOVER_RECOVER_H

#include "core/recover/recovery.h"

/**
 * problem->settings->recover.data_sets data sets, with the seeds seed, seed + 1, ... (so the first
 * is the config's own data). Threads take data sets; same bits for any number of them.
 * PF_POINT_FAILED: interrupted. PF_STOP: no task to simulate, no memory, or every data set failed.
 */
pf_status pf_recover_run(const pf_problem *problem, pf_progress progress, pf_stop stop,
                         void *payload, pf_recovery **out, pf_error *error);

#endif
