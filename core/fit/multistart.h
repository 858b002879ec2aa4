/*
 * Where the starts of a unit's fit lie. Start 0 is the one that the config says (initial + init_sd
 * * normal, or an earlier run's estimate); the others are a Latin hypercube (McKay, Beckman &
 * Conover 1979): each value's range is cut into as many strata as there are starts, and each
 * stratum is used once.
 *
 * The range of a value is that of its bounds; on a side without one, start 0 -+ `spread`.
 */
#ifndef PLASTFIT_CORE_FIT_MULTISTART_H
#define PLASTFIT_CORE_FIT_MULTISTART_H

#include "core/optimise/optimiser.h"

/**
 * Start `k` of `n_starts` for values [n], from start 0 in `first` [n]: a function of (seed, unit,
 * k) and n_starts. spread: [n].
 */
pf_status pf_multistart_values(uint64_t seed, size_t group, size_t n_starts, size_t k,
                               const double *first, const double *lower, const double *upper,
                               const double *spread, size_t n, double *out, pf_error *error);

/**
 * Has a start that ended at `objective` reached the best one, `best`? When it is within 1e-6 of
 * |best| of it, or of the way that the worst start point came, where the best is nearly 0
 * (noise-free data).
 */
bool pf_multistart_reached(double objective, double best, double highest_start);

#endif
