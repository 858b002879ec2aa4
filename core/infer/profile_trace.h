/*
 * Profile likelihood: how far one value can be moved, all others fitted again, before the data
 * object (Venzon & Moolgavkar 1988, Applied Statistics 37:87; Raue et al. 2009, Bioinformatics
 * 25:1923).
 *
 * With f a negative log likelihood, and p(t) = min f over all values but number i, which stands at
 * t: the interval is where 2 (p(t) - p(best)) <= the chi-square quantile of one degree of freedom
 * (3.84 for 95 %; p rises by 1.92). It needs no curvature at the optimum to mean anything: it stays
 * right where the likelihood is no parabola, and where the data do not determine a value it is
 * open, on one side or both.
 */
#ifndef PLASTFIT_CORE_INFER_PROFILE_H
#define PLASTFIT_CORE_INFER_PROFILE_H

#include "core/optimise/optimiser.h"

/** How a side of the interval ends. */
enum pf_profile_end {
  PF_PROFILE_CROSSED = 0, /**< the profile rises to the threshold there: an end of the interval */
  PF_PROFILE_BOUND,       /**< it does not before the value's bound, which is what is reported */
  PF_PROFILE_OPEN,        /**< there is no bound, and it had not as far out as what is reported */
  PF_PROFILE_NO_VALUE, /**< beyond, the model has no value (weights overflow): a limit, though not
                          of the data */
  PF_PROFILE_BETTER /**< a lower f than that of `best` was found: there is no interval around what
                       is no optimum */
};
/** "crossed", "bound", "open", "no value", "better optimum": for files. */
const char *pf_profile_end_key(uint32_t end);

typedef struct pf_profile_settings {
  double level;         /**< of the interval: 0.95 */
  double nats_per_unit; /**< nats per unit of f: 1 for a negative log likelihood, n where it is the
                  mean over n cells */
  double tolerance;     /**< of the interval's ends, as a share of their distance from `best` */
  int64_t expansions;   /**< on a side without a bound, how often the distance may grow fourfold */
  int64_t iterations;   /**< most of one refit */
} pf_profile_settings;

/** 95 %, unit 1, 0.5 %, 8 expansions, 50 iterations. */
pf_profile_settings pf_profile_defaults(void);

typedef struct pf_profile {
  double low, high;           /**< the interval, or as far as was looked */
  uint32_t low_end, high_end; /**< enum pf_profile_end */
  double rise_low, rise_high; /**< of the profile at low and high, nats */
  int64_t n_refits, n_unconverged;
  int64_t n_evaluations; /**< of f, with or without derivatives */
} pf_profile;

/** Does the profile rise to the threshold on both sides? Else the value is practically not
 * identified. */
static inline bool pf_profile_is_closed(const pf_profile *profile)
{
  return profile->low_end == PF_PROFILE_CROSSED && profile->high_end == PF_PROFILE_CROSSED;
}

/**
 * Profile value i of `function`, which needs `curvature`, around its minimum `best` [n], where f =
 * f_best. L1 is not looked at: a penalised likelihood has no such interval. better [n] (MAY be
 * NULL): receives the point where a side ends with PF_PROFILE_BETTER. Points without a value are no
 * error; PF_STOP is (no memory, the function says so).
 */
pf_status pf_profile_value(const pf_function *function, const double *best, double f_best, size_t i,
                           const pf_profile_settings *settings, double *better, pf_profile *out,
                           pf_error *error);

#endif
