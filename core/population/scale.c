#include "core/population/scale.h"

#include <math.h>

/* How near a bound a value may start. */
static const double nearest = 1e-6;

static double logistic_value(double phi)
{
  return phi >= 0.0 ? 1.0 / (1.0 + exp(-phi)) : exp(phi) / (1.0 + exp(phi));
}

pf_scale pf_scale_of(const pf_layout *layout, size_t k, bool bounded)
{
  return bounded ? (pf_scale){layout->lower[k], layout->upper[k]} : (pf_scale){-INFINITY, INFINITY};
}

double pf_scale_to_line(pf_scale scale, double value)
{
  const double lower = scale.lower, upper = scale.upper;
  const double above = value - lower, below = upper - value;
  if (isfinite(lower) && isfinite(upper)) {
    const double share = fmin(fmax(above / (upper - lower), nearest), 1.0 - nearest);
    return log(share / (1.0 - share));
  }
  if (isfinite(lower)) {
    return log(fmax(above, nearest));
  }
  return isfinite(upper) ? -log(fmax(below, nearest)) : value;
}

double pf_scale_from_line(pf_scale scale, double phi)
{
  const double lower = scale.lower, upper = scale.upper;
  if (isfinite(lower) && isfinite(upper)) {
    return lower + (upper - lower) * logistic_value(phi);
  }
  if (isfinite(lower)) {
    return lower + exp(phi);
  }
  return isfinite(upper) ? upper - exp(-phi) : phi;
}

double pf_scale_slope(pf_scale scale, double phi)
{
  const double lower = scale.lower, upper = scale.upper;
  if (isfinite(lower) && isfinite(upper)) {
    const double share = logistic_value(phi);
    return (upper - lower) * share * (1.0 - share);
  }
  if (isfinite(lower)) {
    return exp(phi);
  }
  return isfinite(upper) ? exp(-phi) : 1.0;
}
