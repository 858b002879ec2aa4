/*
 * plugins/common/unit_function.h - what the networks' units make of their drive: f, f', and the
 * softmax of a whole layer.
 *
 * f' is computed from the value y = f(v). The Jacobian of softmax, y_i (1_ij - y_j), is symmetric:
 * the same code takes cotangents backward and tangents forward.
 */
#ifndef PLASTFIT_PLUGINS_COMMON_UNIT_FUNCTION_H
#define PLASTFIT_PLUGINS_COMMON_UNIT_FUNCTION_H

#include "activation.h"

#include <math.h>
#include <string.h>

typedef enum unit_function {
  UNIT_TANH,
  UNIT_SIGMOID,
  UNIT_RELU,
  UNIT_LINEAR,
  UNIT_SOFTMAX
} unit_function;

/* The choices of an option. softmax is for the last layer alone. */
#define UNIT_FUNCTIONS "tanh|sigmoid|relu|linear"
#define UNIT_OUTPUT_FUNCTIONS UNIT_FUNCTIONS "|softmax"

/** What a unit can be: both 0 where that is any number. */
static inline void unit_function_range(unit_function function, double *lower, double *upper)
{
  const int is_bounded = function != UNIT_LINEAR;
  *lower = function == UNIT_TANH ? -1.0 : 0.0;
  *upper = !is_bounded ? 0.0 : function == UNIT_RELU ? (double)INFINITY : 1.0;
}

/** false: there is no such function. */
static inline int unit_function_named(const char *name, unit_function *function)
{
  static const char *const names[] = {"tanh", "sigmoid", "relu", "linear", "softmax"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    if (strcmp(name, names[i]) == 0) {
      *function = (unit_function)i;
      return 1;
    }
  }
  return 0;
}

/** Comparisons let NaN through. Softmax is normalised afterwards, by unit_softmax. */
PF_INLINE pf_real unit_value(unit_function function, pf_real v)
{
  switch (function) {
  case UNIT_TANH:
    return pf_tanh(v);
  case UNIT_SIGMOID:
    return pf_sigmoid(v);
  case UNIT_RELU:
    return v < (pf_real)0 ? (pf_real)0 : v;
  case UNIT_LINEAR:
  case UNIT_SOFTMAX:
    break;
  }
  return v;
}

/** f' from the value y = f(v). relu: 0 at 0; NaN stays NaN. Not for softmax: see unit_vjp. */
PF_INLINE pf_real unit_slope(unit_function function, pf_real y)
{
  const pf_real zero = (pf_real)0, one = (pf_real)1;
  switch (function) {
  case UNIT_TANH:
    return one - y * y;
  case UNIT_SIGMOID:
    return y * (one - y);
  case UNIT_RELU:
    if (y > zero) {
      return one;
    }
    return y <= zero ? zero : y;
  case UNIT_LINEAR:
  case UNIT_SOFTMAX:
    break;
  }
  return one;
}

/** y = softmax(v) of the n units of a step. */
PF_INLINE void unit_softmax(int64_t n, const pf_real *v, pf_real *y)
{
  double top = -INFINITY, sum = 0.0;
  for (int64_t i = 0; i < n; i++) {
    top = (double)v[i] > top || isnan(v[i]) ? (double)v[i] : top;
  }
  for (int64_t i = 0; i < n; i++) {
    sum += exp((double)v[i] - top);
  }
  for (int64_t i = 0; i < n; i++) {
    y[i] = (pf_real)(exp((double)v[i] - top) / sum);
  }
}

/** Sum of c y over the units of a step, which softmax takes off each c; 0 for other functions. */
PF_INLINE pf_real unit_softmax_mean(unit_function function, int64_t n, const pf_real *c,
                                    const pf_real *y)
{
  pf_real mean = (pf_real)0;
  if (function == UNIT_SOFTMAX) {
    for (int64_t i = 0; i < n; i++) {
      mean += c[i] * y[i];
    }
  }
  return mean;
}

/** Cotangent (or tangent) c of y, times f'. `mean`: of unit_softmax_mean. */
PF_INLINE pf_real unit_vjp(unit_function function, pf_real c, pf_real y, pf_real mean)
{
  return function == UNIT_SOFTMAX ? y * (c - mean) : c * unit_slope(function, y);
}

#endif
