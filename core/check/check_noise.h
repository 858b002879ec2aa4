/* Coefficients that do the same at every synapse of the data but for noise that plastfit draws. */
#ifndef PLASTFIT_CORE_CHECK_CHECK_NOISE_H
#define PLASTFIT_CORE_CHECK_CHECK_NOISE_H

#include "core/problem/problem.h"

#include <stdio.h>

/**
 * One line after `prefix` of coefficients that only the drawn input noise distinguishes. Two of the
 * first experiments are looked at, at the start of the fit. Returns 1, or 0: none.
 */
size_t pf_check_warn_noise(const pf_problem *problem, const char *prefix, FILE *stream);

#endif
