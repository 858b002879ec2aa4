/*
 * plastfit/abi/rule.h - a plasticity rule: how one projection's weights change.
 *
 *     dw_ij   = g_theta(x_j, y_i, w_ij, m)               the rule returns dw
 *     W_{t+1} = bound(W_t + eta * plastic_t * dw)        the host applies it
 *
 * (Mehta et al., NeurIPS 2024, eq. 1-2.) x_j is presynaptic and y_i
 * postsynaptic activity at step t, computed with W_t; m are the modulators of
 * step t. A rule sees one block of one projection at one step: some of its rows,
 * and all of its columns, or those that have the same modulators. The host
 * chooses the blocks; a rule cannot tell and MUST NOT care: a block and its
 * parts give the same dw.
 */
#ifndef PLASTFIT_ABI_RULE_H
#define PLASTFIT_ABI_RULE_H

#include <plastfit/abi/options.h>
#include <plastfit/abi/parameters.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Of what a modulator or a trace has one value. */
enum pf_per { PF_PER_NETWORK = 0, PF_PER_PRE = 1, PF_PER_POST = 2, PF_PER_SYNAPSE = 3 };

/** A modulator the rule reads. The config's `modulator` says which channels make it. */
typedef struct pf_modulator {
  const char *name;     /**< "r" */
  const char *fallback; /**< default: a linear expression of channels, "reward - expected_reward" */
  uint32_t per;         /**< enum pf_per, without PF_PER_SYNAPSE */
  const char *help;
} pf_modulator;

/** A table of modulators; its elements lie `stride` bytes apart (pf_table_at). */
typedef struct pf_modulator_table {
  const pf_modulator *items;
  size_t count;
  size_t stride;
} pf_modulator_table;

/** A trace: a variable the rule keeps from step to step. The host owns its memory; each starts at
 * `initial`. */
typedef struct pf_trace {
  const char *name;
  uint32_t per;   /**< enum pf_per */
  double initial; /**< value at the start of a session and after PF_STEP_RESET_TRACES */
  const char *help;
} pf_trace;

/** A table of traces; its elements lie `stride` bytes apart (pf_table_at). */
typedef struct pf_trace_table {
  const pf_trace *items;
  size_t count;
  size_t stride;
} pf_trace_table;

/** Which traces dw sees. */
enum pf_trace_order { PF_TRACES_BEFORE_STEP = 0, PF_TRACES_AFTER_STEP = 1 };

/**
 * What dw depends on, so that the host may skip work. 0 means: on all of them. What is left out is
 * not up to date when dw is asked for: dw and its adjoint MUST NOT change with it (`plastfit check`
 * looks).
 */
enum { PF_READS_PRE = 1, PF_READS_POST = 2, PF_READS_WEIGHT = 4, PF_READS_MODULATOR = 8 };

/** Filled by `declare`. All tables are the rule's and valid until destroy. */
typedef struct pf_rule_declaration {
  size_t size;
  pf_parameter_table parameters;
  pf_names pre_signals;  /**< signals of the presynaptic population; empty: { "activity" } */
  pf_names post_signals; /**< likewise, postsynaptic */
  pf_modulator_table modulators;
  pf_trace_table traces;
  uint32_t trace_order; /**< enum pf_trace_order */
  uint32_t reads;       /**< PF_READS_*, or 0 */
} pf_rule_declaration;

/**
 * Values of the traces of one block. Planes of the table's traces with that `per`, in order. Other
 * structs point to it: NULL where the rule declares no traces. A plane is NULL where the rule has
 * none of its kind.
 */
typedef struct pf_traces {
  size_t size;
  pf_real *network; /**< [n_network_traces] */
  pf_real *pre;     /**< [n_pre_traces][ld_pre] */
  pf_real *post;    /**< [n_post_traces][ld_post] */
  pf_real *synapse; /**< [n_synapse_traces][synapse_stride], each row-major with ldw */
  int64_t ld_pre, ld_post, ldw, synapse_stride;
} pf_traces;

/** One block of rows of a projection at one step: read only. */
typedef struct pf_block {
  size_t size;
  uint32_t flags;        /**< PF_STEP_* of this step (plastfit/abi/experiment.h) */
  int64_t n_rows, n_pre; /**< rows of this block; columns */
  int64_t row0;          /**< index of its first row in the projection; MUST NOT change results */
  const double *theta;   /**< [n_parameters] */
  const pf_real
      *pre; /**< [n_pre_signals][ld_pre]; plane 0 is x unless pre_signals says otherwise */
  const pf_real *
      post; /**< [n_post_signals][ld_post]; plane 0 is y; element 0 belongs to row 0 of the block */
  const pf_real *w;              /**< [n_rows][ldw], weights before the change */
  const pf_real *modulator;      /**< [n_modulators]; values of those per network, the others 0 */
  const pf_real *modulator_pre;  /**< [n_modulators per pre][ld_pre] */
  const pf_real *modulator_post; /**< [n_modulators per post][ld_post] */
  int64_t ld_pre, ld_post, ldw;
  const pf_traces *traces; /**< as trace_order says; MUST NOT be written */
  double dt;               /**< ms; 0 where the data have no time axis */
} pf_block;

/** Where gradients go. Everything is += ; a NULL pointer means: not wanted. */
typedef struct pf_rule_gradient {
  size_t size;
  double *theta; /**< [n_parameters] */
  pf_real *pre;  /**< [n_pre_signals][ld_pre], private to the block */
  pf_real *post; /**< [n_post_signals][ld_post] */
  pf_real *w;    /**< [n_rows][ldw] */
  int64_t ld_pre, ld_post, ldw;
  const pf_traces *traces; /**< cotangents of the traces seen; a plane MAY be NULL: not wanted */
} pf_rule_gradient;

