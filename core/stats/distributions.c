#define _DEFAULT_SOURCE /* lgamma_r: lgamma writes a global */

#include "core/stats/stats.h"

#include <float.h>
#include <math.h>

double pf_stats_normal(double z)
{
  return 0.5 * erfc(-z * 0.70710678118654752440);
}

/** Density of the standard normal. */
static double normal_density(double z)
{
  return 0.39894228040143267794 * exp(-0.5 * z * z);
}

/**
 * z with P(Z <= z) = p for 0 < p <= 1/2: Newton's method in log p (a concave function of z whose
 * slope is smooth far into the tail), from the leading terms of the tail's asymptotic series,
 * safeguarded by nothing since a concave function's steps from the left never overshoot.
 */
static double lower_half(double p)
{
  const double target = log(p);
  const double depth = sqrt(fmax(-2.0 * target, 1e-300));
  double z = -depth;
  for (int i = 0; i < 100; i++) {
    const double below = pf_stats_normal(z);
    if (!(below > 0.0)) { /* p is so small that the start is as good as it gets */
      break;
    }
    const double step = (log(below) - target) * below / normal_density(z);
    z -= step;
    if (!(fabs(step) > 1e-15 * fabs(z))) {
      break;
    }
  }
  return z;
}

double pf_stats_normal_quantile(double p)
{
  if (!(p >= 0.0 && p <= 1.0)) {
    return NAN;
  }
  if (p == 0.0 || p == 1.0) {
    return p == 0.0 ? -INFINITY : INFINITY;
  }
  if (p == 0.5) {
    return 0.0;
  }
  return p < 0.5 ? lower_half(p) : -lower_half(1.0 - p);
}

/* ---- chi-square, from the incomplete gamma function ---- */

static double log_gamma(double a)
{
  int sign = 0;
  return lgamma_r(a, &sign);
}

/** P(a, x) by its power series, x < a + 1: x^a e^-x / Gamma(a + 1) * sum x^k / ((a + 1) ... (a +
 * k)). */
static double gamma_below_series(double a, double x)
{
  double term = 1.0;
  double sum = 1.0;
  for (int k = 1; k < 100000 && term > 0.25 * DBL_EPSILON * sum; k++) {
    term *= x / (a + (double)k);
    sum += term;
  }
  return sum * exp(a * log(x) - x - log_gamma(a + 1.0));
}

/**
 * Q(a, x) by its continued fraction, x >= a + 1 (Abramowitz & Stegun 6.5.31 in even form),
 * evaluated by the modified method of Lentz.
 */
static double gamma_above_fraction(double a, double x)
{
  const double tiny = 1e-300;
  double b = x + 1.0 - a;
  double c = 1.0 / tiny;
  double d = 1.0 / (fabs(b) < tiny ? tiny : b);
  double fraction = d;
  for (int k = 1; k < 100000; k++) {
    const double numerator = -(double)k * ((double)k - a);
    b += 2.0;
    d = numerator * d + b;
    c = b + numerator / c;
    d = 1.0 / (fabs(d) < tiny ? tiny : d);
    c = fabs(c) < tiny ? tiny : c;
    fraction *= c * d;
    if (fabs(c * d - 1.0) < DBL_EPSILON) {
      break;
    }
  }
  return fraction * exp(a * log(x) - x - log_gamma(a));
}

double pf_stats_chi2_above(double x, double df)
{
  if (!(df > 0.0) || isnan(x)) {
    return NAN;
  }
  if (x <= 0.0) {
    return 1.0;
  }
  if (isinf(x)) {
    return 0.0;
  }
  const double a = 0.5 * df;
  const double y = 0.5 * x;
  return y < a + 1.0 ? 1.0 - gamma_below_series(a, y) : gamma_above_fraction(a, y);
}

double pf_stats_chi2_quantile(double p, double df)
{
  if (!(p >= 0.0 && p <= 1.0) || !(df > 0.0)) {
    return NAN;
  }
  if (p == 0.0 || p == 1.0) {
    return p == 0.0 ? 0.0 : INFINITY;
  }
  /* Bisection: monotone, and some 60 halvings are nothing beside a fit. The bracket doubles until
   * it holds p. */
  double low = 0.0;
  double high = df;
  while (1.0 - pf_stats_chi2_above(high, df) < p && high < DBL_MAX / 4.0) {
    low = high;
    high *= 2.0;
  }
  for (int i = 0; i < 2000; i++) {
    const double middle = 0.5 * (low + high);
    if (!(middle > low && middle < high)) {
      break;
    }
    if (1.0 - pf_stats_chi2_above(middle, df) < p) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return 0.5 * (low + high);
}

/* ---- Student's t ---- */

/** P(-t < T < t), t >= 0, a finite sum (Abramowitz & Stegun 26.7.3, 26.7.4). */
static double student_within(double t, size_t df)
{
  const double sine = t / sqrt((double)df + t * t);
  const double cosine2 = (double)df / ((double)df + t * t);
  const bool odd = df % 2 == 1;
  double term = odd ? sqrt(cosine2) : 1.0;
  double sum = df == 1 ? 0.0 : term;
  for (size_t k = odd ? 3 : 2; k + 2 <= df; k += 2) {
    term *= cosine2 * ((double)k - 1.0) / (double)k;
    sum += term;
  }
  return odd ? 0.63661977236758134308 * (atan(t / sqrt((double)df)) + sine * sum) : sine * sum;
}

double pf_stats_student_quantile(double p, size_t df)
{
  if (!(p >= 0.0 && p <= 1.0) || df == 0) {
    return NAN;
  }
  if (p == 0.0 || p == 1.0) {
    return p == 0.0 ? -INFINITY : INFINITY;
  }
  const double within = fabs(2.0 * p - 1.0);
  double low = 0.0;
  double high = 1.0;
  while (student_within(high, df) < within && high < 1e100) {
    low = high;
    high *= 2.0;
  }
  for (int i = 0; i < 200; i++) {
    const double middle = 0.5 * (low + high);
    if (student_within(middle, df) < within) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return p < 0.5 ? -0.5 * (low + high) : 0.5 * (low + high);
}
