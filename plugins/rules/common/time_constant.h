/*
 * plugins/rules/common/time_constant.h - how much of a trace is left after a step: k = exp(-dt /
 * tau).
 *
 * tau is in ms where the data have a time axis, else in steps (dt = 0 stands for one step).
 */
#ifndef PLASTFIT_RULES_TIME_CONSTANT_H
#define PLASTFIT_RULES_TIME_CONSTANT_H

#include <plastfit/abi/rule.h>

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

#endif
