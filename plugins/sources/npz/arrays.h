/* Which array of a file is what, and whether it can be. */
#ifndef PLASTFIT_PLUGINS_NPZ_ARRAYS_H
#define PLASTFIT_PLUGINS_NPZ_ARRAYS_H

#include "../common/recording.h"
#include "zip_arrays.h"

/**
 * Settle what each array is; *steps: the rows that each has. Errors: those of roles_find, an array
 * that is used and cannot be, other numbers of rows, no rows.
 */
pf_status npz_find_roles(recording *of, const npz_file *file, const pf_options *options,
                         int64_t *steps, pf_error *error);
/** Bytes that the used arrays take when unpacked. */
double npz_used_bytes(const npz_file *file, const roles *of);

#endif
