/*
 * How a gradient is taken through time: which rows together, which states of the weights are kept.
 * Private to core/engine.
 *
 * A block of rows of a plastic projection that fits in cache is taken through all of time forward,
 * then backward, with the states between two checkpoints recomputed. Blocks follow from sizes
 * alone, so that sums have the same bits for any number of threads and any memory budget; the
 * budget changes the distance between checkpoints only.
 */
#ifndef PLASTFIT_CORE_ENGINE_CHECKPOINT_PLAN_H
#define PLASTFIT_CORE_ENGINE_CHECKPOINT_PLAN_H

#include <stddef.h>
#include <stdint.h>

/** Sums over blocks go into at most this many lanes, each in order, then the lanes in order. */
enum { PF_MAX_LANES = 16 };

/** Distance of checkpoints, in runs, on the coupled path, where a state of everything takes
 * buffer_bytes; n_segments: all are kept. */
int64_t pf_plan_interval(size_t buffer_bytes, int64_t n_segments, size_t budget);
/** How many states that takes: those kept at a time, and checkpoints. */
size_t pf_plan_buffers(int64_t interval, int64_t n_segments, int64_t *kept, int64_t *checkpoints);

/** Of one population with plastic weights onto it. */
typedef struct pf_block_plan {
  int64_t rows; /**< of a block */
  int64_t n_blocks;
  int64_t n_lanes;  /**< min(n_blocks, PF_MAX_LANES) */
  int64_t interval; /**< runs between checkpoints; n_segments or more: every state is kept */
} pf_block_plan;

/**
 * `row_bytes`: a row's weights of all plastic projections onto the population; `n_segments`: states
 * that a sweep passes. `budget`: bytes a thread may use for states; 0: no limit but the cache's.
 */
pf_block_plan pf_plan_blocks(int64_t n_rows, size_t row_bytes, int64_t n_segments, size_t budget);

/** Bytes of states that a thread needs for it. */
size_t pf_plan_bytes(const pf_block_plan *plan, size_t row_bytes, int64_t n_segments);

#endif
