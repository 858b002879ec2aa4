/* The table of a recovery: each parameter over all data sets. */
#ifndef PLASTFIT_CORE_RECOVER_RECOVERY_TABLE_H
#define PLASTFIT_CORE_RECOVER_RECOVERY_TABLE_H

#include "core/recover/recovery.h"

/** Fills lines and counts from the sets. */
pf_status pf_recover_tabulate(pf_recovery *recovery, pf_error *error);

#endif
