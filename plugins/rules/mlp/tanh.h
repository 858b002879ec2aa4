/*
 * plugins/rules/mlp/tanh.h - a tanh that compilers vectorise, and that passes NaN through.
 *
 *     tanh |x| = e / (e + 2),   e = exp(2 |x|) - 1 = 2^k (exp(s) - 1) + (2^k - 1)
 *     2 |x| = k ln 2 + s,   |s| <= ln 2 / 2
 *
 * exp(s) - 1 is a Taylor polynomial, so small x keep their relative accuracy. Largest error
 * measured against libm's long double over 4 million points: see test_mlp.c. libm's own, called per
 * synapse, is 13 times slower.
 */
#ifndef PLASTFIT_RULES_MLP_TANH_H
#define PLASTFIT_RULES_MLP_TANH_H

#include "../common/rule_common.h"

#ifdef PF_SINGLE

/** 2^k from a float that holds k in its low bits (k + 1.5 * 2^23). */
PF_INLINE float mlp_power_of_two(float shifted)
{
  union {
    float real;
    uint32_t bits;
  } pun = {.real = shifted};
  pun.bits = (pun.bits << 23) + 0x3f800000u;
  return pun.real;
}

PF_INLINE float mlp_tanh(float x)
{
  const float shift = 0x1.8p23f;
  const float twice = 2.0f * fabsf(x);
  const float t =
      twice > 20.0f ? 20.0f : twice; /* tanh 10 is 1 in float; so written, a NaN stays one */
  const float shifted = t * 1.44269504f + shift;
  const float k = shifted - shift;
  const float s = (t - k * 0.693359375f) + k * 2.12194440e-4f;
  const float tail =
      0.5f +
      s * (1.0f / 6 + s * (1.0f / 24 + s * (1.0f / 120 + s * (1.0f / 720 + s * (1.0f / 5040)))));
  const float power = mlp_power_of_two(shifted);
  const float e = power * (s + s * s * tail) + (power - 1.0f);
  const float y = e / (e + 2.0f);
  return x < 0.0f ? -y : y;
}

#else

/** 2^k from a double that holds k in its low bits (k + 1.5 * 2^52). */
PF_INLINE double mlp_power_of_two(double shifted)
{
  union {
    double real;
    uint64_t bits;
  } pun = {.real = shifted};
  pun.bits = (pun.bits << 52) + 0x3ff0000000000000u;
  return pun.real;
}

PF_INLINE double mlp_tanh(double x)
{
  const double shift = 0x1.8p52;
  const double twice = 2.0 * fabs(x);
  const double t =
      twice > 44.0 ? 44.0 : twice; /* tanh 22 is 1 in double; so written, a NaN stays one */
  const double shifted = t * 1.4426950408889634 + shift;
  const double k = shifted - shift;
  /* ln 2 in two parts, the first with 20 zero bits at its end: k times it is exact. */
  const double s = (t - k * 0x1.62e42feep-1) - k * 0x1.a39ef35793c76p-33;
  const double high =
      1.0 / 40320 +
      s * (1.0 / 362880 +
           s * (1.0 / 3628800 +
                s * (1.0 / 39916800 + s * (1.0 / 479001600 + s * (1.0 / 6227020800.0)))));
  const double tail =
      0.5 + s * (1.0 / 6 +
                 s * (1.0 / 24 + s * (1.0 / 120 + s * (1.0 / 720 + s * (1.0 / 5040 + s * high)))));
  const double power = mlp_power_of_two(shifted);
  const double e = power * (s + s * s * tail) + (power - 1.0);
  const double y = e / (e + 2.0);
  return x < 0.0 ? -y : y;
}

#endif

/** o[k] = tanh o[k]. */
PF_INLINE void mlp_tanh_run(int64_t n, pf_real *o)
{
#pragma omp simd
  for (int64_t k = 0; k < n; k++) {
    o[k] = mlp_tanh(o[k]);
  }
}

#endif
