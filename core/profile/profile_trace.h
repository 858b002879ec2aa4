/*
 * Profile likelihood: how far one value can be moved, all others fitted again, before the data
 * object (Venzon & Moolgavkar 1988, Applied Statistics 37:87; Raue et al. 2009, Bioinformatics
 * 25:1923).
 *
 * With f a negative log likelihood, and p(t) = min f over all values but number i, which stands at
 * t: the interval is where 2dL = 2 (p(t) - p(best)) <= the chi-square quantile of one degree of
 * freedom (3.84 for 95 %; p rises by 1.92). It needs no curvature at the optimum to mean anything:
 * it stays right where the likelihood is no parabola, and where the data do not determine a value
 * it is open, on one side or both.
 *
 * An end is approached by steps of all values at once, to where a quadratic model says that it is;
 * where these do not arrive, by refits at one place after the other.
 *
 * Every end is certified: the last refit stands at the very value that is reported, it converged,
 * from more than one start, and its 2dL is within 0.02 of the quantile. A refit that does not
 * converge gives an upper limit of p: it can show that a value is allowed, never that it is not.
 */
#ifndef PLASTFIT_CORE_PROFILE_PROFILE_TRACE_H
#define PLASTFIT_CORE_PROFILE_PROFILE_TRACE_H

#include "core/base/array.h"
#include "core/optimise/optimiser.h"

/** How a side of the interval ends. */
enum pf_profile_end {
  PF_PROFILE_CROSSED = 0, /**< 2dL is the quantile there, certified: an end of the interval */
  PF_PROFILE_BOUND,     /**< 2dL is lower as far as the value's bound, which is what is reported */
  PF_PROFILE_OPEN,      /**< there is no bound, and 2dL is lower as far out as what is reported */
  PF_PROFILE_NO_VALUE,  /**< beyond, the model has no value (weights overflow): a limit, though not
                           of the data */
  PF_PROFILE_BETTER,    /**< a lower f than that of `best` was found: there is no interval around
                           what is no optimum */
  PF_PROFILE_UNCERTAIN, /**< beyond, refits do not converge: nobody knows where the end is */
  PF_PROFILE_JUMP       /**< 2dL jumps there from below the quantile to above */
};

/** One refit: a point of the curve. */
typedef struct pf_profile_point {
  size_t value; /**< number of the value profiled */
  double at;
  double twice_rise; /**< 2dL */
  bool converged;
} pf_profile_point;

typedef struct pf_profile_settings {
  double level;         /**< of the interval: 0.95 */
  double nats_per_unit; /**< nats per unit of f: 1 for a negative log likelihood, n where it is the
                  mean over n cells */
  int64_t expansions;   /**< on a side without a bound, how often the distance may grow fourfold */
  int64_t iterations;   /**< most of one refit; one that did not converge gets four times as many */
} pf_profile_settings;

/** 95 %, unit 1, 8 expansions, 50 iterations. */
pf_profile_settings pf_profile_defaults(void);

/** What is profiled: value i of `function`, which needs `curvature`. */
typedef struct pf_profile_in {
  const pf_function *function;
  pf_profile_settings settings;
  const double *origin; /**< [n] an optimum, from which the value is moved: the best, or a rival */
  double f_best;        /**< f of the best optimum: 2dL is counted from it */
  /** [n][n] at the origin: what `curvature` leaves out of the Hessian there; NULL: unknown. */
  const double *secant;
  size_t i;
  const double *const *rivals; /**< [n_rivals][n] other optima: refits at ends start there too */
  size_t n_rivals;
  const double *const
      *starts; /**< [n_starts][n] places that are none: refits at ends start there */
  size_t n_starts;
  bool has_no_maximum; /**< f goes on falling while values grow (separation): that it is lower
                          further out is then no better optimum */
  bool has_one_valley; /**< every start of the fit came to the best optimum: a second start of the
                          refit at an end is not worth its time */
  double *better;      /**< NULL, or [n]: gets the point where a side ends with PF_PROFILE_BETTER */
  double *end_points;  /**< NULL, or [2][n]: all values at the lower and at the upper end */
  pf_array *curve;     /**< NULL, or of pf_profile_point: gets every refit */
} pf_profile_in;

typedef struct pf_profile {
  double low, high;           /**< the interval, or as far as was looked */
  uint32_t low_end, high_end; /**< enum pf_profile_end */
  double rise_low, rise_high; /**< of the profile at low and high, nats */
  int64_t n_refits, n_unconverged;
  int64_t n_evaluations; /**< of f, with or without derivatives */
} pf_profile;

/** Do the data set a limit there? */
static inline bool pf_profile_is_limit(uint32_t end)
{
  return end == PF_PROFILE_CROSSED || end == PF_PROFILE_JUMP;
}
/** Do they on both sides? Else the value is practically not identified. */
static inline bool pf_profile_is_closed(const pf_profile *profile)
{
  return pf_profile_is_limit(profile->low_end) && pf_profile_is_limit(profile->high_end);
}

/**
 * L1 is not looked at: a penalised likelihood has no such interval. Points without a value are no
 * error; PF_STOP is (no memory, the function says so).
 */
pf_status pf_profile_value(const pf_profile_in *in, pf_profile *out, pf_error *error);
/**
 * Do the limits that were found hold from in->starts as well? *holds: no refit there that starts
 * from one of them is below the quantile. in->end_points MUST be those of the profile found, to
 * which the refits are counted.
 */
pf_status pf_profile_recheck(const pf_profile_in *in, pf_profile *found, bool *holds,
                             pf_error *error);

#endif
