/*
 * Optimisers. One minimises
 *
 *     F(v) = f(v) + sum_i l1_i |v_i - center_i|        lower_i <= v_i <= upper_i
 *
 * with a smooth f that the ops of pf_function evaluate; parameters, draws and animals are not its
 * business.
 *
 * To add one: write core/optimise/<name>.c, which defines pf_optimiser_<name>, and add a line to
 * PF_EACH_OPTIMISER. The table of optimiser.c and the config's choices are made from it.
 */
#ifndef PLASTFIT_CORE_OPTIMISE_OPTIMISER_H
#define PLASTFIT_CORE_OPTIMISE_OPTIMISER_H

#include <plastfit/abi/base.h>

#include <math.h>
#include <stdbool.h>

/** One of the parts that f is a mean of, in one pass over them. */
typedef struct pf_pass_part {
  int64_t pass; /**< from 1; 0: before the first step */
  size_t part;
} pf_pass_part;

/**
 * What is minimised. All ops: `self` is the caller's, v [n] lies within the bounds. They return
 * PF_OK; PF_POINT_FAILED, with or without a line, where F has no value (the optimiser tries a point
 * nearer to the last good one); PF_STOP, with a line. Two evaluations at the same v MUST have the
 * same bits.
 */
typedef struct pf_function {
  void *self;
  size_t n;
  const double *lower, *upper; /**< [n]; -INFINITY, INFINITY: none */
  const double *l1;            /**< [n] >= 0 weights of |v_i|; NULL: none */
  const double *center;        /**< [n] what L1 draws values to; NULL: 0 */
  /** f, and its gradient [n] (overwritten) where not NULL. */
  pf_status (*value)(void *self, const double *v, double *f, double *gradient, pf_error *error);
  /** Also H [n][n], both triangles, positive semidefinite up to rounding. NULL: there is none. */
  pf_status (*curvature)(void *self, const double *v, double *f, double *gradient, double *h,
                         pf_error *error);
  /** out [n] = H(v) direction. NULL: there is none. */
  pf_status (*product)(void *self, const double *v, const double *direction, double *out,
                       pf_error *error);
  /**
   * f as a mean of n_parts parts, which adam takes one after the other, pass by pass. n_parts = 0:
   * f is one part, value().
   */
  size_t n_parts;
  pf_status (*part)(void *self, pf_pass_part at, const double *v, double *f, double *gradient,
                    pf_error *error);
  double noise; /**< relative rounding error of f, e.g. 1e-14; a smaller change says nothing */
  /** What a change of f is worth in nats of log likelihood: pf_function_nats(). */
  double nats;    /**< per unit of f; 0: 1 where there are no squares */
  double squares; /**< f is a sum of that many squares whose variance is what is left of them */
  double least;   /**< with squares: an f that is rounding errors alone */
  double cells;   /**< observations, each counted once; 0: unknown */
  const double *scale; /**< [n] > 0 a small change of each value in its own units; NULL: unknown */
} pf_function;

/** Nats per unit of f, where f is `f`: the one measure in which gains are judged. */
static inline double pf_function_nats(const pf_function *function, double f)
{
  if (function->squares > 0.0) {
    return fmax(function->nats, 0.5 * function->squares / fmax(fabs(f), function->least));
  }
  return function->nats > 0.0 ? function->nats : 1.0;
}

/** How an optimiser works; the comments say what only some read. */
typedef struct pf_optimiser_settings {
  int64_t iterations;        /**< most iterations (adam: passes, all of which are made) */
  int64_t evaluations;       /**< most evaluations of f in all; 0: no limit */
  double tolerance_nats;     /**< converged when a Newton step is predicted to gain no more */
  double tolerance_progress; /**< stops_early: also when F is expected to fall by less than this
                                share of |F| */
  double learning_rate, beta1, beta2, epsilon; /**< adam */
  uint64_t seed;        /**< of the directions in which a stationary point is probed */
  bool stops_early;     /**< lm: end before the step whose predicted decrease is below
                           tolerance_progress, which pf_optimum reports, and look for no saddle */
  bool is_inner;        /**< lm: a part of another search: look for no saddle, follow no valley */
  bool follows_valleys; /**< lm: where steps stay short, core/optimise/valley.h */
  double *secant; /**< lm: [n][n] its secant correction of the curvature, to start from (zeros:
                     none) and as it ends; of problems that are alike. NULL: none */
} pf_optimiser_settings;

/** Everything but adam's: 200 iterations, no limit of evaluations, 1e-8 nats; adam: as optax. */
pf_optimiser_settings pf_optimiser_defaults(void);

