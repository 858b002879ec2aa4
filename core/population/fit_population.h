/* A fit of animals that are drawn from a population: fit.per = "population". */
#ifndef PLASTFIT_CORE_POPULATION_FIT_POPULATION_H
#define PLASTFIT_CORE_POPULATION_FIT_POPULATION_H

#include "core/population/design.h"

/** What comes out beside the fit of each animal. */
typedef struct pf_animal_population {
  pf_population_covariates covariates;
  pf_population_fit *fit;
} pf_animal_population;

/**
 * Fits one theta to all animals, then the population from there. fit->groups are the animals, with
 * their estimates as values. With init.theta the animals start there and no theta is fitted to all.
 * Interrupted: the groups say so and hold what they have come to, and *out stays NULL.
 * PF_POINT_FAILED and PF_STOP with a line; nothing is then kept.
 */
pf_status pf_fit_population(const pf_problem *problem, const pf_observer *observer, pf_fit **out,
                            pf_animal_population **population, pf_error *error);
/** The same with animals that count as `weights` [n_animals] say (pf_population_design). */
pf_status pf_fit_weighted_population(const pf_problem *problem, const double *weights,
                                     const pf_observer *observer, pf_fit **out,
                                     pf_animal_population **population, pf_error *error);
void pf_fit_population_free(pf_animal_population *population);

#endif
