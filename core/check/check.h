/* What `plastfit check` shows: everything that a config says, without a fit. */
#ifndef PLASTFIT_CORE_CHECK_CHECK_H
#define PLASTFIT_CORE_CHECK_CHECK_H

#include "core/problem/problem.h"

#include <stdio.h>

/**
 * Data, plugins, network, parameters, plan. Times one gradient of the first draw, as far as that
 * can be computed. `verbose`: also how gradients are taken through time; no list is cut.
 */
pf_status pf_check_print(const pf_problem *problem, bool verbose, FILE *stream, pf_error *error);

/** The plan alone: fits, passes, memory, time. */
pf_status pf_check_print_plan(const pf_problem *problem, FILE *stream, pf_error *error);

#endif