/** Why an optimiser stopped. */
enum pf_reason {
  PF_REASON_NONE = 0, /**< it has not run */
  PF_REASON_GRADIENT, /**< the projected gradient is 0: converged */
  PF_REASON_PROGRESS, /**< predicted gain below tolerance_nats: converged */
  PF_REASON_STEP, /**< no step lowers F; converged only where no more than rounding is to be gained
                   */
  PF_REASON_ITERATIONS,  /**< all iterations used up */
  PF_REASON_EVALUATIONS, /**< all evaluations used up */
  PF_REASON_INTERRUPTED, /**< watch.stop said so */
  PF_REASON_PASSES,      /**< fixed_passes: all were made */
  PF_REASON_RUNS_OFF,    /**< lm: F falls along a valley without end */
  PF_REASON_FAILED       /**< the error line says why */
};
/** "nothing left to gain", ... for tables and people. */
const char *pf_reason_words(uint32_t reason);
/** "gradient", "progress", "step", "iterations", ...: one word, for files. */
const char *pf_reason_key(uint32_t reason);

typedef struct pf_optimum {
  uint32_t reason; /**< enum pf_reason */
  bool converged;
  double objective;     /**< F at the v returned; NaN where it never had a value */
  double start;         /**< F where it started */
  double gradient_norm; /**< largest component of the projected gradient of F there; NaN: not known
                           (adam) */
  int64_t iterations;
  int64_t evaluations;       /**< of f, with or without derivatives, failed ones too */
  int64_t gradients;         /**< of them, those with a gradient */
  int64_t curvatures;        /**< of them, those with H (or products with it) */
  int64_t n_failed;          /**< of them, those that gave PF_POINT_FAILED */
  int64_t n_shrunk;          /**< times that the start was halved because F had no value there */
  int64_t n_backs;           /**< fixed_passes: times that a point without a value was left for one
                                behind it; the first time at each, the learning rate was halved */
  int64_t n_saddles;         /**< stationary points that were left because F falls beside them */
  size_t runs_off_value;     /**< PF_REASON_RUNS_OFF: the value that grows */
  double predicted_decrease; /**< stops_early: how much the step not taken would lower F */
} pf_optimum;

/** One that has not run. */
static inline pf_optimum pf_optimum_none(void)
{
  return (pf_optimum){.objective = (double)NAN, .start = (double)NAN, .gradient_norm = (double)NAN};
}

/** Where an optimiser is: reported at the start (iteration 0) and after every iteration. */
typedef struct pf_iterate {
  int64_t iteration;
  const double *v;  /**< [n] */
  double objective; /**< F(v); adam: the mean over the parts of the pass, each before its step */
  double gradient_norm; /**< as in pf_optimum */
  double step;          /**< largest change of a value, of the last iteration; NaN at 0 */
} pf_iterate;

/** MAY be NULL, both. */
typedef struct pf_watch {
  void *payload;
  bool (*stop)(
      void *payload); /**< is it time to stop? asked before every evaluation that starts a step */
  void (*iterate)(void *payload, const pf_iterate *at);
} pf_watch;

/** An optimiser: what it can do, and how it is called. */
typedef struct pf_optimiser {
  const char *name;
  bool takes_l1;         /**< L1 weights */
  bool takes_bounded_l1; /**< L1 weights and bounds together; bounds alone are for every one */
  bool needs_curvature;  /**< `curvature` or `product` of pf_function */
  bool fixed_passes;     /**< makes all its passes and never claims to have converged */
  bool by_parts;         /**< steps after each part of pf_function; L1 enters its gradient */
  /**
   * Minimise from v [n], which is clipped to the bounds and becomes the best point found
   * (fixed_passes: the last). PF_OK whenever v is a point where F has a value, converged,
   * interrupted or not: *out says which. PF_POINT_FAILED: F has no value at the start nor between
   * the start and 0 (v unchanged), or passes ran into a point without one (v: the last that had).
   * PF_STOP: this optimiser cannot do this function, or no memory, or an op said so.
   */
  pf_status (*minimise)(const pf_function *function, const pf_optimiser_settings *settings,
                        const pf_watch *watch, double *v, pf_optimum *out, pf_error *error);
} pf_optimiser;

/** Every optimiser: its name, and what the config's documentation says of it. */
#define PF_EACH_OPTIMISER(ONE)                               \
  ONE(lm, "second derivatives, bounds and L1 exactly")       \
  ONE(lbfgs, "many parameters, no L1")                       \
  ONE(owlqn, "many parameters, L1 where nothing is bounded") \
  ONE(adam, "the reference's passes over the draws")

