/* What of a fitted rule is kept while the scored steps are predicted. */
#ifndef PLASTFIT_CORE_EVALUATE_ABLATION_H
#define PLASTFIT_CORE_EVALUATE_ABLATION_H

#include "core/engine/simulation.h"

enum pf_ablation {
  PF_ABLATION_FULL = 0,  /**< F: everything */
  PF_ABLATION_THETA = 1, /**< T: theta only; weights start fresh at the first scored step */
  PF_ABLATION_STOP = 2,  /**< W: weights only; plasticity stops at the first scored step */
  PF_ABLATION_NONE = 3,  /**< N: no weight changes from the first step of all */
  PF_N_ABLATIONS = 4
};
/** "F", "T", "W", "N". */
const char *pf_ablation_name(uint32_t ablation);

/**
 * Changes the draw's flags to those of the ablation, and nothing else: inputs, choices and rewards
 * stay what they were. Under T no weight changes before the first scored step, so that the weights
 * there are those that a fresh draw starts with; traces and state start anew too. Returns flags
 * for pf_forward (PF_SIMULATE_*).
 */
uint32_t pf_ablation_set_flags(uint32_t ablation, pf_draw *draw);

#endif
