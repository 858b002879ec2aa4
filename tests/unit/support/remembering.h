/*
 * A network and a rule for tests of the engine alone: everything that a network may declare and
 * that couples steps and rows, and traces of every kind. What they compute means nothing; their
 * derivatives are right.
 */
#ifndef PLASTFIT_TESTS_REMEMBERING_H
#define PLASTFIT_TESTS_REMEMBERING_H

#include "core/plugin/component.h"

enum { REMEMBERING_IN = 3, REMEMBERING_UNITS = 4, REMEMBERING_COUPLED = 3, REMEMBERING_OUT = 2 };
/** Normal numbers that its starting weights take. */
enum {
  REMEMBERING_NOISE = REMEMBERING_UNITS * REMEMBERING_IN + REMEMBERING_UNITS * REMEMBERING_UNITS +
                      REMEMBERING_UNITS * REMEMBERING_COUPLED +
                      REMEMBERING_COUPLED * REMEMBERING_UNITS +
                      REMEMBERING_COUPLED * REMEMBERING_IN + REMEMBERING_OUT * REMEMBERING_COUPLED
};

/**
 * Populations input, units (two state variables), coupled (units that see one another; one state
 * variable), output. Projections "in" input -> units, "back" units -> units of the step before,
 * "feedback" coupled -> units of the step before, "out" units -> coupled, "late" input of the step
 * before -> coupled, "read" coupled -> output. Parameters leak, gain, start (of states), scale (of
 * starting weights). Observables units, coupled, output.
 */
extern const pf_plugin remembering_network;
/** The same populations, stateless and row-separable: input -> units -> output, projections "in",
 * "read"; no parameter.
 */
extern const pf_plugin separable_network;

/**
 * Traces: n' = dn n + r per network, p' = dp p + x (1 + 0.1 r) per pre, q' = dq q + y + 0.1 dt per
 * post, e' = de e + p y + 0.1 w n per synapse; dw = ge e r + gq (x q + p y) + gn n w + gx x r. Seen
 * before, or after the step.
 */
extern const pf_plugin tracing_rule_before, tracing_rule_after;
enum { TRACING_PARAMETERS = 8 };

#endif
