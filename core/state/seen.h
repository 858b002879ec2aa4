/*
 * What a rule sees of the units of one side of its projection, where that is more than their
 * activity. Each signal is
 *
 *     offset + factor s,   s: a signal of the population
 *
 * with offset and factor from the data: a choice is an offset, its error an offset minus the
 * probability, a recorded activity an offset where it was recorded and the model's own elsewhere.
 * Derivatives go through s alone. Data of one step: [n][2][n_units], offsets, then factors.
 */
#ifndef PLASTFIT_CORE_STATE_SEEN_H
#define PLASTFIT_CORE_STATE_SEEN_H

#include "core/model/model.h"

/** Numbers of the data of one step; 0: the rule sees the activity alone. */
static inline size_t pf_seen_cells(const pf_seen *seen)
{
  return seen->n * 2 * (size_t)seen->n_units;
}

/** Data of one step. choice: NaN: none was observed; recorded: [n_units], NaN where nothing was
 * recorded, or NULL. */
void pf_seen_set(const pf_seen *seen, double choice, const double *recorded, pf_real *data);
/** Data of all steps of a recording for one side, [n_steps] of pf_seen_cells; `choices` and records
 * that the rule needs must be there. */
pf_status pf_seen_fill(const pf_model *model, const pf_plastic *plastic, const pf_seen *seen,
                       const pf_recording *recording, pf_real *data, pf_error *error);
/** Is everything that the rule sees of the postsynaptic units data, and nothing of the model? */
bool pf_seen_is_data(const pf_seen *seen);
/** Does the rule learn from choices? Then weights do not change where none was observed. */
bool pf_seen_needs_choice(const pf_seen *seen);

/** Signals of the population at one step: [n_signals] planes `stride` apart. */
typedef struct pf_unit_signals {
  pf_real *cells; /**< of unit 0 */
  int64_t stride;
} pf_unit_signals;

/** What is seen of `units`, into values [n][n_units]. */
void pf_seen_values(const pf_seen *seen, const pf_real *data, const pf_unit_signals *signals,
                    pf_range units, pf_real *values);
/** Its adjoint: cotangents of the values [n][n_units] into those of the population's signals. */
void pf_seen_vjp(const pf_seen *seen, const pf_real *data, const pf_real *g_values, pf_range units,
                 const pf_unit_signals *g_signals);

#endif
