/* The files of a recovery. */
#ifndef PLASTFIT_CORE_RECOVER_RECOVERY_FILES_H
#define PLASTFIT_CORE_RECOVER_RECOVERY_FILES_H

#include "core/recover/recovery.h"
#include "core/store/folder.h"

/** recover.csv, summary.json, config.cfg, into a folder that was begun, and locked, before the
 * work; puts it in its place. */
pf_status pf_recover_write(const pf_recovery *recovery, pf_folder *folder, bool force,
                           pf_error *error);

#endif
