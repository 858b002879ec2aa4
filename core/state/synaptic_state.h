/*
 * The synaptic state of rows of a plastic projection: their weights, and the traces of the rules on
 * them. One step of it, and its adjoint, for all that take it through time: sweeps, the coupled
 * path, the closed loop.
 *
 * Activities stand already: rows then evolve without seeing one another, so any range of them can
 * be taken alone, in memory of its own, a state buffer:
 *
 *     weights [n_rows][ldw], then of each rule on the projection, in the order of the model, its
 *     traces: per network [n], per pre [n][n_pre], per post [n][n_rows], per synapse
 *     [n][n_rows][ldw]
 */
#ifndef PLASTFIT_CORE_STATE_SYNAPTIC_STATE_H
#define PLASTFIT_CORE_STATE_SYNAPTIC_STATE_H

#include "core/state/synaptic_parts.h"

/** Rows [row0, row0 + n_rows) of projection q, which has a rule. */
pf_synaptic_state pf_synaptic_make(const pf_workspace *workspace, const double *theta, size_t q,
                                   int64_t row0, int64_t n_rows);
/** Cells of scratch that a step (or its adjoint) of n_rows rows takes. */
size_t pf_synaptic_scratch(const pf_model *model, const pf_weights *weights, int64_t n_rows,
                           bool adjoint);

/** Starting weights and traces. */
void pf_synaptic_start(const pf_synaptic_state *synaptic, pf_real *buffer);
/**
 * From before to after the step `context`: traces are updated; weights change if context->changes,
 * by rules, then by the host's bounds. `to` MAY be `from` where weights->plain.
 */
pf_status pf_synaptic_step(pf_synaptic_state *synaptic, const pf_step_context *context,
                           pf_real *from, pf_real *to, pf_real *scratch, pf_error *error);
/** w exp(-rate gap): what a gap between sessions leaves. Traces stay. */
void pf_synaptic_forget(const pf_synaptic_state *synaptic, double gap, const pf_real *from,
                        pf_real *to);

/** Where the adjoint of a step adds. */
typedef struct pf_synaptic_gradient {
  double *theta;           /**< of the whole model */
  pf_real *pre;            /**< presynaptic signal that the rules saw; NULL: not wanted */
  pf_real *post;           /**< activity of row 0 of the range */
  int64_t ld_pre, ld_post; /**< from one signal's plane to the next's */
} pf_synaptic_gradient;

/** State buffers of the adjoint of a step. */
typedef struct pf_synaptic_adjoint {
  pf_real *from; /**< before the step */
  pf_real *to;   /**< after it; read only where rules keep traces */
  pf_real *g;    /**< the cotangent of `to` on entry, of `from` on return */
  pf_real *scratch;
} pf_synaptic_adjoint;

pf_status pf_synaptic_step_vjp(pf_synaptic_state *synaptic, const pf_step_context *context,
                               const pf_synaptic_adjoint *adjoint,
                               const pf_synaptic_gradient *gradient, pf_error *error);
/** Adjoint of forgetting over a gap; gradient_theta gets the rate's. `to` is not read. */
void pf_synaptic_forget_vjp(const pf_synaptic_state *synaptic, double gap,
                            const pf_synaptic_adjoint *adjoint, double *gradient_theta);
/** Tangent of forgetting along which the rate moves by rate_dot: `dot`, of the weights, in place.
 * from: before the gap; scratch: [n_rows][ldw]. */
void pf_synaptic_forget_jvp(const pf_synaptic_state *synaptic, double gap, const pf_real *from,
                            double rate_dot, pf_real *scratch, pf_real *dot);

/** Weights after the change of `step` into w_out, by all rules, without bounds. */
pf_status pf_rules_apply(const pf_state_step *step, pf_real *w_out, pf_error *error);

#endif
