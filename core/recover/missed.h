/* Did a fit miss the optimum? */
#ifndef PLASTFIT_CORE_RECOVER_MISSED_H
#define PLASTFIT_CORE_RECOVER_MISSED_H

#include "core/recover/recovery.h"

/**
 * Does the truth, `truths` [n] of the group's values, fit the data of `problem` better than the
 * estimate of the group? The estimate is then no best fit, whatever the optimiser says of it. False
 * where the truth is not known, or lies beyond the bounds.
 */
pf_status pf_recover_missed(const pf_problem *problem, const pf_fit_group *group,
                            const double *truths, bool *out, pf_error *error);

#endif
