/*
 * What each population and projection did at each step, and the cotangents of the same.
 * For those that take a simulation through time: core/engine, core/sensitivity, core/closed_loop.
 */
#ifndef PLASTFIT_CORE_STATE_TRAJECTORY_H
#define PLASTFIT_CORE_STATE_TRAJECTORY_H

#include "core/base/pool.h"
#include "core/model/model.h"
#include "core/state/draw.h"
#include "core/state/kernels.h"
#include "core/state/segments.h"

typedef struct pf_workspace pf_workspace;

/** A population through time. Planes of signals lie plane_stride apart, each [n_steps][ld]. */
typedef struct pf_activity {
  const pf_population *info;
  int64_t n, ld, plane_stride;
  uint8_t phase;    /**< enum pf_phase */
  pf_real *drive;   /**< [n_steps][ld] */
  pf_real *signals; /**< [n_signals][n_steps][ld]; of the input population: the draw's own input,
                       read only */
  pf_real *g_drive; /**< cotangents; NULL until a gradient is wanted, and for the input */
  pf_real *g_signals;
  uint64_t
      heard; /**< bit s: something adds to the cotangent of signal s < 64; the others' stay 0 */
  pf_real *state;   /**< [n_state][n_steps][ld], planes plane_stride apart: after each step; NULL:
                       stateless */
  pf_real *start;   /**< [n_state][ld], before the first step and after PF_STEP_RESET_STATE */
  pf_real *g_state; /**< cotangents of both */
  pf_real *g_start;
} pf_activity;

/** A projection. Its weights w are those in force; of a plastic one, every state is kept. */
typedef struct pf_weights {
  const pf_projection *info;
  int64_t n_pre, n_post, ldw;
  size_t cells;              /**< n_post * ldw */
  int64_t index;             /**< among the network's projections */
  const pf_plastic *plastic; /**< the first rule on it; NULL: fixed */
  const pf_bound *bound;     /**< of the weights; ->lower NULL: none */
  bool has_traces;           /**< a rule on it keeps some */
  bool covered;              /**< every row learns by a rule */
  bool plain; /**< one rule on all rows, without traces and bounds: an update in place is right */
  const pf_real *mask;      /**< [n_post][ldw] 0 or 1: where weights change; NULL: everywhere */
  const pf_real *connected; /**< [n_post][ldw] 0 or 1: which synapses there are; NULL: all */
  pf_real *states;          /**< [capacity][cells]: weights after k changes */
  int64_t capacity;         /**< states there is room for */
  pf_real
      *g; /**< [n_post][ldw], cotangent of the weights in force; in the end, of the starting ones */
  pf_real *unclipped; /**< [n_post][ldw] the starting weights before the bounds; NULL: no bounds */
  pf_real *now;       /**< [n_post][ldw], the weights in force where populations are evaluated */
} pf_weights;

/** One step as rules and populations with a memory see it. */
typedef struct pf_step_context {
  int64_t row;      /**< of the activities */
  int64_t previous; /**< row of the step before; -1: state starts anew, and the activity before
                       counts as 0 */
  uint32_t flags;   /**< PF_STEP_* */
  bool changes;     /**< weights change after it */
  double dt;        /**< ms, 0: no time axis */
  pf_real *const *modulators; /**< [n_plastic], each [] of pf_modulation_cells */
  const pf_seen_planes *seen; /**< [n_plastic], each [] of pf_seen_cells */
  int64_t data_row;           /**< of modulators and of what is seen */
} pf_step_context;

struct pf_workspace {
  const pf_model *model;
  const pf_kernels *kernels; /**< the inner loops for this processor */
  int64_t capacity;          /**< steps there is room for */
  int64_t n_steps;           /**< of the last simulation, likewise what follows */
  int64_t n_changes;         /**< times that weights changed */
  pf_segment *segments;      /**< [n_segments], room for 2 n_steps */
  int64_t n_segments;
  bool keeps_states;     /**< every state of the weights stands */
  bool has_trajectory;   /**< activities and weights are allocated */
  bool has_cotangents;   /**< likewise */
  pf_activity *activity; /**< [n_populations] */
  pf_weights *weights;   /**< [n_projections] */
  pf_real *zeros;        /**< [units of the largest population]: activity before the first step */
  pf_seen_planes *seen;  /**< [n_plastic] where a rule sees more than activity: [n][n_units] values
                            of a step, then their cotangents; each block of rows has its own */
  /* what the network's `initial` is given */
  pf_real **initial_w; /**< [n_projections] */
  int64_t *initial_ldw;
  pf_real **initial_state; /**< [n_populations] */
  int64_t *initial_ld_state;
  /* of losses */
  double *log_likelihood, *cotangent; /**< [n_steps] */
  int64_t *count;                     /**< [n_steps] */
  uint8_t *scored;                    /**< [n_steps] */
  bool all_scored;
  pf_pool arena; /**< synaptic states of the coupled path, or of a block of a sweep, and scratch */
  size_t arena_population;      /**< whose states all stand in the arena since its last sweep; 0:
                                   nobody's */
  pf_pool lane_theta, lane_pre; /**< sums of a sweep by lane */
  void *attached;               /**< memory that another folder keeps here; NULL: none */
  void (*free_attached)(void *attached); /**< called with it when the workspace is freed */
};

