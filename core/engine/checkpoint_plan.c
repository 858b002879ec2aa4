#include "core/engine/checkpoint_plan.h"

#include <math.h>

/* States of a block that stay in cache while it goes forward and backward: every one of them
 * (measured: design section 3, 3 MB a thread), or checkpoints and what lies between two (measured:
 * bench/README.md). */
#define KEEP_BYTES_BLOCK ((size_t)3 << 20)
#define CHECKPOINT_BYTES ((size_t)3 << 19)

enum {
  MAX_ROWS = 16,       /* of a block: they share what a rule works out once a call */
  KEEP_ROWS = 8,       /* fewer rows with every state kept are slower than more with checkpoints */
  CHECKPOINT_ROWS = 4, /* at least, so that what is loaded is used */
  SHORTEST_INTERVAL = 25
};

/** Distance between checkpoints that needs least memory: as many checkpoints as states between two.
 */
static int64_t interval_of(int64_t n_segments)
{
  int64_t interval = (int64_t)ceil(sqrt((double)n_segments));
  return interval < SHORTEST_INTERVAL ? SHORTEST_INTERVAL : interval;
}

/** Halve the plan's rows until its states take no more than `most` bytes or it has no more than
 * `fewest` rows. */
static void shrink_block(pf_block_plan *plan, size_t row_bytes, int64_t n_segments, size_t most,
                         int64_t fewest)
{
  while (plan->rows > fewest && pf_plan_bytes(plan, row_bytes, n_segments) > most) {
    plan->rows = (plan->rows + 1) / 2;
  }
}

pf_block_plan pf_plan_blocks(int64_t n_rows, size_t row_bytes, int64_t n_segments, size_t budget)
{
  const int64_t max_rows = n_rows < MAX_ROWS ? n_rows : MAX_ROWS;
  pf_block_plan plan = {.rows = max_rows, .interval = n_segments};
  shrink_block(&plan, row_bytes, n_segments, KEEP_BYTES_BLOCK, KEEP_ROWS);
  if (pf_plan_bytes(&plan, row_bytes, n_segments) > KEEP_BYTES_BLOCK) {
    plan = (pf_block_plan){.rows = max_rows, .interval = interval_of(n_segments)};
    shrink_block(&plan, row_bytes, n_segments, CHECKPOINT_BYTES, CHECKPOINT_ROWS);
  }
  if (budget > 0 && pf_plan_bytes(&plan, row_bytes, n_segments) > budget) {
    plan.interval = interval_of(n_segments);
  }
  plan.n_blocks = plan.rows > 0 ? (n_rows + plan.rows - 1) / plan.rows : 0;
  plan.n_lanes = plan.n_blocks < PF_MAX_LANES ? plan.n_blocks : PF_MAX_LANES;
  return plan;
}

size_t pf_plan_bytes(const pf_block_plan *plan, size_t row_bytes, int64_t n_segments)
{
  const int64_t between = plan->interval < n_segments ? plan->interval : n_segments;
  const int64_t checkpoints =
      plan->interval < n_segments ? (n_segments + plan->interval - 1) / plan->interval : 0;
  /* states between two checkpoints and the one after them, the checkpoints, the cotangent, dw */
  return (size_t)plan->rows * row_bytes * (size_t)(between + 1 + checkpoints + 2);
}

/* States of everything that are kept without a thought; beyond, checkpoints cost less than the
 * memory's traffic. */
#define KEEP_BYTES ((size_t)64 << 20)

int64_t pf_plan_interval(size_t buffer_bytes, int64_t n_segments, size_t budget)
{
  const double all = (double)buffer_bytes * (double)(n_segments + 1);
  const size_t most = budget > 0 && budget < KEEP_BYTES ? budget : KEEP_BYTES;
  const int64_t interval = (int64_t)ceil(sqrt((double)n_segments));
  return all <= (double)most || interval >= n_segments ? n_segments : interval;
}

size_t pf_plan_buffers(int64_t interval, int64_t n_segments, int64_t *kept, int64_t *checkpoints)
{
  *kept = (interval < n_segments ? interval : n_segments) + 1;
  *checkpoints = interval < n_segments ? (n_segments + interval - 1) / interval : 0;
  return (size_t)(*kept + *checkpoints);
}
