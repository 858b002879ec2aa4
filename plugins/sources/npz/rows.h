/* The rows of a file, unpacked, checked, and handed over experiment by experiment. */
#ifndef PLASTFIT_PLUGINS_NPZ_ROWS_H
#define PLASTFIT_PLUGINS_NPZ_ROWS_H

#include "arrays.h"

/** `steps`: rows of every array that is used. */
pf_status npz_hand_over(const recording *of, const npz_file *file, int64_t steps,
                        const pf_sink *sink, pf_error *error);

#endif
