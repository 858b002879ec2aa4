/*
 * What a rule is handed of a synaptic state (core/state/synaptic_state.h) at one step: its traces,
 * and its synapses part by part. For those that take the state through time, and its tangents.
 */
#ifndef PLASTFIT_CORE_STATE_SYNAPTIC_PARTS_H
#define PLASTFIT_CORE_STATE_SYNAPTIC_PARTS_H

#include "core/model/weight_bounds.h"
#include "core/state/trajectory.h"

/** The one rule on weights that are plain, and what it is given; what changes from step to step is
 * filled in anew. */
typedef struct pf_plain {
  const pf_rule_ops *ops;
  void *self;
  const pf_real *pre;  /**< its presynaptic signal from step 0 on; NULL: that of the step before */
  const pf_real *post; /**< activity of row 0 of the range from step 0 on */
  int64_t step_pre, step_post; /**< from one step to the next */
  size_t index, n_modulators;
  pf_block in;
  pf_update update;
  pf_rule_gradient into;
} pf_plain;

typedef struct pf_synaptic_state {
  const pf_model *model;
  const pf_workspace *workspace; /**< whose activities stand */
  const pf_weights *weights;
  const double *theta; /**< of the whole model */
  int64_t row0, n_rows;
  size_t w_cells; /**< n_rows * ldw */
  size_t cells;   /**< of a state buffer */
  pf_plain plain; /**< where weights->plain */
} pf_synaptic_state;

/** Synapses [rows.n][columns.n] of a state. */
typedef struct pf_synapses {
  pf_range rows, columns;
} pf_synapses;

/** One step of the state. */
typedef struct pf_state_step {
  const pf_synaptic_state *synaptic;
  const pf_step_context *context;
  const pf_real *w;        /**< weights before it */
  pf_real *before, *after; /**< traces before and after it, of all rules */
  pf_real *dw;             /**< scratch [n_rows][ldw] */
} pf_state_step;

/** A rule on the projection, in a step. */
typedef struct pf_rule_step {
  const pf_state_step *step;
  const pf_plastic *plastic;
  const pf_rule_ops *ops;
  void *self;
  size_t traces_at; /**< where its traces lie among those of all rules */
} pf_rule_step;

/** One of its parts; `in` points to `traces`. */
typedef struct pf_rule_part {
  pf_synapses of;
  pf_block in;
  pf_traces traces;
} pf_rule_part;

/** Does the rule act on this projection? */
static inline bool pf_rule_is_on(const pf_plastic *plastic, const pf_weights *weights)
{
  return plastic->projection == weights->index;
}

static inline bool pf_weights_bounded(const pf_weights *weights)
{
  return weights->bound->lower != NULL;
}

/** First cell of some synapses, of a matrix of the state's rows. */
static inline int64_t pf_synapses_cell(const pf_weights *weights, const pf_synapses *of)
{
  return of->rows.first * weights->ldw + of->columns.first;
}

static inline bool pf_rule_keeps_traces(const pf_rule_step *rule)
{
  return rule->plastic->declared.traces.count > 0;
}

/** Traces of one rule on the projection, as they lie from `at` on; of some of its synapses. */
pf_traces pf_traces_lay(const pf_synaptic_state *synaptic, const pf_plastic *plastic, pf_real *at,
                        const pf_synapses *of);

/** All traces to their starting values. */
void pf_traces_restart(const pf_synaptic_state *synaptic, pf_real *at);

/**
 * Traces before the step: those of the buffer, or, where they start anew, the starting ones in
 * `anew`. The buffer is left as it is: its traces are also those after the step before, which a
 * rule may have seen.
 */
pf_real *pf_traces_before(const pf_synaptic_state *synaptic, const pf_step_context *context,
                          pf_real *buffer, pf_real *anew);

/** The rows, as the bounds of the weights want them. */
pf_bounded_rows pf_synaptic_rows(const pf_synaptic_state *synaptic);

/** What a rule sees of its synapses at any step. */
pf_block pf_synapses_block(const pf_synaptic_state *synaptic, const pf_plastic *plastic,
                           const pf_synapses *of);

/** How the host applies dw to them. */
pf_update pf_synapses_update(const pf_synaptic_state *synaptic, const pf_plastic *plastic,
                             const pf_synapses *of);

/** traces_at: where the rule's traces lie among those of all rules on the projection. */
pf_rule_step pf_rule_step_of(const pf_state_step *step, const pf_plastic *plastic,
                             size_t traces_at);

/** Its data of the step, where it sees more than activity. */
pf_seen_planes pf_rule_data_seen(const pf_rule_step *rule);

/** Where its values stand; their cotangents lie behind them. */
pf_seen_planes pf_rule_values_seen(const pf_rule_step *rule);

/** Part p of the rule, which sees `traces` (of this rule; NULL: none); false: no row is of it. */
bool pf_rule_take_part(const pf_rule_step *rule, size_t p, pf_real *traces, pf_rule_part *out);

/** Of traces that several parts share, those that this part is asked for, so that each is once. */
void pf_rule_share_traces(const pf_rule_step *rule, size_t p, int64_t first_row, pf_traces *traces);

/** The first row of the first part that has rows of the state. */
int64_t pf_rule_first_row(const pf_rule_step *rule);

/** Of the rule's traces before and after the step, those that dw sees; NULL: it keeps none. */
pf_real *pf_rule_seen_traces(const pf_rule_step *rule, pf_real *before, pf_real *after);

#endif
