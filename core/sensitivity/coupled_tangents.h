/*
 * Tangents carried forward step by step, all rows at once: for the models that the sweep does not
 * cover (units that see one another or have a memory, rules that keep traces or see more than
 * activity, weights with bounds, forgetting). The trajectory stands first; then
 *
 *   drive'_k(t)  = W'_k pre(t) + W pre'_k(t)
 *   signals'_k, state'_k    from the network's slopes
 *   traces'_k, W'_k         from the rules', after a step that changes them
 *
 * with W and the traces recomputed from the activities on the way.
 */
#ifndef PLASTFIT_CORE_SENSITIVITY_COUPLED_TANGENTS_H
#define PLASTFIT_CORE_SENSITIVITY_COUPLED_TANGENTS_H

#include "core/sensitivity/tangents.h"

/** The trajectory at theta in workspaces[0], and planes of the wanted signals. */
pf_status pf_tangents_coupled(pf_tangents *self, const bool *wanted, pf_error *error);

/** Bytes that this keeps beside the planes, of n directions. */
double pf_coupled_tangent_bytes(const pf_model *model, size_t n);

#endif