/** The populations and projections, sizes from the model; their planes are not allocated. */
pf_status pf_trajectory_make(pf_workspace *workspace, pf_error *error);
void pf_trajectory_free(pf_workspace *workspace);
/** Make room for `n_states` states of every plastic projection. */
pf_status pf_trajectory_reserve_states(pf_workspace *workspace, int64_t n_states, pf_error *error);
/** Allocate activities and starting weights, once: a workspace that only lends its states to a
 * sweep has none. */
pf_status pf_trajectory_need(pf_workspace *workspace, pf_error *error);
/** Allocate the cotangents, once. */
pf_status pf_trajectory_need_cotangents(pf_workspace *workspace, pf_error *error);
/** Cotangents of the first n_populations populations, and of all weights, to zero. */
void pf_trajectory_clear_cotangents(pf_workspace *workspace, size_t n_populations);

/** Weights of a projection after k changes (a fixed one has k = 0 only). */
static inline pf_real *pf_weights_state(const pf_weights *weights, int64_t k)
{
  return weights->states + (weights->plastic == NULL ? 0 : (size_t)k * weights->cells);
}

/** Cells of the synaptic state of n_rows rows (core/state/synaptic_state.h): weights and traces.
 */
size_t pf_synaptic_cells(const pf_model *model, const pf_weights *weights, int64_t n_rows);

/** Of these, the traces of one rule on the projection. */
size_t pf_trace_cells(const pf_plastic *plastic, const pf_weights *weights, int64_t n_rows);

/** w = 0 (or a cotangent = 0) where there is no synapse. */
void pf_weights_disconnect(const pf_weights *weights, pf_real *w);

/** Is every number finite? One pass without branches: 0 times what is infinite or NaN is NaN. */
static inline bool pf_all_finite(const pf_real *values, size_t n)
{
  pf_real sum = 0;
  for (size_t i = 0; i < n; i++) {
    sum += values[i] * 0;
  }
  return sum == 0;
}

/** Step t of a draw; `changes`: do weights change after it? */
static inline pf_step_context pf_step_context_of(const pf_draw *draw, int64_t t, bool changes)
{
  const bool anew = t == 0 || (draw->flags[t] & PF_STEP_RESET_STATE) != 0;
  return (pf_step_context){.row = t,
                           .previous = anew ? -1 : t - 1,
                           .flags = draw->flags[t],
                           .changes = changes,
                           .dt = draw->recording->dt == NULL ? 0.0 : draw->recording->dt[t],
                           .modulators = draw->modulators,
                           .seen = draw->seen,
                           .data_row = t};
}

/** Signals of the presynaptic population at step `row`, or at the step before it, as the projection
 * says: plane 0; planes lie *stride apart. */
static inline pf_real *pf_presynaptic_planes(const pf_workspace *workspace,
                                             const pf_weights *weights, int64_t row,
                                             int64_t previous, int64_t *stride)
{
  const pf_activity *pre = &workspace->activity[weights->info->pre];
  *stride = pre->plane_stride;
  if (weights->info->when != PF_PRE_PREVIOUS) {
    return pre->signals + row * pre->ld;
  }
  *stride = previous < 0 ? 0 : pre->plane_stride;
  return previous < 0 ? workspace->zeros : pre->signals + previous * pre->ld;
}

/** The presynaptic signal that a projection transmits at step `row`, whose step before is
 * `previous` or -1. */
static inline const pf_real *pf_presynaptic_signal(const pf_workspace *workspace,
                                                   const pf_weights *weights, int64_t row,
                                                   int64_t previous)
{
  const pf_activity *pre = &workspace->activity[weights->info->pre];
  const pf_real *signal = pre->signals + weights->info->signal * pre->plane_stride;
  if (weights->info->when != PF_PRE_PREVIOUS) {
    return signal + row * pre->ld;
  }
  return previous < 0 ? workspace->zeros : signal + previous * pre->ld;
}

/** Where its cotangent gathers; NULL: nowhere. */
static inline pf_real *pf_presynaptic_cotangent(const pf_workspace *workspace,
                                                const pf_weights *weights, int64_t row,
                                                int64_t previous)
{
  const pf_activity *pre = &workspace->activity[weights->info->pre];
  const bool back = weights->info->when == PF_PRE_PREVIOUS;
  if (weights->info->pre == 0 || (back && previous < 0)) {
    return NULL;
  }
  return pre->g_signals + weights->info->signal * pre->plane_stride +
         (back ? previous : row) * pre->ld;
}

#endif
