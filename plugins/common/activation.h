/*
 * tanh, the logistic sigmoid and log(1 + exp) as inline arithmetic that the
 * compiler vectorises (scalar libm is an order of magnitude slower, and a
 * library call in a loop keeps the loop scalar).
 *
 * Relative error against long double, |x| from 1e-12 to 600
 * (tests/unit/networks/test_activation.c): tanh and sigmoid 4e-16, softplus 5e-16; in single
 * precision 2e-7. NaN in, NaN out; infinities saturate. No branches: comparisons are written so
 * that a NaN falls through to the result.
 *
 * All rest on one reduction: for z <= 0,  z = k ln2 + r, |r| <= ln2 / 2,
 * exp(z) - 1 = 2^k (exp(r) - 1) + (2^k - 1), which keeps small z exact to the last bits.
 */
#ifndef PLASTFIT_PLUGINS_COMMON_ACTIVATION_H
#define PLASTFIT_PLUGINS_COMMON_ACTIVATION_H

#include <plastfit/abi/base.h>
#include <plastfit/author/simd.h>

/* ---- double ---- */

/** exp(r) - 1 and 2^k for z = k ln2 + r. Domain: -708 <= z <= 0 (2^k stays normal), or NaN. */
PF_INLINE double pf_expm1_reduced(double z, double *two_to_k)
{
  const double shift = 0x1.8p52; /* adding it rounds to an integer that ends up in the low bits */
  union {
    double number;
    uint64_t bits;
  } k, scale;
  k.number = z * 0x1.71547652b82fep+0 + shift;
  scale.bits = (k.bits + 1023U) << 52;
  const double n = k.number - shift;
  const double r = (z - n * 0x1.62e42fefa3800p-1) -
                   n * 0x1.ef35793c76730p-45; /* ln2 in two parts, the first short */
  /* Taylor to r^13 (remainder 2e-17 r): (exp(r) - 1 - r) / r^2 = even(r^2) + r odd(r^2), two chains
   * side by side */
  const double q = r * r;
  double even = 1.0 / 479001600.0;
  double odd = 1.0 / 6227020800.0;
  even = even * q + 1.0 / 3628800.0;
  odd = odd * q + 1.0 / 39916800.0;
  even = even * q + 1.0 / 40320.0;
  odd = odd * q + 1.0 / 362880.0;
  even = even * q + 1.0 / 720.0;
  odd = odd * q + 1.0 / 5040.0;
  even = even * q + 1.0 / 24.0;
  odd = odd * q + 1.0 / 120.0;
  even = even * q + 1.0 / 2.0;
  odd = odd * q + 1.0 / 6.0;
  *two_to_k = scale.number;
  return r + q * (even + r * odd);
}

/** exp(-|x|); below exp(-708) it stays there, so that no subnormal slows a loop down. */
PF_INLINE double pf_exp_minus_abs(double x)
{
  const double a = __builtin_fabs(x);
  double two_to_k;
  const double p = pf_expm1_reduced(-(a > 708.0 ? 708.0 : a), &two_to_k);
  return two_to_k + two_to_k * p;
}

PF_INLINE double pf_tanh_double(double x)
{
  const double a = __builtin_fabs(x);
  double two_to_k;
  const double p =
      pf_expm1_reduced(-2.0 * (a > 20.0 ? 20.0 : a), &two_to_k); /* tanh(20) rounds to 1 */
  const double e = two_to_k * p + (two_to_k - 1.0);              /* exp(-2|x|) - 1 */
  return __builtin_copysign(-e / (e + 2.0), x);
}

/** 1 / (1 + exp(-x)), relative accuracy also where it is small. */
PF_INLINE double pf_sigmoid_double(double x)
{
  const double e = pf_exp_minus_abs(x);
  const double s = 1.0 / (1.0 + e);
  return x < 0.0 ? e * s : s;
}

/** log(1 + exp(x)), relative accuracy also where it is small; neither overflows nor cancels. */
PF_INLINE double pf_softplus(double x)
{
  /* log(1 + e) = 2 atanh(s), s = e / (2 + e) <= 1/3: the series in s^2 needs no reduction */
  const double e = pf_exp_minus_abs(x);
  const double s = e / (2.0 + e);
  const double q = s * s;
  double p = 1.0 / 33.0;
  p = p * q + 1.0 / 31.0;
  p = p * q + 1.0 / 29.0;
  p = p * q + 1.0 / 27.0;
  p = p * q + 1.0 / 25.0;
  p = p * q + 1.0 / 23.0;
  p = p * q + 1.0 / 21.0;
  p = p * q + 1.0 / 19.0;
  p = p * q + 1.0 / 17.0;
  p = p * q + 1.0 / 15.0;
  p = p * q + 1.0 / 13.0;
  p = p * q + 1.0 / 11.0;
  p = p * q + 1.0 / 9.0;
  p = p * q + 1.0 / 7.0;
  p = p * q + 1.0 / 5.0;
  p = p * q + 1.0 / 3.0;
  p = p * q + 1.0;
  return (x < 0.0 ? 0.0 : x) + 2.0 * s * p;
}

/* ---- single ---- */

PF_INLINE float pf_expm1_reduced_single(float z, float *two_to_k)
{
  const float shift = 0x1.8p23f;
  union {
    float number;
    uint32_t bits;
  } k, scale;
  k.number = z * 0x1.715476p+0f + shift;
  scale.bits = (k.bits + 127U) << 23;
  const float n = k.number - shift;
  const float r = (z - n * 0x1.62e000p-1f) - n * 0x1.0bfbe8p-15f;
  float p = 1.0F / 5040.0F; /* 1/7!, remainder 2e-8 r */
  p = p * r + 1.0F / 720.0F;
  p = p * r + 1.0F / 120.0F;
  p = p * r + 1.0F / 24.0F;
  p = p * r + 1.0F / 6.0F;
  p = p * r + 0.5F;
  *two_to_k = scale.number;
  return r + r * r * p;
}

PF_INLINE float pf_tanh_single(float x)
{
  const float a = __builtin_fabsf(x);
  float two_to_k;
  const float p = pf_expm1_reduced_single(-2.0F * (a > 10.0F ? 10.0F : a), &two_to_k);
  const float e = two_to_k * p + (two_to_k - 1.0F);
  return __builtin_copysignf(-e / (e + 2.0F), x);
}

PF_INLINE float pf_sigmoid_single(float x)
{
  const float a = __builtin_fabsf(x);
  float two_to_k;
  const float p = pf_expm1_reduced_single(-(a > 87.0F ? 87.0F : a), &two_to_k);
  const float e = two_to_k + two_to_k * p;
  const float s = 1.0F / (1.0F + e);
  return x < 0.0F ? e * s : s;
}

/* ---- the number type of arrays ---- */

#ifdef PF_SINGLE
#define pf_tanh pf_tanh_single
#define pf_sigmoid pf_sigmoid_single
#else
#define pf_tanh pf_tanh_double
#define pf_sigmoid pf_sigmoid_double
#endif

#endif
