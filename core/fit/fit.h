/* Fitting: an optimiser, over groups that each have a theta of their own. */
#ifndef PLASTFIT_CORE_FIT_FIT_H
#define PLASTFIT_CORE_FIT_FIT_H

#include "core/base/ticker.h"
#include "core/fit/fit_groups.h"

/** Points from which a group is fitted besides its own starts: optima of simpler models, say. */
typedef struct pf_start_points {
  size_t n;
  const double *values; /**< [n][layout->n of the group] */
} pf_start_points;

/** As pf_fit_run, from points [n_groups] too (NULL: none). */
pf_status pf_fit_run_from(const pf_problem *problem, const pf_start_points *points,
                          const pf_observer *observer, pf_fit **out, pf_error *error);
/**
 * Fit every group. A group that fails, or is interrupted, is marked; PF_STOP only when nothing
 * could be run at all. `payload` is handed to both callbacks.
 */
pf_status pf_fit_run(const pf_problem *problem, pf_progress progress, pf_stop stop, void *payload,
                     pf_fit **out, pf_error *error);
/**
 * Improve a group's fit from `from` [layout->n], a point that somebody found (a profile likelihood,
 * say): where a fit from there ends lower, values, rows (which go on) and optimum become those, and
 * n_improved is one more. PF_STOP: no memory.
 */
pf_status pf_fit_improve(const pf_problem *problem, pf_fit_group *group, const double *from,
                         const pf_observer *observer, pf_error *error);
/** The optimiser that the settings name, adam where they name none; NULL: there is no such one. */
const pf_optimiser *pf_fit_optimiser(const pf_problem *problem);
/** Threads that a fit of so many groups keeps busy; each has a workspace of its own. */
int pf_fit_n_threads(const pf_problem *problem, size_t n_groups);

#endif