/** Directions for `jvp`, and where the tangents of dw go. NULL inputs mean zero. */
typedef struct pf_rule_tangent {
  size_t size;
  int64_t n_tangents;
  const double *theta;     /**< [n_tangents][n_parameters] */
  const pf_real *pre;      /**< [n_tangents] planes of stride pre_stride, each as in pf_block */
  const pf_real *post;     /**< [n_tangents] planes of stride post_stride */
  const pf_real *w;        /**< [n_tangents] planes of stride w_stride, each row-major with ldw */
  const pf_traces *traces; /**< tangents of the traces seen, [n_tangents] of traces_stride; a plane
                              MAY be NULL: zero */
  int64_t pre_stride, post_stride, w_stride, traces_stride, ldw;
  pf_real *dw; /**< out, overwritten: [n_tangents] planes of stride dw_stride, with lddw */
  int64_t dw_stride, lddw;
  /** Where not NULL: theta's direction k is the unit vector of parameter theta_unit[k], or zero
   * where that is -1, as `theta` says too. So dg/dtheta of one parameter is enough, which is most
   * of what a fit asks for. */
  const int64_t *theta_unit;
} pf_rule_tangent;

/** How the host applies dw, for the fused ops: w_out = w + eta * mask * dw. */
typedef struct pf_update {
  size_t size;
  double eta;          /**< synaptic learning rate, 1 */
  const pf_real *mask; /**< [n_rows][ldm], 0 or 1; NULL: ones */
  int64_t ldm;
} pf_update;

enum pf_text_format { PF_TEXT_PLAIN = 0, PF_TEXT_LATEX = 1 };

/**
 * What a rule can do. Of every op here (base.h says it in full):
 *
 * - Returns. PF_OK; PF_POINT_FAILED where these parameter values cannot be gone on with, so that an
 *   optimiser backs off; PF_STOP. With either of these a line in *error (pf_fail).
 * - Memory.  What is handed over is the host's and valid for the call; [hot] ops allocate nothing.
 * - Threads. `create` and `destroy`: one at a time for an object. All others: several at once on
 *   the same object.
 */
typedef struct pf_rule_ops {
  size_t size; /**< sizeof(pf_rule_ops) */

  /* ---- required ---- */

  /** Make an object from its options. On failure *self is untouched and nothing leaks. */
  pf_status (*create)(const pf_host *host, const pf_options *options, void **self, pf_error *error);
  /** Free it; self MAY be NULL. */
  void (*destroy)(void *self);
  /** Say what the rule declares; *declared comes zeroed but for size. Tables are the object's,
   * valid until destroy. */
  pf_status (*declare)(const void *self, pf_rule_declaration *declared, pf_error *error);
  /** [hot] dw[i*lddw + j] = g_theta(x_j, y_i, w_ij, m), overwritten. dw MUST NOT alias an input. */
  pf_status (*forward)(const void *self, const pf_block *in, pf_real *dw, int64_t lddw,
                       pf_error *error);
  /**
   * [hot] Adjoint of forward: with c = cotangent of dw, add sum_ij c_ij d dw_ij / d(...)
   * to each gradient that is wanted.
   */
  pf_status (*vjp)(const void *self, const pf_block *in, const pf_real *cotangent,
                   int64_t ld_cotangent, const pf_rule_gradient *gradient, pf_error *error);

  /* ---- optional, the host has a fallback ---- */

  /** [hot] Tangents of dw (forward mode). */
  pf_status (*jvp)(const void *self, const pf_block *in, const pf_rule_tangent *tangent,
                   pf_error *error);
  /** [hot] Fused: w_out = w + eta * mask * dw. w_out MAY be in->w. */
  pf_status (*step)(const void *self, const pf_block *in, const pf_update *update, pf_real *w_out,
                    int64_t ld_out, pf_error *error);
  /** [hot] Fused adjoint: gradient->w holds the cotangent of w_out on entry and that of w on
   * return; never NULL here.
   */
  pf_status (*step_vjp)(const void *self, const pf_block *in, const pf_update *update,
                        const pf_rule_gradient *gradient, pf_error *error);
  /** The rule with these coefficients as text: "dw = 0.98 x r - 0.05 w". Cuts at `capacity`, always
   * ends with 0. */
  pf_status (*describe)(const void *self, const double *theta, uint32_t format, char *text,
                        size_t capacity, pf_error *error);

  /* ---- required when `declare` lists traces ---- */

  /**
   * [hot] Traces after this step from those before it (in->traces). A NULL
   * plane in `next` is not asked of this block. Traces per network and per pre
   * MUST NOT depend on rows (post, w, traces per post or synapse): any block
   * that is asked for them gives the same. Called at every step, in->flags or not.
   */
  pf_status (*update_traces)(const void *self, const pf_block *in, const pf_traces *next,
                             pf_error *error);
  /** [hot] Its adjoint: `cotangent` of the traces after; += into gradient (traces: those before).
   */
  pf_status (*update_traces_vjp)(const void *self, const pf_block *in, const pf_traces *cotangent,
                                 const pf_rule_gradient *gradient, pf_error *error);

  /* ---- optional, the host has a fallback ---- */

  /** [hot] Tangents of the traces after this step: planes [n_tangents] of stride traces_stride in
   * `next`. */
  pf_status (*update_traces_jvp)(const void *self, const pf_block *in,
                                 const pf_rule_tangent *tangent, const pf_traces *next,
                                 pf_error *error);
} pf_rule_ops;

#ifdef __cplusplus
}
#endif

#endif
