/* Where a group with many terms starts: at the end of a penalty path. */
#ifndef PLASTFIT_CORE_FIT_PATH_START_H
#define PLASTFIT_CORE_FIT_PATH_START_H

#include "core/fit/penalty_path.h"

/** Most values of a fit that goes down a path: it needs the whole matrix of second derivatives. */
enum { PF_MAX_PATH_VALUES = 1000 };

/** Does a fit of n values go down a path: many terms, or a penalty that is to be chosen? Passes do
 * not. */
bool pf_path_is_used(const pf_problem *problem, const pf_optimiser *optimiser, size_t n);

/**
 * A penalty that is chosen: group->layout has the chosen terms alone, its values start at the fit
 * under that penalty, and group->penalty says what was chosen. A penalty that is given, or none:
 * the group stays as it is, and `start` [layout->n] is where the path to it ends; *found: it does.
 */
pf_status pf_path_start(const pf_path_data *data, pf_fit_group *group, double *start, bool *found,
                        pf_error *error);

#endif
