/*
 * Recovery of a population: cohort after cohort of animals that are drawn from it. Are its means
 * and sds found, do their intervals hold the truth, and how good are the animals' own estimates?
 */
#ifndef PLASTFIT_CORE_RECOVER_POPULATION_RECOVERY_H
#define PLASTFIT_CORE_RECOVER_POPULATION_RECOVERY_H

#include "core/population/fit_population.h"
#include "core/recover/recovery.h"

#include <jansson.h>
#include <stdio.h>

/** What one cohort gave of one value. NaN where there is none. */
typedef struct pf_recover_common {
  double mean, lower, upper;     /**< of the animals, and its interval */
  double sd, sd_lower, sd_upper; /**< between animals */
  double p;                      /**< of "animals do not differ in it" */
  double squares;                /**< sum over animals of the squared error of their own estimate */
  double n_animals, n_covering;  /**< with a truth, and those whose own interval holds it */
} pf_recover_common;

/** A line of the table: a value, over the cohorts whose fit converged. */
typedef struct pf_recover_common_line {
  size_t parameter;
  double truth, truth_sd;     /**< NaN: not known */
  size_t n;                   /**< cohorts */
  double mean, bias_se, held; /**< mean of the means; shares are of n */
  double sd, sd_held;         /**< median of the sds */
  double rejected;            /**< share of cohorts with p < 5 % */
  double error, own_held;     /**< root mean square error of the animals' own estimates */
} pf_recover_common_line;

struct pf_population_recovery {
  size_t n, n_sets;
  pf_recover_common *cells;      /**< [n_sets][n] */
  bool *converged;               /**< [n_sets] */
  pf_recover_common_line *lines; /**< [n] */
};

/** For r->n_sets sets of the problem's first layout. */
pf_status pf_population_recovery_create(const pf_recovery *r, pf_population_recovery **out,
                                        pf_error *error);
void pf_population_recovery_free(pf_population_recovery *of);
/** What cohort `set` gave; its estimates and truths are kept already. */
void pf_population_recovery_keep(const pf_recovery *r, size_t set, const pf_fit *fit,
                                 const pf_animal_population *found);
/** The lines, after all sets. */
pf_status pf_population_recovery_tabulate(pf_recovery *r, pf_error *error);
void pf_population_recovery_print(const pf_recovery *r, FILE *out);
/** A row for each cohort and value. */
pf_status pf_population_recovery_write(const pf_recovery *r, const char *path, pf_error *error);
/** The lines, an array. */
json_t *pf_population_recovery_json(const pf_recovery *r);

#endif
