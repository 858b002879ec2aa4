/*
 * A block of rows of one population, taken through all of time: forward, to the losses, backward.
 * One step of a sweep (core/engine/sweep.h).
 */
#ifndef PLASTFIT_CORE_ENGINE_SWEEP_BLOCK_H
#define PLASTFIT_CORE_ENGINE_SWEEP_BLOCK_H

#include "core/engine/checkpoint_plan.h"
#include "core/model/model.h"
#include "core/state/draw.h"
#include "core/state/losses.h"
#include "core/state/segments.h"
#include "core/state/synaptic_state.h"
#include "core/state/trajectory.h"
#include "core/state/workspace.h"

/* Plastic projections onto one population; networks with more take the coupled path. */
enum { PF_SWEEP_MAX_PLASTIC = 4 };
/* Losses on a population that is swept forward and backward in one go; more take two sweeps. */
enum { PF_SWEEP_MAX_LOCAL_LOSSES = 4 };

/** One population being swept. */
typedef struct pf_sweep {
  const pf_simulation *simulation;
  const pf_model *model;
  const pf_draw *draw;
  const pf_workspace *trajectory; /**< the first of the simulation's workspaces */
  size_t population;
  const pf_activity *post;
  const pf_weights *plastic[PF_SWEEP_MAX_PLASTIC]; /**< plastic projections onto it */
  size_t n_plastic;
  const pf_segment *segments;
  int64_t n_segments;
  pf_block_plan plan;
  size_t cells[PF_SWEEP_MAX_PLASTIC]; /**< of a synaptic state of a block */
  size_t scratch_cells;               /**< that a step of a block takes */
  bool keeps_all;                     /**< no checkpoints */
  bool at_once;        /**< rules do not see the population: it is evaluated after all segments */
  bool wants_network;  /**< its parameters, or starting weights, are learned */
  const double *scale; /**< [n_losses]; of a local sweep */
  pf_loss_value (*lane_values)[PF_SWEEP_MAX_LOCAL_LOSSES]; /**< [n_lanes]; of a local sweep */
  double *lane_theta; /**< [n_lanes][start_theta0]: starting weights take no sums */
  /** [n_lanes][n_steps][ld of pre]: private cotangents of x; NULL: x is the input */
  pf_real *lane_pre[PF_SWEEP_MAX_PLASTIC];
} pf_sweep;

/** A block of rows and its memory, in the arena of a thread. */
typedef struct pf_sweep_block {
  const pf_sweep *sweep;
  pf_workspace *mine; /**< of the thread */
  int64_t lane, row0, n_rows;
  pf_synaptic_state synaptic[PF_SWEEP_MAX_PLASTIC];
  pf_real *states[PF_SWEEP_MAX_PLASTIC];      /**< [interval + 1] synaptic states */
  pf_real *checkpoints[PF_SWEEP_MAX_PLASTIC]; /**< [n_checkpoints] likewise */
  pf_real *g[PF_SWEEP_MAX_PLASTIC];           /**< the cotangent of one */
  pf_real *scratch;
} pf_sweep_block;

/** Block `index` of the sweep, in the arena of `mine`, which grows if need be. */
pf_status pf_sweep_block_make(const pf_sweep *sweep, pf_workspace *mine, int64_t index,
                              pf_sweep_block *block, pf_error *error);
/** Take the block through all segments. `activates`: evaluate the population too, and check that
 * the weights are finite; else its activity stands already. */
pf_status pf_sweep_block_forward(pf_sweep_block *block, bool activates, pf_error *error);
/** The block's columns of every loss: values into the lane's sums, cotangents of its signals. */
pf_status pf_sweep_block_losses(const pf_sweep_block *block, pf_error *error);
/** Backward: from the cotangents of its signals to those of its weights, of theta and of the
 * presynaptic signals. Its states, or checkpoints, stand. */
pf_status pf_sweep_block_backward(pf_sweep_block *block, pf_error *error);

/** Where a lane gathers the cotangent of plastic projection j's presynaptic signal; NULL: not
 * wanted. */
static inline pf_real *pf_sweep_lane_pre(const pf_sweep *sweep, size_t j, int64_t lane)
{
  if (sweep->lane_pre[j] == NULL) {
    return NULL;
  }
  const pf_activity *pre = &sweep->trajectory->activity[sweep->plastic[j]->info->pre];
  return sweep->lane_pre[j] + lane * sweep->draw->n_steps * pre->ld;
}

#endif