#define PF_OPTIMISER_DECLARE(name, help) extern const pf_optimiser pf_optimiser_##name;
PF_EACH_OPTIMISER(PF_OPTIMISER_DECLARE)
#undef PF_OPTIMISER_DECLARE

/** "lm|lbfgs|...", the choices of a config's key. */
#define PF_OPTIMISER_CHOICE(name, help) "|" #name
#define PF_OPTIMISER_CHOICES (&("" PF_EACH_OPTIMISER(PF_OPTIMISER_CHOICE))[1])
/** "lm: ...; lbfgs: ...", its documentation. */
#define PF_OPTIMISER_HELP_OF(name, help) "; " #name ": " help
#define PF_OPTIMISER_HELP (&("" PF_EACH_OPTIMISER(PF_OPTIMISER_HELP_OF))[2])

/** By name; NULL: there is none of that name. */
const pf_optimiser *pf_optimiser_find(const char *name);
/**
 * Can it do a problem with an L1 penalty? PF_STOP with a line that names those that can, after
 * `what`: "an L1 penalty", or the words and number of a config.
 */
pf_status pf_optimiser_check_l1(const pf_optimiser *optimiser, const char *what, pf_error *error);

/* ---- for optimisers ---- */

/** a . b, of [n] */
static inline double pf_dot(const double *a, const double *b, size_t n)
{
  double sum = 0.0;
  for (size_t i = 0; i < n; i++) {
    sum += a[i] * b[i];
  }
  return sum;
}

static inline bool pf_are_finite(const double *values, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    if (!isfinite(values[i])) {
      return false;
    }
  }
  return true;
}

/** Weight and centre of a value's L1 term. */
static inline double pf_l1_weight(const pf_function *function, size_t i)
{
  return function->l1 != NULL ? function->l1[i] : 0.0;
}
static inline double pf_l1_center(const pf_function *function, size_t i)
{
  return function->center != NULL ? function->center[i] : 0.0;
}
/** sum_i l1_i |v_i - center_i| */
double pf_l1_of(const pf_function *function, const double *v);
/**
 * The largest component of the projected gradient of F at v: what is left of the subgradient of
 * smallest size once components that point out of the bounds are dropped. 0 exactly at a stationary
 * point.
 */
double pf_projected_gradient(const pf_function *function, const double *v, const double *gradient);
/** The component i of the same. */
double pf_projected_component(const pf_function *function, const double *v, const double *gradient,
                              size_t i);
void pf_clip_to_bounds(const pf_function *function, double *v);
/** *out of one that has not run; PF_STOP, with a line that names an optimiser that can, where it
 * cannot do this function. */
pf_status pf_optimiser_begin(const pf_optimiser *optimiser, const pf_function *function,
                             pf_optimum *out, pf_error *error);

/** f at a point, and what else is wanted of it (NULL: not wanted). */
typedef struct pf_derivatives {
  double f;
  double *gradient; /**< [n] */
  double *h;        /**< [n][n]; with it, `gradient` is there too */
} pf_derivatives;

/** value(), or curvature() where h is wanted, counted; a result that is not finite becomes
 * PF_POINT_FAILED with a line. */
pf_status pf_function_evaluate(const pf_function *function, const double *v, pf_derivatives *out,
                               pf_optimum *count, pf_error *error);
/** The same of f alone. */
pf_status pf_function_value(const pf_function *function, const double *v, double *f,
                            pf_optimum *count, pf_error *error);
/**
 * A start where F has a value: v, clipped to the bounds, else halfway to 0, and so on, last 0
 * itself (a start at which weights overflow is no reason to give up). PF_POINT_FAILED, with the
 * line of v itself, where none has one.
 */
pf_status pf_function_start(const pf_function *function, double *v, pf_derivatives *out,
                            pf_optimum *count, pf_error *error);
/** The same, and from there halfway to 0 again and again while F falls. */
pf_status pf_function_lower_start(const pf_function *function, double *v, pf_derivatives *out,
                                  pf_optimum *count, pf_error *error);
/**
 * For squared errors: the values of v that are `chosen` [n], halved again and again while F falls,
 * if that takes F to less than a millionth. Such a start is in units other than the data's, and
 * says nothing of scales.
 */
pf_status pf_function_near_data(const pf_function *function, const bool *chosen, double *v,
                                pf_error *error);
bool pf_watch_stops(const pf_watch *watch);
void pf_watch_report(const pf_watch *watch, const pf_iterate *at);

#endif
