/* The rows of a file, unpacked, checked, and handed over experiment by experiment. */
#ifndef PLASTFIT_PLUGINS_NPZ_ROWS_H
#define PLASTFIT_PLUGINS_NPZ_ROWS_H

#include "roles.h"

#include <plastfit/abi/experiment.h>

/** `stem`: the animal's name where no array says it. */
pf_status npz_hand_over(const npz_file *file, const npz_roles *roles, const char *stem, const pf_sink *sink,
                        pf_error *error);

#endif
