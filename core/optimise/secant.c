#include "core/optimise/secant.h"

#include "core/optimise/optimiser.h"

#include <cblas.h>
#include <math.h>

bool pf_secant_update(const pf_secant_step *made, double *secant, double *work)
{
  const size_t n = made->n;
  const double *step = made->step, *change = made->change;
  double *off = work, *image = work + n; /* change - H step, then minus S step; S step */
  cblas_dsymv(CblasRowMajor, CblasLower, (int)n, 1.0, made->h, (int)n, step, 1, 0.0, off, 1);
  const double by_h = pf_dot(step, off, n);
  for (size_t i = 0; i < n; i++) {
    off[i] = change[i] - off[i];
  }
  cblas_dsymv(CblasRowMajor, CblasLower, (int)n, 1.0, secant, (int)n, step, 1, 0.0, image, 1);
  const double known = fabs(pf_dot(step, image, n));
  const double now = fabs(pf_dot(step, off, n));
  const double size = known > now ? now / known : 1.0;
  const double along = pf_dot(step, change, n);
  const bool usable = along > 1e-8 * by_h && along > 0.0;
  for (size_t i = 0; i < n; i++) {
    off[i] -= size * image[i];
  }
  const double rest = usable ? pf_dot(step, off, n) / (along * along) : 0.0;
  for (size_t i = 0; i < n; i++) {
    for (size_t j = 0; j < n; j++) {
      double *cell = &secant[i * n + j];
      *cell *= size;
      *cell +=
          usable ? (off[i] * change[j] + change[i] * off[j]) / along - rest * change[i] * change[j]
                 : 0.0;
    }
  }
  return usable;
}
