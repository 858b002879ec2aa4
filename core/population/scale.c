#include "core/population/scale.h"

#include <math.h>

/* How near a bound a value may start. */
static const double nearest = 1e-6;

static double logistic(double phi)
{
  return phi >= 0.0 ? 1.0 / (1.0 + exp(-phi)) : exp(phi) / (1.0 + exp(phi));
}

double pf_scale_to_line(double lower, double upper, double value)
{
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

double pf_scale_from_line(double lower, double upper, double phi)
{
  if (isfinite(lower) && isfinite(upper)) {
    return lower + (upper - lower) * logistic(phi);
  }
  if (isfinite(lower)) {
    return lower + exp(phi);
  }
  return isfinite(upper) ? upper - exp(-phi) : phi;
}

double pf_scale_slope(double lower, double upper, double phi)
{
  if (isfinite(lower) && isfinite(upper)) {
    const double share = logistic(phi);
    return (upper - lower) * share * (1.0 - share);
  }
  if (isfinite(lower)) {
    return exp(phi);
  }
  return isfinite(upper) ? exp(-phi) : 1.0;
}
