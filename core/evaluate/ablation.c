#include "core/evaluate/ablation.h"

const char *pf_ablation_name(uint32_t ablation)
{
  static const char *const names[PF_N_ABLATIONS] = {"F", "T", "W", "N"};
  return ablation < PF_N_ABLATIONS ? names[ablation] : "?";
}

uint32_t pf_ablation_set_flags(uint32_t ablation, pf_draw *draw)
{
  bool is_scored = false; /* has the first scored step been reached? */
  for (int64_t t = 0; t < draw->n_steps; t++) {
    const bool is_first = !is_scored && (draw->flags[t] & PF_STEP_SCORE) != 0;
    is_scored = is_scored || is_first;
    if ((ablation == PF_ABLATION_THETA && !is_scored) ||
        (ablation == PF_ABLATION_STOP && is_scored)) {
      draw->flags[t] &= ~(uint32_t)PF_STEP_PLASTIC;
    }
    if (ablation == PF_ABLATION_THETA && is_first) {
      draw->flags[t] |= PF_STEP_RESET_TRACES | PF_STEP_RESET_STATE;
    }
  }
  return ablation == PF_ABLATION_NONE ? (uint32_t)PF_SIMULATE_NO_PLASTICITY : 0;
}
