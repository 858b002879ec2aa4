/*
 * Tangents of the synaptic state (core/state/synaptic_state.h) of all rows of a projection: weights
 * and traces along some directions of theta, from before a step to after it.
 */
#ifndef PLASTFIT_CORE_SENSITIVITY_SYNAPTIC_TANGENTS_H
#define PLASTFIT_CORE_SENSITIVITY_SYNAPTIC_TANGENTS_H

#include "core/sensitivity/tangents.h"
#include "core/state/synaptic_state.h"

typedef struct pf_synaptic_tangents {
  int64_t k0, n_k; /**< directions [k0, k0 + n_k) */
  size_t w_cells, n_trace_cells;
  pf_real *from, *to;      /**< state buffers before and after a step */
  pf_real *w;              /**< [n_k][w_cells], in place */
  pf_real *before, *after; /**< traces [n_k][n_trace_cells] */
} pf_synaptic_tangents;

/** Memory of a step, that of the projection that needs most. */
typedef struct pf_synaptic_scratch_memory {
  pf_real *dw;         /**< [n_k][w_cells] */
  pf_real *state;      /**< [w_cells + traces], then [w_cells] */
  pf_real *pre, *post; /**< what a rule sees: [n_k][signals][units] */
} pf_synaptic_scratch_memory;

/** Cells of that memory for one direction, of the projection: dw, then what its rules see. */
size_t pf_synaptic_seen_cells(const pf_model *model, const pf_weights *weights, bool is_post);

/** Tangents after the step `context`; at->from and at->to stand already. */
pf_status pf_synaptic_step_jvp(const pf_tangents *self, const pf_synaptic_state *synaptic,
                               const pf_step_context *context, const pf_synaptic_tangents *at,
                               const pf_synaptic_scratch_memory *scratch, pf_error *error);

#endif
