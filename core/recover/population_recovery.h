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

/** r->population, of all sets and the values of an animal. */
pf_status pf_population_recovery_create(pf_recovery *r, pf_error *error);
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
