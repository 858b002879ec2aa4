/* The units of a fit: who has a theta of their own, what data it is fitted to, and where it starts.
 */
#ifndef PLASTFIT_CORE_FIT_FIT_GROUPS_H
#define PLASTFIT_CORE_FIT_FIT_GROUPS_H

#include "core/fit/fit.h"

/** The layout of unit `unit`: of its recordings of problem->data. */
pf_status pf_group_layout(const pf_problem *problem, size_t group, pf_layout **out,
                          pf_error *error);
/** theta [n_parameters] at the start of a unit's fit, of its first recording. */
pf_status pf_fit_start(const pf_problem *problem, size_t group, double *theta, pf_error *error);

/**
 * Makes fit->units: one per animal of problem->data, in its order (so unit and animal have the same
 * index), or one "all". Draws are listed draw by draw: draw 0 of each recording, then draw 1 of
 * each. A unit whose draws could not be made is marked failed. On PF_STOP: free with pf_fit_free.
 */
pf_status pf_fit_groups_create(const pf_problem *problem, pf_fit *fit, pf_error *error);

#endif
