/* A profile of a quadratic model: where value i has to go for the profile to rise as far as is
 * wanted, and how the others follow (Venzon & Moolgavkar 1988). */
#ifndef PLASTFIT_CORE_PROFILE_PROFILE_QUADRATIC_H
#define PLASTFIT_CORE_PROFILE_PROFILE_QUADRATIC_H

#include <stdbool.h>
#include <stddef.h>

/** f near a point: rise + g'p + p'Hp / 2. */
typedef struct pf_profile_quadratic {
  size_t n, i;
  double rise;
  const double *gradient; /**< [n] */
  const double *h;        /**< [n][n] both triangles */
} pf_profile_quadratic;

/** Numbers of work that pf_profile_quadratic_solve needs. */
static inline size_t pf_profile_quadratic_work(size_t n)
{
  return n * n + 2 * n;
}
/**
 * *here: the model's profile at the point's own value i. step [n]: to where it is `wanted`, on the
 * side `sign` (-1, 1). false: the model has no minimum over the others, or never rises so far.
 */
bool pf_profile_quadratic_solve(const pf_profile_quadratic *model, double wanted, double sign,
                                double *work, double *here, double *step);

#endif
