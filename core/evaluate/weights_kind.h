/* Weights of a trajectory: whose they are, and after which changes they are kept. */
#ifndef PLASTFIT_CORE_EVALUATE_WEIGHTS_KIND_H
#define PLASTFIT_CORE_EVALUATE_WEIGHTS_KIND_H

#include <stdbool.h>
#include <stdint.h>

/** Whose weights, or what of those that a particle filter finds (core/evaluate/latent_bands.h). */
typedef enum pf_weights_kind {
  PF_WEIGHTS_MODEL,
  PF_WEIGHTS_TRUTH, /**< the teacher's */
  PF_WEIGHTS_FILTERED_MEAN,
  PF_WEIGHTS_FILTERED_SD,
  PF_WEIGHTS_SMOOTHED_MEAN,
  PF_WEIGHTS_SMOOTHED_SD
} pf_weights_kind;

/** Are the weights after change k of n_changes kept: every so many, and the last? */
static inline bool pf_is_change_kept(int64_t k, int64_t every, int64_t n_changes)
{
  return k % every == 0 || k == n_changes;
}

#endif
