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

/** What is searched. `settings`: the tolerance and the seed are those of the caller. */
typedef struct pf_valley_in {
  const pf_function *function;
  const pf_optimiser_settings *settings;
  const pf_watch *watch; /**< MAY be NULL */
  pf_optimum *count;     /**< evaluations are added to it */
} pf_valley_in;

/** Has a function a form in which a valley can be followed? Few values, with H, without L1. */
bool pf_valley_is_possible(const pf_function *function);

/** From v [n], where F is `objective`, along the valley. */
pf_status pf_valley_search(const pf_valley_in *in, double *v, double objective, pf_valley *out,
                           pf_error *error);
/** Value k becomes `factor` times what it is, and F may change by `nats`. */
typedef struct pf_valley_look {
  size_t k;
  double factor, nats;
} pf_valley_look;

/**
 * Does F stay as it is at v [n] along a look while the others are minimised over? Then v is no
 * minimum but a place on a level valley.
 */
pf_status pf_valley_is_level(const pf_valley_in *in, const double *v, const pf_valley_look *look,
                             bool *level, pf_error *error);

#endif
