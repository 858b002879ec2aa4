/* A fit of the tiny problem and what is inferred of it, made up number by number: for tests of what
 * is said of them. */
#ifndef PLASTFIT_TESTS_KNOWN_FIT_H
#define PLASTFIT_TESTS_KNOWN_FIT_H

#include "core/uncertainty/inference.h"
#include "tests/unit/support/tiny_problem.h"

/** The coefficients of the tiny problem's rule, in its order. The teacher's is x r - 0.05 w. */
enum { KNOWN_1, KNOWN_R, KNOWN_W, KNOWN_X, KNOWN_XR, KNOWN_N };

typedef struct known_fit {
  tiny_problem tiny;
  pf_fit *fit;
  pf_inference inference; /**< Fisher's intervals at 95 % */
} known_fit;

/** Animals Fly1, Fly2, ...; all converged, all coefficients 0, with no standard error. */
void known_fit_create(known_fit *known, int n_animals);
/** The estimate of coefficient k of animal u, its standard error and its interval, 1.959964 of them
 * to both sides. */
void known_fit_set(known_fit *known, int u, int k, double value, double se);
void known_fit_free(known_fit *known);

#endif
