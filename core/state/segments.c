#include "core/state/segments.h"

#include <plastfit/abi/experiment.h>

int64_t pf_segments_make(const pf_segmentation *cut, pf_segment *segments)
{
  int64_t n = 0, first = 0;
  for (int64_t t = 0; t < cut->n_steps; t++) {
    const bool is_last = t + 1 == cut->n_steps;
    const bool changes = (cut->flags[t] & PF_STEP_PLASTIC) != 0 && !cut->still;
    const double gap = cut->gap == NULL || cut->still || is_last ? 0.0 : cut->gap[t + 1];
    if (changes || gap > 0.0 || cut->every_step || is_last) {
      segments[n++] = (pf_segment){
          .first = first, .end = t, .changes = changes ? 1 : 0, .gap = changes ? 0.0 : gap};
      first = t + 1;
    }
    if (changes && gap > 0.0) {
      segments[n++] = (pf_segment){.first = first, .end = t, .gap = gap};
    }
  }
  return n;
}

int64_t pf_segments_changes(const pf_segment *segments, int64_t n)
{
  int64_t changes = 0;
  for (int64_t s = 0; s < n; s++) {
    changes += segments[s].changes;
  }
  return changes;
}
