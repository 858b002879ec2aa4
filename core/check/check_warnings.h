/* What a fit of these data will not find out, one line each after `prefix`. */
#ifndef PLASTFIT_CORE_CHECK_CHECK_WARNINGS_H
#define PLASTFIT_CORE_CHECK_CHECK_WARNINGS_H

#include "core/problem/problem.h"

#include <stdio.h>

/**
 * Animals that always choose the same, a reward that never varies, fewer observations than
 * parameters, parameters that start on a bound, ... Returns how many.
 */
size_t pf_check_warn(const pf_problem *problem, const char *prefix, FILE *stream);
/** Of these, the one that a fit warns of too: some of its figures will be null. */
size_t pf_check_warn_choices(const pf_problem *problem, const char *prefix, FILE *stream);

#endif
