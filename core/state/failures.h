/* Error lines of a simulation: where it failed, and whose weights overflowed. */
#ifndef PLASTFIT_CORE_STATE_FAILURES_H
#define PLASTFIT_CORE_STATE_FAILURES_H

#include "core/model/model.h"
#include "core/state/draw.h"
#include "core/state/workspace.h"

/** Add "experiment NAME, step T: " before the line, unless it names an experiment already. */
void pf_error_at_step(pf_error *error, const char *experiment, int64_t step);
/** PF_POINT_FAILED with the line that says whose weights overflowed at which step (-1: from the
 * start). */
pf_status pf_fail_overflow(const pf_simulation *simulation, const pf_plastic *plastic, int64_t step,
                           pf_error *error);
/** PF_POINT_FAILED when a gradient is not finite. */
pf_status pf_check_gradient(const pf_draw *draw, const pf_model *model, const double *gradient,
                            pf_error *error);

#endif
