/*
 * Where the starts of a group's fit lie. Start 0 is the one that the config says (initial + init_sd
 * * normal, or an earlier run's estimate); the others are drawn around it, on the scale that the
 * data set.
 *
 * Points of a Latin hypercube (McKay, Beckman & Conover 1979) are drawn, N_SCREENED for each start,
 * and the one whose objective is the lowest is where that start begins. Such starts lie in the
 * widest valley, and the best may be narrow: where `wide`, every other start begins at a point as
 * it comes. A value with bounds on both sides that are not far apart is spread over them; any other
 * has heavy tails around start 0, so that a spread which is wrong by a factor of ten still has
 * points in the right place.
 *
 * Fits are started until the best optimum was found fit.found times (pf_multistart_next).
 */
#ifndef PLASTFIT_CORE_FIT_MULTISTART_H
#define PLASTFIT_CORE_FIT_MULTISTART_H

#include "core/layout/layout.h"
#include "core/optimise/optimiser.h"

typedef struct pf_multistart {
  uint64_t seed;
  size_t group, n_starts; /**< n_starts: the most that there may be */
  const pf_layout *layout;
  const double *first;  /**< [layout->n] start 0 */
  const double *spread; /**< [layout->n] how far others may be from it */
  bool wide;            /**< screen every other start alone: dearer, and surer */
  bool by_size; /**< the best of many points of any sign and of sizes from 1e-3 to 1e5 times the
                   spread */
} pf_multistart;

/** Start `k` of n_starts, out [layout->n]: a function of seed, group, k, n_starts and `function`,
 * which is minimised. */
pf_status pf_multistart_values(const pf_multistart *starts, size_t k, const pf_function *function,
                               double *out, pf_error *error);

/** Is a start that ended at `objective` at the optimum `best`: within 0.01 nats of it? */
bool pf_multistart_reached(const pf_function *function, double objective, double best);
/** When starts end. */
typedef struct pf_multistart_rule {
  size_t found; /**< the best optimum was found so many times */
  size_t limit; /**< or there are so many */
} pf_multistart_rule;
/** How many more starts there should be, of a group with `n_done`, of which `n_reached` reached the
 * best. */
size_t pf_multistart_next(const pf_multistart_rule *rule, size_t n_done, size_t n_reached);

#endif
