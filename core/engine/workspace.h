/*
 * Memory of one simulation: what each population and projection did at each
 * step, and the cotangents of the same. Private to core/engine.
 */
#ifndef PLASTFIT_CORE_ENGINE_WORKSPACE_H
#define PLASTFIT_CORE_ENGINE_WORKSPACE_H

#include "core/engine/checkpoint_plan.h"
#include "core/engine/engine.h"
#include "core/engine/kernels.h"

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
  bool projects;             /**< a rule on it has bounds of its own */
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
  pf_real *const *modulators; /**< [n_plastic], each [][n modulators] */
  int64_t modulator_row;
} pf_step_context;

struct pf_workspace {
  const pf_model *model;
  int64_t capacity;      /**< steps there is room for */
  int64_t n_steps;       /**< of the last run */
  int64_t n_changes;     /**< weight changes of the last run */
  pf_activity *activity; /**< [n_populations] */
  pf_weights *weights;   /**< [n_projections] */
  bool has_cotangents;
  pf_real **initial_w; /**< [n_projections], what the network's `initial` is given */
  int64_t *initial_ldw;
  pf_real **initial_state; /**< [n_populations], likewise */
  int64_t *initial_ld_state;
  double *log_likelihood, *cotangent; /**< [n_steps] */
  int64_t *count;                     /**< [n_steps] */
  uint8_t *scored;                    /**< [n_steps] */
  bool all_scored;
  bool keeps_states;    /**< the last run kept every state of the weights */
  bool has_trajectory;  /**< activities and weights are allocated */
  pf_segment *segments; /**< [2 n_steps] of which n_segments: the steps between two changes of the
                           weights */
  int64_t n_segments;
  /* of sweeps: a thread's block in time; sums by lane */
  pf_real *arena;
  size_t arena_cells;
  size_t arena_population; /**< whose states all stand in the arena since its last sweep; 0:
                              nobody's */
  double *lane_theta;
  size_t lane_theta_count;
  pf_real *lane_pre;
  size_t lane_pre_cells;
  struct pf_sensitivity
      *sensitivity; /**< memory of core/sensitivity/sensitivity.h; NULL until it is used */
  pf_real *zeros;   /**< [units of the largest population]: activity before the first step */
};

/** Make room for `n_states` states of every plastic projection. */
pf_status pf_workspace_reserve(pf_workspace *workspace, int64_t n_states, pf_error *error);
/** Allocate activities and starting weights, once: a workspace that only lends its states to a
 * sweep has none. */
pf_status pf_workspace_need_trajectory(pf_workspace *workspace, pf_error *error);
/** Allocate the cotangents, once. */
pf_status pf_workspace_need_cotangents(pf_workspace *workspace, pf_error *error);

/** Weights of a projection after k changes (a fixed one has k = 0 only). */
static inline pf_real *pf_weights_state(const pf_weights *weights, int64_t k)
{
  return weights->states + (weights->plastic == NULL ? 0 : (size_t)k * weights->cells);
}

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

/** How the host applies dw of the projection's first rule from row `row0` on. */
static inline pf_update pf_weights_update(const pf_weights *weights, int64_t row0)
{
  return (pf_update){.size = sizeof(pf_update),
                     .eta = weights->plastic->eta,
                     .mask = weights->mask == NULL ? NULL : weights->mask + row0 * weights->ldw,
                     .ldm = weights->ldw};
}

/* ---- shared between the two paths through time and the closed loop ---- */

/** Get ready for a draw: its input, its runs, the starting weights. */
pf_status pf_run_begin(pf_workspace *workspace, const pf_draw *draw, const double *theta,
                       uint32_t run_flags, pf_error *error);
/** Evaluate the losses on the trajectory in the workspace; values MAY be NULL. */
pf_status pf_run_losses(const pf_draw *draw, const double *theta, uint32_t count_flag,
                        pf_workspace *workspace, pf_loss_value *values, pf_error *error);
/** PF_POINT_FAILED with the line that says whose weights overflowed at which step (-1: from the
 * start). */
pf_status pf_run_overflowed(const pf_draw *draw, const pf_model *model, const pf_plastic *plastic,
                            const double *theta, int64_t step, pf_error *error);
/** Cotangents of the first n_populations populations, and of all weights, to zero. */
void pf_run_clear_cotangents(pf_workspace *workspace, size_t n_populations);
/** Losses backward: cotangents of the observables; gradient[losses' parameters] += . */
pf_status pf_run_back_losses(const pf_draw *draw, const double *theta, const double *scale,
                             pf_workspace *workspace, double *gradient, pf_error *error);
