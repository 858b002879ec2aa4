/*
 * plugins/rules/common/time_constant.h - a trace that decays: e <- k e + scale x, k = exp(-dt /
 * tau).
 *
 * tau is in ms where the data have a time axis, else in steps (dt = 0 stands for one step).
 */
#ifndef PLASTFIT_RULES_TIME_CONSTANT_H
#define PLASTFIT_RULES_TIME_CONSTANT_H

#include <plastfit/abi/rule.h>
#include <plastfit/author/simd.h>

#include <math.h>

typedef struct rule_decay {
  double left;  /**< k */
  double slope; /**< dk / dtau = dt / tau^2 k */
} rule_decay;

/** A time constant of 0 or less has no such trace: PF_POINT_FAILED, another tau may do. */
static inline pf_status rule_decay_of(const char *name, double tau, double dt, rule_decay *out,
                                      pf_error *error)
{
  const double step = dt > 0.0 ? dt : 1.0;
  if (!(tau > 0.0)) {
    return pf_fail(error, PF_POINT_FAILED, "the time constant %s is %g; it must be above 0 %s",
                   name, tau, dt > 0.0 ? "ms" : "steps");
  }
  out->left = exp(-step / tau);
  out->slope = out->left > 0.0 ? step / tau / tau * out->left : 0.0;
  return PF_OK;
}

/** next = left e + scale x, n of them. */
PF_INLINE void rule_trace_update(int64_t n, pf_real left, const pf_real *e, pf_real scale,
                                 const pf_real *x, pf_real *next)
{
#pragma omp simd
  for (int64_t j = 0; j < n; j++) {
    next[j] = left * e[j] + scale * x[j];
  }
}

/** Gradients of n traces and of what enters them; NULL: not wanted. */
typedef struct rule_trace_gradient {
  pf_real *e, *x;
} rule_trace_gradient;

/** Adjoint of rule_trace_update, with c the cotangent of `next`. Returns the derivative by `left`.
 */
PF_INLINE double rule_trace_vjp(int64_t n, pf_real left, const pf_real *e, pf_real scale,
                                const pf_real *c, rule_trace_gradient to)
{
  double d_left = 0.0;
#pragma omp simd reduction(+ : d_left)
  for (int64_t j = 0; j < n; j++) {
    d_left += (double)(c[j] * e[j]);
  }
  if (to.e != NULL) {
    for (int64_t j = 0; j < n; j++) {
      to.e[j] += left * c[j];
    }
  }
  if (to.x != NULL) {
    for (int64_t j = 0; j < n; j++) {
      to.x[j] += scale * c[j];
    }
  }
  return d_left;
}

/** Tangents of rule_trace_update with scale 1, along tau', e' and x', n of them; NULL: 0. */
PF_INLINE void rule_trace_jvp(int64_t n, const rule_decay *k, double tau_dot, const pf_real *e,
                              const pf_real *e_dot, const pf_real *x_dot, pf_real *next)
{
  const pf_real left = (pf_real)k->left, slope = (pf_real)(k->slope * tau_dot);
#pragma omp simd
  for (int64_t j = 0; j < n; j++) {
    next[j] = slope * e[j];
  }
  if (e_dot != NULL) {
#pragma omp simd
    for (int64_t j = 0; j < n; j++) {
      next[j] += left * e_dot[j];
    }
  }
  if (x_dot != NULL) {
#pragma omp simd
    for (int64_t j = 0; j < n; j++) {
      next[j] += x_dot[j];
    }
  }
}

/** Where direction k of a tangent begins; NULL: it does not move. */
static inline const pf_real *rule_plane(const pf_real *planes, int64_t at)
{
  return planes == NULL ? NULL : planes + at;
}

#endif
