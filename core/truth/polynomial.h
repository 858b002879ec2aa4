/* A rule as a polynomial, found by asking it: so that a teacher's Oja can be set beside a fitted
 * Taylor rule. */
#ifndef PLASTFIT_CORE_TRUTH_POLYNOMIAL_H
#define PLASTFIT_CORE_TRUTH_POLYNOMIAL_H

#include "core/model/model.h"

#include <stdbool.h>

enum { PF_POLYNOMIAL_SIZE = 81 };

/** Index of the coefficient of x^a y^b w^c r^d, powers 0..2. */
static inline int pf_polynomial_index(int a, int b, int c, int d)
{
  return ((a * 3 + b) * 3 + c) * 3 + d;
}

/**
 * Coefficients [PF_POLYNOMIAL_SIZE] of dw as a polynomial in x, y, w, r with powers 0..2, r being
 * the rule's one modulator. `theta`: the rule's own parameters. False where the rule is no such
 * polynomial, or reads more: traces, other signals, several modulators, modulators per neuron.
 */
bool pf_polynomial_of_rule(const pf_plastic *plastic, const double *theta, double *coefficients);

#endif
