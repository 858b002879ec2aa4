/*
 * Where the starts of a group's fit lie. Start 0 is the one that the config says (initial + init_sd
 * * normal, or an earlier run's estimate); the others are a Latin hypercube (McKay, Beckman &
 * Conover 1979): each value's range is cut into as many strata as there are starts, and each
 * stratum is used once.
 *
 * The range of a value is that of its bounds; on a side without one, start 0 -+ `spread`.
 */
#ifndef PLASTFIT_CORE_FIT_MULTISTART_H
#define PLASTFIT_CORE_FIT_MULTISTART_H

#include "core/layout/layout.h"

typedef struct pf_multistart {
  uint64_t seed;
  size_t group, n_starts;
  const pf_layout *layout;
  const double *first; /**< [layout->n] start 0 */
  double spread;
} pf_multistart;

/** Start `k` of n_starts, out [layout->n]: a function of seed, group, k and n_starts. */
pf_status pf_multistart_values(const pf_multistart *starts, size_t k, double *out, pf_error *error);

/**
 * Has a start that ended at `objective` reached the best one, `best`? When it is within 1e-6 of
 * |best| of it, or of the way that the worst start point came, where the best is nearly 0
 * (noise-free data).
 */
bool pf_multistart_reached(double objective, double best, double highest_start);

#endif
