/* How the animals of a problem hang together, from the config's group `population`: which values
 * are drawn, and which columns of population.table their means depend on. */
#ifndef PLASTFIT_CORE_POPULATION_DESIGN_H
#define PLASTFIT_CORE_POPULATION_DESIGN_H

#include "core/population/laplace.h"

typedef struct pf_population_covariates {
  size_t n;         /**< with the mean, which is the first */
  char **names;     /**< [n] "mean", "genotype = mutant", "age" */
  double *rows;     /**< [n_animals][n]; numbers are centred at their mean over the animals */
  uint8_t *sharing; /**< [n_values] enum pf_sharing */
} pf_population_covariates;

/**
 * `layout` is that of any animal; `animals` [n_animals] are names. PF_STOP, with a line: a name
 * that no coefficient has, an animal that the table has not, a column that is not there or never
 * varies.
 */
pf_status pf_population_covariates_create(const pf_problem *problem, const pf_layout *layout,
                                          pf_population_covariates *out, pf_error *error);
/** The design that the config and its covariates, which MUST outlive it, make; `weights` as in
 * pf_population_design: with them animals are at their modes, which are found for any of them. */
pf_population_design pf_population_design_of(const pf_problem *problem,
                                             const pf_population_covariates *covariates,
                                             const double *weights);
void pf_population_covariates_clear(pf_population_covariates *covariates);

#endif
