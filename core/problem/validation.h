/*
 * Validation by two step masks: which steps a fit sees (PF_STEP_FIT), and which are scored
 * (PF_STEP_SCORE).
 *
 * Nothing is cut out. A simulation runs through all steps of an experiment; weights, traces and
 * E[R] go on through those that are not scored, driven by the recorded choices and rewards, so what
 * is scored is predicted one step ahead. A step that the data themselves exclude from fitting or
 * scoring stays excluded.
 */
#ifndef PLASTFIT_CORE_PROBLEM_VALIDATION_H
#define PLASTFIT_CORE_PROBLEM_VALIDATION_H

#include "core/data/dataset.h"

/**
 * Flags [n_steps] of a forecast: the first `fraction` of the trials (rounded down, at least one)
 * are fitted, the others scored. PF_POINT_FAILED, with a line, where there are not two trials.
 */
pf_status pf_mask_forecast(const pf_recording *recording, double fraction, uint32_t *flags,
                           pf_error *error);

/** Blocks to leave out one at a time: those of the data, or equal parts of each experiment's
 * trials. */
typedef struct pf_folds {
  int64_t n;
  bool from_data; /**< fold k is block k; else part k of n */
} pf_folds;
/** The data's blocks where some animal has two or more, else `parts`. */
pf_folds pf_folds_of(const pf_dataset *data, int64_t parts);
/** Flags [n_steps] that leave fold `fold` out of the fit and score it alone. */
void pf_mask_fold(const pf_recording *recording, pf_folds folds, int64_t fold, uint32_t *flags);

/** Put flags [n_steps] in place, and count trials as normalise = "padded" does, which is over
 * fitted steps. */
void pf_recording_mask(pf_recording *recording, const uint32_t *flags);
/** Steps that have the flag. */
int64_t pf_count_steps(const uint32_t *flags, int64_t n_steps, uint32_t flag);

#endif
