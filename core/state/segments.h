/* Segments: runs of steps that share their weights. */
#ifndef PLASTFIT_CORE_STATE_SEGMENTS_H
#define PLASTFIT_CORE_STATE_SEGMENTS_H

#include <stdbool.h>
#include <stdint.h>

/**
 * Steps [first, end] that share their weights, and what is at their end. A segment may have no
 * steps (end < first), when a change is followed by a gap.
 */
typedef struct pf_segment {
  int64_t first, end;
  uint32_t changes; /**< 1: rules change the weights after step `end` */
  double gap;       /**< else, > 0: weights are forgotten over so many hours before step end + 1 */
} pf_segment;

/** How a draw is cut into segments. */
typedef struct pf_segmentation {
  const uint32_t *flags; /**< [n_steps] */
  const double *gap;     /**< [n_steps] hours before each step; NULL: nothing is forgotten */
  int64_t n_steps;
  bool every_step; /**< a segment a step: rules keep traces, which are updated at every step */
  bool still;      /**< no weight changes, whatever the flags say */
} pf_segmentation;

/** The segments of a draw into `segments` (room for 2 n_steps). Returns how many. */
int64_t pf_segments_make(const pf_segmentation *cut, pf_segment *segments);
/** How many of them end with a change of the weights. */
int64_t pf_segments_changes(const pf_segment *segments, int64_t n);

#endif
