#include "core/engine/segments.h"

#include <plastfit/abi/experiment.h>

int64_t pf_segments_make(const pf_segmentation *cut, pf_segment *segments)
{
  int64_t n = 0, first = 0;
  for (int64_t t = 0; t < cut->n_steps; t++) {
    const bool changes = (cut->flags[t] & PF_STEP_PLASTIC) != 0 && !cut->still;
    const double gap =
        cut->gap == NULL || cut->still || t + 1 == cut->n_steps ? 0.0 : cut->gap[t + 1];
    if (changes || gap > 0.0 || cut->every_step || t == cut->n_steps - 1) {
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
