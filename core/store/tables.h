/* The files of a run folder other than the config: one function each. Their formats are in
 * doc/files.md. */
#ifndef PLASTFIT_CORE_STORE_TABLES_H
#define PLASTFIT_CORE_STORE_TABLES_H

#include "core/store/results.h"

#include <jansson.h>
#include <stdio.h>

pf_status pf_write_fit_csv(const pf_results *results, const char *path, pf_error *error);
pf_status pf_write_theta_csv(const pf_results *results, const char *path, pf_error *error);
pf_status pf_write_trajectories(const pf_results *results, const char *path, pf_error *error);
pf_status pf_write_summary(const pf_results *results, const char *path, pf_error *error);
/** Where every start ended; only where pf_has_starts(). */
pf_status pf_write_multistart_csv(const pf_results *results, const char *path, pf_error *error);
/** Every method's intervals, and the directions of the information; only where pf_has_inference().
 */
pf_status pf_write_intervals_csv(const pf_results *results, const char *path, pf_error *error);
pf_status pf_write_spectrum_csv(const pf_results *results, const char *path, pf_error *error);
/** Was a value profiled? */
bool pf_has_profiles(const pf_results *results);
/** Every refit of every profile; only where pf_has_profiles(). */
pf_status pf_write_profiles_csv(const pf_results *results, const char *path, pf_error *error);
/** What the animals share, and each animal's own estimates; only where results->population. */
pf_status pf_write_population_csv(const pf_results *results, const char *path, pf_error *error);
json_t *pf_population_object(const pf_results *results); /**< null where there is none */
pf_status pf_write_animals_csv(const pf_results *results, const char *path, pf_error *error);
/** The scores of a run folder's theta on other data. */
pf_status pf_write_evaluation(const pf_results *results, const char *run, const char *data,
                              const char *path, pf_error *error);

/** Rows of one group. */
typedef pf_status (*pf_write_rows)(const pf_results *results, const pf_fit_group *group, FILE *file,
                                   pf_error *error);
/** The rows of all groups after a file's header, then closes it. PF_STOP: not all is there. */
pf_status pf_write_groups(const pf_results *results, pf_write_rows write, FILE *file,
                          const char *path, pf_error *error);

#endif
