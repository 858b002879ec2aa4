/*
 * What is known of each animal beside its trials: columns of population.table, of the table of the
 * data themselves, or, of simulated animals, their group.
 */
#ifndef PLASTFIT_CORE_POPULATION_ANIMAL_TABLE_H
#define PLASTFIT_CORE_POPULATION_ANIMAL_TABLE_H

#include "core/problem/problem.h"
#include "core/readers/sheet.h"

typedef struct pf_animal_table {
  const char *path;    /**< for messages */
  const char **groups; /**< [n_animals] of simulated animals; NULL: there is a sheet */
  pf_sheet *sheet;
  size_t *row; /**< [n_animals] the first row of each animal */
} pf_animal_table;

/** Reads what population.group asks for. PF_STOP, with a line: no table, an animal that it has not.
 */
pf_status pf_animal_table_read(const pf_problem *problem, pf_animal_table *out, pf_error *error);
void pf_animal_table_clear(pf_animal_table *table);

/**
 * *column of the animals. PF_STOP, with a line: there is no such column, an animal has nothing in
 * it or several things, or it is the same for all animals.
 */
pf_status pf_animal_table_column(const pf_animal_table *table, const pf_problem *problem,
                                 const char *name, size_t *column, pf_error *error);
const char *pf_animal_table_text(const pf_animal_table *table, size_t animal, size_t column);
/** NaN where the text is no number. */
double pf_animal_table_number(const pf_animal_table *table, size_t animal, size_t column);

#endif
