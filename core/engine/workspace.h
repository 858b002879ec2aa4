/*
 * Memory of one simulation: what each population and projection did at each
 * step, and the cotangents of the same. Private to core/engine.
 */
#ifndef PLASTFIT_CORE_ENGINE_WORKSPACE_H
#define PLASTFIT_CORE_ENGINE_WORKSPACE_H

#include "core/engine/engine.h"
#include "core/engine/kernels.h"
#include "core/engine/plan.h"

/** A population through time. Planes of signals lie plane_stride apart, each [n_steps][ld]. */
typedef struct pf_activity {
  const pf_population *info;
  int64_t n, ld, plane_stride;
  uint8_t phase;    /**< enum pf_phase */
  pf_real *drive;   /**< [n_steps][ld] */
  pf_real *signals; /**< [n_signals][n_steps][ld]; of the input population: the draw's own input, read only */
  pf_real *g_drive; /**< cotangents; NULL until a gradient is wanted, and for the input */
  pf_real *g_signals;
} pf_activity;

/** A projection. Its weights w are those in force; of a plastic one, every state is kept. */
typedef struct pf_weights {
  const pf_projection *info;
  int64_t n_pre, n_post, ldw;
  size_t cells;              /**< n_post * ldw */
  const pf_plastic *plastic; /**< NULL: fixed */
  const pf_real *mask;       /**< [n_post][ldw] 0 or 1: where weights change; NULL: everywhere */
  const pf_real *connected;  /**< [n_post][ldw] 0 or 1: which synapses there are; NULL: all */
  pf_real *states;           /**< [capacity][cells]: weights after k changes */
  int64_t capacity;          /**< states there is room for */
  pf_real *g;                /**< [n_post][ldw], cotangent of the weights in force */
} pf_weights;

struct pf_workspace {
  const pf_model *model;
  int64_t capacity;      /**< steps there is room for */
  int64_t n_steps;       /**< of the last run */
  int64_t n_changes;     /**< weight changes of the last run */
  pf_activity *activity; /**< [n_populations] */
  pf_weights *weights;   /**< [n_projections] */
  bool has_cotangents;
  pf_real *dw; /**< scratch, as large as the largest plastic projection; for rules without fused ops */
  size_t dw_cells;
  pf_real **initial_w; /**< [n_projections], what the network's `initial` is given */
  int64_t *initial_ldw;
  double *log_likelihood, *cotangent; /**< [n_steps] */
  int64_t *count;                     /**< [n_steps] */
  uint8_t *scored;                    /**< [n_steps] */
  bool all_scored;
  bool keeps_states;   /**< the last run kept every state of the weights */
  bool has_trajectory; /**< activities and weights are allocated */
  pf_run *runs;        /**< [n_steps] of which n_runs: the steps between two changes of the weights */
  int64_t n_runs;
  /* of sweeps: a thread's block in time; sums by lane */
  pf_real *arena;
  size_t arena_cells;
  size_t arena_population; /**< whose states all stand in the arena since its last sweep; 0: nobody's */
  double *lane_theta;
  size_t lane_theta_count;
  pf_real *lane_pre;
  size_t lane_pre_cells;
};

/** Make room for `n_states` states of every plastic projection. */
pf_status pf_workspace_reserve(pf_workspace *workspace, int64_t n_states, pf_error *error);
/** Allocate activities and starting weights, once: a workspace that only lends its states to a sweep has none. */
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

/** How the host applies dw from row `row0` on. */
static inline pf_update pf_weights_update(const pf_weights *weights, int64_t row0)
{
  return (pf_update){.size = sizeof(pf_update),
                     .eta = weights->plastic->eta,
                     .mask = weights->mask == NULL ? NULL : weights->mask + row0 * weights->ldw,
                     .ldm = weights->ldw};
}

/* ---- shared between the two paths through time and the closed loop ---- */

