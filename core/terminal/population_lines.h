/* What animals share, for a person. */
#ifndef PLASTFIT_CORE_TERMINAL_POPULATION_LINES_H
#define PLASTFIT_CORE_TERMINAL_POPULATION_LINES_H

#include "core/population/fit_population.h"

#include <stdio.h>

/** Means and sds of the population with intervals, the test of each for differences between
 * animals, differences between groups, and what to doubt. */
pf_status pf_population_print(const pf_problem *problem, const pf_fit *fit,
                              const pf_animal_population *population, FILE *out, pf_error *error);

#endif
