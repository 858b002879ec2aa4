/* The files of a comparison's folder: config.cfg, compare.csv, compare.h5, summary.json
 * (doc/files.md). */
#ifndef PLASTFIT_CORE_COMPARE_COMPARISON_FILES_H
#define PLASTFIT_CORE_COMPARE_COMPARISON_FILES_H

#include "core/candidates/candidates.h"
#include "core/store/folder.h"

/** All of them, into the folder being written. `config`: as read, with the command line. */
pf_status pf_compare_write(const pf_comparison *comparison, const pf_config *config,
                           const pf_candidates *candidates, const pf_folder *folder,
                           pf_error *error);

#endif
