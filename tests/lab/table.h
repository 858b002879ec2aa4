/* Recordings that make the journey of a user's own data: written to a CSV file, and read by the
 * source `table`. */
#ifndef PLASTFIT_TESTS_LAB_TABLE_H
#define PLASTFIT_TESTS_LAB_TABLE_H

#include "core/data/dataset.h"
#include "core/plugin/registry.h"

/**
 * Reads `from`, as lab_add_animal makes it, back into `to` by way of a file that is gone
 * afterwards. All steps are then fitted and scored, since a table cannot say otherwise; the rest
 * comes back bit for bit, or it is an error.
 */
pf_status lab_through_table(pf_registry *registry, const pf_dataset *from, pf_dataset *to,
                            pf_error *error);

#endif