/**
 * Population p backward over steps [first, last], with weights after k changes: from cotangents of
 * its signals to those of its drive, of its weights and of the presynaptic signals. `gradient`: of
 * theta, NULL where the network has no parameters.
 */
pf_status pf_run_back_population(pf_workspace *workspace, size_t p, const double *theta,
                                 int64_t first, int64_t last, int64_t k, double *gradient,
                                 pf_error *error);
/** PF_POINT_FAILED when a gradient is not finite. */
pf_status pf_run_check_gradient(const pf_draw *draw, const pf_model *model, const double *gradient,
                                pf_error *error);

/** Starting weights into states[0] of every projection, and cotangent-free populations ready for
 * `draw`'s input. */
pf_status pf_run_start(pf_workspace *workspace, const double *theta, const double *noise,
                       pf_real *const *given_w, pf_error *error);
/** Evaluate population p over steps [first, last] with weights after k changes; stateless ones
 * only. */
pf_status pf_run_population(pf_workspace *workspace, size_t p, const double *theta, int64_t first,
                            int64_t last, int64_t k, pf_error *error);
/** The same with the weights ->now. `moment`: of step `first` = `last`, for populations that
 * remember; else NULL. */
pf_status pf_run_activate(pf_workspace *workspace, size_t p, const double *theta, int64_t first,
                          int64_t last, const pf_step_context *context, pf_error *error);
/** Its adjoint, see pf_run_back_population. */
pf_status pf_run_back_activate(pf_workspace *workspace, size_t p, const double *theta,
                               int64_t first, int64_t last, const pf_step_context *context,
                               double *gradient, pf_error *error);
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
                           .modulator_row = t};
}

/** The presynaptic signal that a projection transmits at step `row`, whose step before is
 * `previous` or -1. */
static inline const pf_real *pf_run_pre(const pf_workspace *workspace, const pf_weights *weights,
                                        int64_t row, int64_t previous)
{
  const pf_activity *pre = &workspace->activity[weights->info->pre];
  const pf_real *signal = pre->signals + weights->info->signal * pre->plane_stride;
  if (weights->info->when != PF_PRE_PREVIOUS) {
    return signal + row * pre->ld;
  }
  return previous < 0 ? workspace->zeros : signal + previous * pre->ld;
}

/** Where its cotangent gathers; NULL: nowhere. */
static inline pf_real *pf_run_g_pre(const pf_workspace *workspace, const pf_weights *weights,
                                    int64_t row, int64_t previous)
{
  const pf_activity *pre = &workspace->activity[weights->info->pre];
  const bool back = weights->info->when == PF_PRE_PREVIOUS;
  if (weights->info->pre == 0 || (back && previous < 0)) {
    return NULL;
  }
  return pre->g_signals + weights->info->signal * pre->plane_stride +
         (back ? previous : row) * pre->ld;
}

/** Adjoint of the start: from ->g of the weights and g_start of the states to gradient[network's
 * parameters, starting weights] += . */
pf_status pf_run_back_start(const pf_draw *draw, const double *theta, pf_workspace *workspace,
                            double *gradient, pf_error *error);
/** What a loss sees of the last run. `observable`, `n`, `ld`, ...: scratch of at least 8 entries.
 */
enum { PF_LOSS_MAX_ARRAYS = 8 };
typedef struct pf_loss_view {
  pf_loss_in in;
  const pf_real *observable[PF_LOSS_MAX_ARRAYS];
  const pf_real *target[PF_LOSS_MAX_ARRAYS];
  int64_t n_observable[PF_LOSS_MAX_ARRAYS], ld_observable[PF_LOSS_MAX_ARRAYS];
  int64_t n_target[PF_LOSS_MAX_ARRAYS], ld_target[PF_LOSS_MAX_ARRAYS];
} pf_loss_view;
void pf_run_loss_view(const pf_workspace *workspace, size_t loss, const pf_draw *draw,
                      const double *theta, pf_loss_view *view);
/** Which steps count, for the views that follow. */
void pf_run_mark_scored(pf_workspace *workspace, const pf_draw *draw, uint32_t count_flag);
/** Add "experiment NAME, step T: " before the line, unless it names an experiment already. */
void pf_run_locate(pf_error *error, const char *experiment, int64_t step);

#endif
