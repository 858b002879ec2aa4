#include "core/particles/particle_weights.h"

#include <math.h>

double pf_weights_update(double *weight, const double *gain, size_t n)
{
  double best = -INFINITY, sum = 0.0;
  for (size_t i = 0; i < n; i++) {
    best = weight[i] > 0.0 && gain[i] > best ? gain[i] : best;
  }
  if (!isfinite(best)) {
    return -INFINITY;
  }
  for (size_t i = 0; i < n; i++) {
    const double factor = isnan(gain[i]) ? 0.0 : exp(gain[i] - best);
    weight[i] *= factor;
    sum += weight[i];
  }
  for (size_t i = 0; i < n; i++) {
    weight[i] /= sum;
  }
  return best + log(sum);
}

double pf_weights_effective(const double *weight, size_t n)
{
  double squares = 0.0;
  for (size_t i = 0; i < n; i++) {
    squares += weight[i] * weight[i];
  }
  return 1.0 / squares;
}

void pf_weights_pick(const double *weight, size_t n, double uniform, size_t n_picked,
                     uint32_t *picked)
{
  double sum = weight[0];
  uint32_t at = 0, last = (uint32_t)n - 1;
  while (last > 0 && weight[last] <= 0.0) { /* rounding must not end at a particle without weight */
    last--;
  }
  for (size_t k = 0; k < n_picked; k++) {
    const double where = ((double)k + uniform) / (double)n_picked;
    while (sum <= where && at < last) {
      at++;
      sum += weight[at];
    }
    picked[k] = at;
  }
}
