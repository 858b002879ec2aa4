/*
 * What `plastfit simulate` leaves: a folder with the animals of a task as the source `table` reads
 * them (table.csv), the weights they started from where a fit is to know them
 * (initial_weights.csv), and a config that fits them (fit.cfg). Formats: doc/files.md.
 */
#ifndef PLASTFIT_CORE_STORE_SIMULATED_H
#define PLASTFIT_CORE_STORE_SIMULATED_H

#include "core/problem/problem.h"

/**
 * Write the folder `out`, whole or not at all. `config` is the problem's own; its source is changed
 * on the way into the one that reads the table, so that nothing but freeing can be done with either
 * afterwards. truth: overrides (path=value) of fit.cfg that say what is true; none: what the source
 * says.
 */
pf_status pf_simulated_write(const pf_problem *problem, pf_config *config, pf_names truth,
                             const char *out, bool force, pf_error *error);

/** The animals of `data`, simulated in the task of `problem`, as a table. data->n MUST NOT be 0. */
pf_status pf_simulated_table(const pf_problem *problem, const pf_dataset *data, const char *path,
                             pf_error *error);

#endif
