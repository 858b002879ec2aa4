/*
 * plugins/rules/common/traced_synapse.h - what a rule of traced_rule.h sees of one synapse, and the
 * partial derivatives that it says. A trace is seen as it is kept; the rule decays it.
 */
#ifndef PLASTFIT_RULES_TRACED_SYNAPSE_H
#define PLASTFIT_RULES_TRACED_SYNAPSE_H

#include <plastfit/abi/plugin.h>

#include "rule_common.h"
#include "time_constant.h"

/** A parameter without a unit and without bounds. */
#define TRACED_FREE(name_, initial_, value_, help_)                                       \
  {                                                                                       \
    .name = name_, .unit = "1", .initial = initial_, .value = value_, .lower = -INFINITY, \
    .upper = INFINITY, .help = help_                                                      \
  }
/** The time constant of a trace. */
#define TRACED_TIME_CONSTANT(name_, value_, help_)                                                \
  {                                                                                               \
    .name = name_, .unit = "ms", .initial = value_, .value = value_, .lower = 0.01, .upper = 1e7, \
    .help = help_ "; in steps where the data have no time axis"                                   \
  }

typedef struct traced_synapse {
  const double *theta;
  double x, y, w;
  double pre[TRACED_PRE], post[TRACED_POST];
  rule_decay decay[TRACED_PRE + TRACED_POST]; /**< of the traces, presynaptic ones first */
  double step;                                /**< length of the step in s; 1 without a time axis */
} traced_synapse;

/** Of one number, by each that it depends on; those not set are 0. */
typedef struct traced_partials {
  double x, y, w, pre[TRACED_PRE], post[TRACED_POST], theta[TRACED_THETA];
} traced_partials;

/** Decays of all traces from their time constants, theta[tau[k]]. */
static inline pf_status traced_decays(const pf_block *in, const pf_parameter *parameters,
                                      const int *tau, traced_synapse *out, pf_error *error)
{
  out->theta = in->theta;
  out->step = in->dt > 0.0 ? in->dt / 1000.0 : 1.0;
  for (int k = 0; k < TRACED_PRE + TRACED_POST; k++) {
    const pf_status status =
        rule_decay_of(parameters[tau[k]].name, in->theta[tau[k]], in->dt, &out->decay[k], error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

#endif
