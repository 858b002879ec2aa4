/* Inputs that were not recorded and are drawn: from which distribution. */
#ifndef PLASTFIT_PLUGINS_SOURCES_MISSING_INPUTS_H
#define PLASTFIT_PLUGINS_SOURCES_MISSING_INPUTS_H

#include "columns.h"

/**
 * Cues of the `n` steps of an experiment that are NaN become the mean of the same input over the
 * steps at which it was recorded, and values->cue_sd its sd; of others the sd is 0. Errors: an
 * input that is missing and was recorded at fewer than two steps, which have no sd.
 */
pf_status missing_inputs_settle(const table_columns *columns, const role_group *inputs,
                                const char *name, int64_t n, recording_steps *values,
                                pf_error *error);

#endif
