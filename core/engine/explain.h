/* What a gradient of a model will take, reported before it is taken: which way through time, how
 * many rows together, how much memory. For people; nothing is decided here. */
#ifndef PLASTFIT_CORE_ENGINE_EXPLAIN_H
#define PLASTFIT_CORE_ENGINE_EXPLAIN_H

#include "core/model/model.h"

typedef struct pf_explained {
  bool swept; /**< blocks of rows through all of time; else the coupled path, all rows together */
  int64_t n_changes; /**< times the weights change */
  int64_t rows,
      n_blocks;     /**< of the plastic population whose states take most; coupled: all rows, 1 */
  int64_t interval; /**< changes between checkpoints; 0: every state is kept */
  size_t bytes;     /**< of a workspace that takes gradients: trajectory, cotangents, states */
  size_t forward_bytes; /**< of one that only simulates */
} pf_explained;

/** For draws of `recording`. */
pf_status pf_explain(const pf_model *model, const pf_recording *recording, pf_explained *out,
                     pf_error *error);

#endif
