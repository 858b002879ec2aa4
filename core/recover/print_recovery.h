/* The table of a recovery as text. */
#ifndef PLASTFIT_CORE_RECOVER_PRINT_RECOVERY_H
#define PLASTFIT_CORE_RECOVER_PRINT_RECOVERY_H

#include "core/recover/recovery.h"

#include <stdio.h>

void pf_recover_print(const pf_recovery *recovery, FILE *stream);

#endif
