/*
 * tests/unit/optimise/functions.h - functions with known minima, for tests of optimisers: sums of
 * squared residuals f = |r|^2 / 2 with H = J'J, and others with H of their own.
 */
#ifndef PLASTFIT_TESTS_FUNCTIONS_H
#define PLASTFIT_TESTS_FUNCTIONS_H

#include "core/optimise/optimiser.h"

enum { MAX_VALUES = 600, MAX_RESIDUALS = 600 };

typedef struct residuals {
  size_t n, m;
  /** r [m], J [m][n] (zeroed before). false: there is no value here. */
  bool (*at)(const double *v, double *r, double *jacobian);
  double lower[MAX_VALUES], upper[MAX_VALUES], l1[MAX_VALUES];
  int calls;      /**< evaluations of any kind */
  int stop_after; /**< calls after which it says stop; 0: never */
} residuals;

/** Rosenbrock (1960) as residuals: minimum 0 at (1, 1). */
bool rosenbrock(const double *v, double *r, double *jacobian);
/** Powell's singular function (1962): minimum 0 at 0, where H is singular. */
bool powell_singular(const double *v, double *r, double *jacobian);
/** r = A v - b, a Hilbert-like A [6][4]; minimum at (1, -2, 3, -4). */
bool linear_system(const double *v, double *r, double *jacobian);
/** Twice the same value: r = (v0 + v1 - 3, v2 - 1). H is singular everywhere. */
bool duplicate(const double *v, double *r, double *jacobian);
/** (v0^2 - 1, v1 / 2): a saddle at 0, minima at (1, 0) and (-1, 0). */
bool saddle(const double *v, double *r, double *jacobian);
/** A trajectory w' = w + v w^2, 60 steps, that overflows for v > 0 too large; the target is that of
 * v = -0.3. */
bool overflowing(const double *v, double *r, double *jacobian);
/** Never a number. */
bool never(const double *v, double *r, double *jacobian);

/** No bounds, no L1. */
void residuals_start(residuals *self, size_t n, size_t m,
                     bool (*at)(const double *, double *, double *));
pf_function residuals_function(residuals *self);
/** Settings for tests: defaults with 500 iterations. */
pf_optimiser_settings test_settings(void);

#endif
