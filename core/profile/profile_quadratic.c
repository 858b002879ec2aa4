#include "core/profile/profile_quadratic.h"

#include <lapacke.h>
#include <math.h>

/* solved [n - 1][2]: H of the others against their gradient, and against their column i. */
static bool solve_others(const pf_profile_quadratic *m, double *matrix, double *solved)
{
  const size_t n = m->n, others = n - 1;
  for (size_t row = 0; row < others; row++) {
    const size_t k = row < m->i ? row : row + 1;
    for (size_t column = 0; column < others; column++) {
      matrix[row * others + column] = m->h[k * n + (column < m->i ? column : column + 1)];
    }
    solved[2 * row] = m->gradient[k];
    solved[2 * row + 1] = m->h[k * n + m->i];
  }
  const lapack_int order = (lapack_int)others;
  return others == 0 ||
         LAPACKE_dposv(LAPACK_ROW_MAJOR, 'L', order, 2, matrix, order, solved, 2) == 0;
}

bool pf_profile_quadratic_solve(const pf_profile_quadratic *m, double wanted, double sign,
                                double *work, double *here, double *step)
{
  const size_t n = m->n, i = m->i;
  double *solved = work + n * n;
  if (!solve_others(m, work, solved)) {
    return false;
  }
  /* the profile: rise + slope move + curvature move^2 / 2 */
  double rise = m->rise, slope = m->gradient[i], curvature = m->h[i * n + i];
  for (size_t row = 0; row + 1 < n; row++) {
    const size_t k = row < i ? row : row + 1;
    rise -= 0.5 * m->gradient[k] * solved[2 * row];
    slope -= m->h[k * n + i] * solved[2 * row];
    curvature -= m->h[k * n + i] * solved[2 * row + 1];
  }
  const double root = slope * slope - 2.0 * curvature * (rise - wanted);
  *here = rise;
  if (!(curvature > 0.0) || !(root >= 0.0)) {
    return false;
  }
  const double move = (-slope + sign * sqrt(root)) / curvature;
  for (size_t row = 0; row + 1 < n; row++) {
    step[row < i ? row : row + 1] = -solved[2 * row] - move * solved[2 * row + 1];
  }
  step[i] = move;
  return isfinite(move);
}