/** Get ready for a draw: its input, its runs, the starting weights. */
pf_status pf_run_begin(pf_workspace *workspace, const pf_draw *draw, const double *theta, uint32_t run_flags,
                       pf_error *error);
/** Evaluate the losses on the trajectory in the workspace; values MAY be NULL. */
pf_status pf_run_losses(const pf_draw *draw, const double *theta, uint32_t count_flag, pf_workspace *workspace,
                        pf_loss_value *values, pf_error *error);
/** PF_POINT_FAILED with the line that says whose weights overflowed at which step (-1: from the start). */
pf_status pf_run_overflowed(const pf_draw *draw, const pf_model *model, const pf_plastic *plastic, const double *theta,
                            int64_t step, pf_error *error);
/** Cotangents of the first n_populations populations, and of all weights, to zero. */
void pf_run_clear_cotangents(pf_workspace *workspace, size_t n_populations);
/** Losses backward: cotangents of the observables; gradient[losses' parameters] += . */
pf_status pf_run_back_losses(const pf_draw *draw, const double *theta, const double *scale, pf_workspace *workspace,
                             double *gradient, pf_error *error);
/**
 * Population p backward over steps [first, last], with weights after k changes: from cotangents of its signals to
 * those of its drive, of its weights and of the presynaptic signals. `gradient`: of theta, NULL where the network has
 * no parameters.
 */
pf_status pf_run_back_population(pf_workspace *workspace, size_t p, const double *theta, int64_t first, int64_t last,
                                 int64_t k, double *gradient, pf_error *error);
/** PF_POINT_FAILED when a gradient is not finite. */
pf_status pf_run_check_gradient(const pf_draw *draw, const pf_model *model, const double *gradient, pf_error *error);

/** Starting weights into states[0] of every projection, and cotangent-free populations ready for `draw`'s input. */
pf_status pf_run_start(pf_workspace *workspace, const double *theta, const double *noise, pf_real *const *given_w,
                       pf_error *error);
/** Evaluate population p over steps [first, last] with weights after k changes. */
pf_status pf_run_population(pf_workspace *workspace, size_t p, const double *theta, int64_t first, int64_t last,
                            int64_t k, pf_error *error);
/** Change every plastic projection's weights by its rule: state k -> k + 1, with activities of step t. */
pf_status pf_run_change(pf_workspace *workspace, const double *theta, int64_t t, int64_t k, pf_real *const *modulators,
                        int64_t modulator_step, uint32_t flags, double dt, pf_error *error);
/** The block a rule sees: all rows of plastic projection `weights` at step t, weights after k changes. */
pf_block pf_run_block(const pf_workspace *workspace, const pf_weights *weights, const double *theta, int64_t t,
                      int64_t k, const pf_real *modulator, uint32_t flags, double dt);
/** What a loss sees of the last run. `observable`, `n`, `ld`, ...: scratch of at least 8 entries. */
enum { PF_LOSS_MAX_ARRAYS = 8 };
typedef struct pf_loss_view {
  pf_loss_in in;
  const pf_real *observable[PF_LOSS_MAX_ARRAYS];
  const pf_real *target[PF_LOSS_MAX_ARRAYS];
  int64_t n_observable[PF_LOSS_MAX_ARRAYS], ld_observable[PF_LOSS_MAX_ARRAYS];
  int64_t n_target[PF_LOSS_MAX_ARRAYS], ld_target[PF_LOSS_MAX_ARRAYS];
} pf_loss_view;
void pf_run_loss_view(const pf_workspace *workspace, size_t loss, const pf_draw *draw, const double *theta,
                      pf_loss_view *view);
/** Which steps count, for the views that follow. */
void pf_run_mark_scored(pf_workspace *workspace, const pf_draw *draw, uint32_t count_flag);
/** Add "experiment NAME, step T: " before the line, unless it names an experiment already. */
void pf_run_locate(pf_error *error, const char *experiment, int64_t step);

#endif
