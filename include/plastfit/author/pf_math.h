/*
 * plastfit/author/pf_math.h - exp, log, tanh and the like in pf_real, so written that compilers
 * vectorise them.
 *
 * libm's functions are called once per synapse (13 times slower, measured with tanh), and those of
 * double round a single-precision loop trip through double. These are for hot loops: of a NaN they
 * make a NaN, and outside of the domain what libm makes, inf or NaN, without errno or
 * floating-point flags. Largest error seen over 4 million points: 1.1 (exp), 2.0 (log) and 2.6
 * (tanh) units in the last place (tests/unit/author/test_math.c).
 */
#ifndef PLASTFIT_AUTHOR_PF_MATH_H
#define PLASTFIT_AUTHOR_PF_MATH_H

#include <plastfit/abi/base.h>
#include <plastfit/author/simd.h>

#include <math.h>

#ifdef __cplusplus
extern "C" {
#endif

PF_INLINE pf_real pf_abs(pf_real a)
{
  return (pf_real)(a < 0 ? -a : a);
}

/** The smaller, and the larger; NaN if one is: unlike fmin and fmax, which hide it. */
PF_INLINE pf_real pf_min(pf_real a, pf_real b)
{
  return b >= a ? a : (a != a ? a : b);
}
PF_INLINE pf_real pf_max(pf_real a, pf_real b)
{
  return b <= a ? a : (a != a ? a : b);
}

/** 1 where a > 0, else 0; NaN of NaN. */
PF_INLINE pf_real pf_step(pf_real a)
{
  return a > 0 ? (pf_real)1 : (a <= 0 ? (pf_real)0 : a);
}

#ifdef PF_SINGLE

/** A number and its bits. */
typedef union pf_math_pun {
  float real;
  uint32_t bits;
} pf_math_pun;

/** 2^k from a number that holds k in its low bits (k + pf_math_shift). */
#define pf_math_shift 0x1.8p23f
PF_INLINE float pf_math_power_of_two(float shifted)
{
  pf_math_pun pun;
  pun.real = shifted;
  pun.bits = (pun.bits << 23) + 0x3f800000u;
  return pun.real;
}

PF_INLINE float pf_sqrt(float a)
{
  return sqrtf(a);
}

/** e^a = 2^k e^s with a = k ln 2 + s, |s| <= ln 2 / 2; 2^k in two factors, since one may be out of
 * range. */
PF_INLINE float pf_exp(float a)
{
  const float low = a < -105.0f ? -105.0f : a; /* so written, a NaN stays one */
  const float t = low > 90.0f ? 90.0f : low;
  const float k = (t * 1.44269504f + pf_math_shift) - pf_math_shift;
  const float s = (t - k * 0.693359375f) + k * 2.12194440e-4f;
  const float tail =
      0.5f +
      s * (1.0f / 6 + s * (1.0f / 24 + s * (1.0f / 120 + s * (1.0f / 720 + s * (1.0f / 5040)))));
  const float half = (k * 0.5f + pf_math_shift) - pf_math_shift;
  const float e = 1.0f + (s + s * s * tail);
  return e * pf_math_power_of_two(half + pf_math_shift) *
         pf_math_power_of_two((k - half) + pf_math_shift);
}

/** log a = k ln 2 + 2 artanh f with a = 2^k m, f = (m - 1) / (m + 1), m from sqrt 1/2 to sqrt 2. */
PF_INLINE float pf_log(float a)
{
  const int tiny = a < 1.17549435e-38f;
  pf_math_pun pun;
  pun.real = tiny ? a * 0x1p24f : a;
  pun.bits -= 0x3f3504f3u; /* sqrt 1/2 */
  pf_math_pun exponent;
  exponent.bits = ((pun.bits + 0x3f800000u) >> 23) | 0x4b000000u; /* 2^23 + k + 127 */
  const float k = exponent.real - 8388735.0f - (tiny ? 24.0f : 0.0f);
  pun.bits = (pun.bits & 0x007fffffu) + 0x3f3504f3u;
  const float f = (pun.real - 1.0f) / (pun.real + 1.0f);
  const float q = f * f;
  const float tail =
      q * (1.0f / 3 + q * (1.0f / 5 + q * (1.0f / 7 + q * (1.0f / 9 + q * (1.0f / 11)))));
  const float r = k * 0.693359375f + (2.0f * f + (2.0f * f * tail - k * 2.12194440e-4f));
  const float outside = a == 0.0f ? -HUGE_VALF : (float)NAN;
  return a > 0.0f ? (a <= 3.40282347e+38f ? r : a) : outside;
}

/** tanh |a| = e / (e + 2), e = exp(2 |a|) - 1 = 2^k (exp(s) - 1) + (2^k - 1): small a keep their
 * relative accuracy. */
PF_INLINE float pf_tanh(float a)
{
  const float twice = 2.0f * pf_abs(a);
  const float t = twice > 20.0f ? 20.0f : twice; /* tanh 10 is 1 in float */
  const float shifted = t * 1.44269504f + pf_math_shift;
  const float k = shifted - pf_math_shift;
  const float s = (t - k * 0.693359375f) + k * 2.12194440e-4f;
  const float tail =
      0.5f +
      s * (1.0f / 6 + s * (1.0f / 24 + s * (1.0f / 120 + s * (1.0f / 720 + s * (1.0f / 5040)))));
  const float power = pf_math_power_of_two(shifted);
  const float e = power * (s + s * s * tail) + (power - 1.0f);
  const float y = e / (e + 2.0f);
  return a < 0.0f ? -y : y;
}

#else

/** A number and its bits. */
typedef union pf_math_pun {
  double real;
  uint64_t bits;
} pf_math_pun;

/** 2^k from a number that holds k in its low bits (k + pf_math_shift). */
#define pf_math_shift 0x1.8p52
PF_INLINE double pf_math_power_of_two(double shifted)
{
  pf_math_pun pun;
  pun.real = shifted;
  pun.bits = (pun.bits << 52) + 0x3ff0000000000000u;
  return pun.real;
}

/** (exp(s) - 1 - s) / s^2 for |s| <= ln 2 / 2. */
PF_INLINE double pf_math_exp_tail(double s)
{
  const double high =
      1.0 / 40320 +
      s * (1.0 / 362880 +
           s * (1.0 / 3628800 +
                s * (1.0 / 39916800 + s * (1.0 / 479001600 + s * (1.0 / 6227020800.0)))));
  return 0.5 + s * (1.0 / 6 + s * (1.0 / 24 + s * (1.0 / 120 +
                                                   s * (1.0 / 720 + s * (1.0 / 5040 + s * high)))));
}

/** t - k ln 2. ln 2 in two parts, the first with 20 zero bits at its end: k times it is exact. */
PF_INLINE double pf_math_reduce(double t, double k)
{
  return (t - k * 0x1.62e42feep-1) - k * 0x1.a39ef35793c76p-33;
}

PF_INLINE double pf_sqrt(double a)
{
  return sqrt(a);
}

/** e^a = 2^k e^s with a = k ln 2 + s, |s| <= ln 2 / 2; 2^k in two factors, since one may be out of
 * range. */
PF_INLINE double pf_exp(double a)
{
  const double low = a < -750.0 ? -750.0 : a; /* so written, a NaN stays one */
  const double t = low > 720.0 ? 720.0 : low;
  const double k = (t * 1.4426950408889634 + pf_math_shift) - pf_math_shift;
  const double s = pf_math_reduce(t, k);
  const double e = 1.0 + (s + s * s * pf_math_exp_tail(s));
  const double half = (k * 0.5 + pf_math_shift) - pf_math_shift;
  return e * pf_math_power_of_two(half + pf_math_shift) *
         pf_math_power_of_two((k - half) + pf_math_shift);
}

/** log a = k ln 2 + 2 artanh f with a = 2^k m, f = (m - 1) / (m + 1), m from sqrt 1/2 to sqrt 2. */
PF_INLINE double pf_log(double a)
{
  const int tiny = a < 2.2250738585072014e-308;
  pf_math_pun pun;
  pun.real = tiny ? a * 0x1p54 : a;
  pun.bits -= 0x3fe6a09e667f3bcdu; /* sqrt 1/2 */
  pf_math_pun exponent;
  exponent.bits =
      ((pun.bits + 0x3ff0000000000000u) >> 52) | 0x4330000000000000u; /* 2^52 + k + 1023 */
  const double k = exponent.real - 4503599627371519.0 - (tiny ? 54.0 : 0.0);
  pun.bits = (pun.bits & 0x000fffffffffffffu) + 0x3fe6a09e667f3bcdu;
  const double f = (pun.real - 1.0) / (pun.real + 1.0);
  const double q = f * f;
  const double high =
      1.0 / 13 + q * (1.0 / 15 + q * (1.0 / 17 + q * (1.0 / 19 + q * (1.0 / 21 + q * (1.0 / 23)))));
  const double tail =
      q * (1.0 / 3 + q * (1.0 / 5 + q * (1.0 / 7 + q * (1.0 / 9 + q * (1.0 / 11 + q * high)))));
  const double r = k * 0x1.62e42feep-1 + (2.0 * f + (2.0 * f * tail + k * 0x1.a39ef35793c76p-33));
  const double outside = a == 0.0 ? -HUGE_VAL : (double)NAN;
  return a > 0.0 ? (a <= 1.7976931348623157e308 ? r : a) : outside;
}

/** tanh |a| = e / (e + 2), e = exp(2 |a|) - 1 = 2^k (exp(s) - 1) + (2^k - 1): small a keep their
 * relative accuracy. */
PF_INLINE double pf_tanh(double a)
{
  const double twice = 2.0 * pf_abs(a);
  const double t =
      twice > 44.0 ? 44.0 : twice; /* tanh 22 is 1 in double; so written, a NaN stays one */
  const double shifted = t * 1.4426950408889634 + pf_math_shift;
  const double k = shifted - pf_math_shift;
  const double s = pf_math_reduce(t, k);
  const double power = pf_math_power_of_two(shifted);
  const double e = power * (s + s * s * pf_math_exp_tail(s)) + (power - 1.0);
  const double y = e / (e + 2.0);
  return a < 0.0 ? -y : y;
}

#endif

#ifdef __cplusplus
}
#endif

#endif
