/* Did a fit miss the optimum? */
#ifndef PLASTFIT_CORE_RECOVER_MISSED_H
#define PLASTFIT_CORE_RECOVER_MISSED_H

#include "core/recover/recovery.h"

/** 2dL, in nats, by which another point must be better to be another optimum: far above where
 * optimisers stop (1e-8), far below what an interval is about (3.84). */
extern const double pf_recover_least_2dl;

/** 2dL by which `other` [layout->n] fits the data of the group better than its estimate; negative:
 * worse; NaN: it has no value there. */
pf_status pf_recover_excess(const pf_problem *problem, const pf_fit_group *group,
                            const double *other, double *out, pf_error *error);
/**
 * Does the truth, `truths` [n] of the group's values, fit the data of `problem` better than the
 * estimate of the group? The estimate is then no best fit, whatever the optimiser says of it. False
 * where the truth is not known, lies beyond the bounds, or has terms that the fit left out.
 */
pf_status pf_recover_missed(const pf_problem *problem, const pf_fit_group *group,
                            const double *truths, bool *out, pf_error *error);

#endif
