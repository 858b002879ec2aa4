/*
 * The step of a Newton-like method, bounds and L1 exactly:
 *
 *     minimise  g'p + p'Bp / 2 + sum_i l1_i |v_i + p_i - center_i|      lower <= v + p <= upper
 *
 * with B positive definite, by a primal active-set method: between its breakpoints (a bound; the
 * centre, where there is an L1 weight) a value is free and the problem a plain quadratic one; at a
 * breakpoint it is active while neither side goes down. Every round solves for the free values
 * (Cholesky), goes there or to the first breakpoint in the way, and frees the active values whose
 * side goes down. The model falls in every round that moves, so it ends.
 */
#ifndef PLASTFIT_CORE_OPTIMISE_QUADRATIC_H
#define PLASTFIT_CORE_OPTIMISE_QUADRATIC_H

#include "core/optimise/optimiser.h"

typedef struct pf_quadratic pf_quadratic; /**< memory for problems of one size */

pf_status pf_quadratic_create(size_t n, pf_quadratic **out, pf_error *error);
void pf_quadratic_free(pf_quadratic *quadratic);
/**
 * Bounds and l1 are the function's; b [n][n] symmetric, read only. x [n] = v + p, exactly at a
 * breakpoint where it is active. false: B is not positive definite to rounding (x is then not to be
 * used).
 */
bool pf_quadratic_solve(pf_quadratic *quadratic, const pf_function *function, const double *v,
                        const double *gradient, const double *b, double *x);

#endif
