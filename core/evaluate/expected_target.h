/* What a model expects to be recorded, in the recording's own unit: of spikes the expected count.
 */
#ifndef PLASTFIT_CORE_EVALUATE_EXPECTED_TARGET_H
#define PLASTFIT_CORE_EVALUATE_EXPECTED_TARGET_H

#include "core/state/workspace.h"

/** Expected values of a target of the recording. */
typedef struct pf_expected_target {
  const char *target; /**< its name; NULL: no loss says what to expect */
  pf_real *values;    /**< [n_steps][n], owned */
  int64_t n;
} pf_expected_target;

/** After a simulation with `theta` in `workspace`: from the first loss that has the op `expect`. */
pf_status pf_expected_target_compute(const pf_model *model, const pf_workspace *workspace,
                                     const pf_draw *draw, const double *theta,
                                     pf_expected_target *out, pf_error *error);
void pf_expected_target_free(pf_expected_target *expected);

#endif
