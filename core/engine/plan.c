#include "core/engine/plan.h"

#include <math.h>

/* States that stay in a core's cache while a block goes forward and backward (measured: design section 3, 3 MB a
 * thread). */
#define CACHE_BYTES ((size_t)3 << 20)

enum {
  KEEP_ROWS = 16,      /* rows of a block whose every state is kept, when as many fit */
  CHECKPOINT_ROWS = 4, /* rows of a block with checkpoints: enough to use what is loaded, few enough to stay in cache */
  SHORTEST_INTERVAL = 25
};

int64_t pf_plan_runs(const uint32_t *flags, int64_t n_steps, uint32_t run_flags, pf_run *runs)
{
  int64_t n = 0;
  int32_t first = 0;
  for (int32_t t = 0; t < n_steps; t++) {
    const bool changes = (flags[t] & PF_STEP_PLASTIC) != 0 && (run_flags & PF_RUN_NO_PLASTICITY) == 0;
    if (changes || t == n_steps - 1) {
      runs[n++] = (pf_run){.first = first, .end = t, .changes = changes ? 1 : 0};
      first = t + 1;
    }
  }
  return n;
}

/** Distance between checkpoints that needs least memory: as many checkpoints as states between two. */
static int64_t interval_of(int64_t n_runs)
{
  int64_t interval = (int64_t)ceil(sqrt((double)n_runs));
  return interval < SHORTEST_INTERVAL ? SHORTEST_INTERVAL : interval;
}

pf_block_plan pf_plan_blocks(int64_t n_rows, size_t row_bytes, int64_t n_runs, size_t budget)
{
  pf_block_plan plan = {.rows = n_rows < KEEP_ROWS ? n_rows : KEEP_ROWS, .interval = n_runs};
  const double all = (double)row_bytes * (double)(n_runs + 1);
  /* not below: two rows with every state kept were measured to be slower than four with checkpoints (bench/README.md)
   */
  while (plan.rows > CHECKPOINT_ROWS && all * (double)plan.rows > (double)CACHE_BYTES) {
    plan.rows = (plan.rows + 1) / 2;
  }
  if (all * (double)plan.rows > (double)CACHE_BYTES) {
    plan.rows = n_rows < CHECKPOINT_ROWS ? n_rows : CHECKPOINT_ROWS;
    plan.interval = interval_of(n_runs);
  }
  if (budget > 0 && pf_plan_bytes(&plan, row_bytes, n_runs) > budget) {
    plan.interval = interval_of(n_runs);
  }
  plan.n_blocks = plan.rows > 0 ? (n_rows + plan.rows - 1) / plan.rows : 0;
  plan.n_lanes = plan.n_blocks < PF_MAX_LANES ? plan.n_blocks : PF_MAX_LANES;
  return plan;
}

size_t pf_plan_bytes(const pf_block_plan *plan, size_t row_bytes, int64_t n_runs)
{
  const int64_t between = plan->interval < n_runs ? plan->interval : n_runs;
  const int64_t checkpoints = plan->interval < n_runs ? (n_runs + plan->interval - 1) / plan->interval : 0;
  /* states between two checkpoints and the one after them, the checkpoints, the cotangent, dw */
  return (size_t)plan->rows * row_bytes * (size_t)(between + 1 + checkpoints + 2);
}
