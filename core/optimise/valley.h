/*
 * Curved valleys: where weights grow from step to step, a small change of one value must be made up
 * for by large changes of others, and F is low along a narrow valley that bends. Steps of all
 * values at once are as short there as the valley is straight. So one value is moved alone, and at
 * each place F is minimised over the others (a profile of F along the valley), until that turns or
 * goes on falling without end.
 */
#ifndef PLASTFIT_CORE_OPTIMISE_VALLEY_H
#define PLASTFIT_CORE_OPTIMISE_VALLEY_H

#include "core/optimise/optimiser.h"

typedef struct pf_valley {
  bool moved;    /**< v is a lower point now */
  bool turned;   /**< at v the profile has a minimum */
  bool runs_off; /**< the profile falls as far as was looked, or until F had no value */
  size_t value;  /**< the value that was moved */
  int64_t points;
} pf_valley;

/** Has a function a form in which a valley can be followed? Few values, with H, without L1. */
bool pf_valley_is_possible(const pf_function *function);

/**
 * From v [n], where F is `objective`, along the valley. Evaluations are added to `count`. The
 * tolerance, watch and seed of `settings` are those of the caller.
 */
pf_status pf_valley_search(const pf_function *function, const pf_optimiser_settings *settings,
                           const pf_watch *watch, double *v, double objective, pf_valley *out,
                           pf_optimum *count, pf_error *error);

/**
 * Does F stay within `nats` of `objective`, its value at v [n], while value k grows fourfold and
 * the others are minimised over? Then v is no minimum but a place on a level valley.
 */
pf_status pf_valley_is_level(const pf_function *function, const pf_optimiser_settings *settings,
                             const double *v, double objective, size_t k, double nats, bool *level,
                             pf_error *error);

#endif
