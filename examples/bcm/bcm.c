/*
 * bcm.c - Bienenstock, Cooper & Munro's rule with a fixed modification threshold:
 *
 *     dw = rate x y (y - threshold) - decay w
 *
 * E. L. Bienenstock, L. N. Cooper & P. W. Munro, "Theory for the development of neuron
 * selectivity", J. Neurosci. 2, 32-48 (1982): phi(y) x - epsilon w, with the simplest phi that
 * changes its sign at the threshold.
 */
#define PF_RULE_NAME bcm
#define PF_RULE_SUMMARY "dw = rate x y (y - threshold) - decay w"
#define PF_RULE_EQUATION "rate x y (y - threshold) - decay w"
#define PF_RULE_THETA(P)                                                                         \
  P(rate, "1", 0.1, 0.0, INFINITY, "of learning")                                                \
  P(threshold, "activity", 0.5, -INFINITY, INFINITY, "of y: depression turns into potentiation") \
  P(decay, "1", 0.01, 0.0, INFINITY, "of forgetting, towards w = 0")
#include <plastfit/author/pf_synapse.h>

PF_DW(s, p)
{
  return p.rate * s.y * (s.y - p.threshold) * s.x - p.decay * s.w;
}

/* C multiplies from left to right: what is the same along a row (p, s.y, modulators) first, s.x and
 * s.w last, and the compiler takes the former out of the loop. */
PF_DDW(s, p)
{
  return (pf_dsyn){.x = p.rate * s.y * (s.y - p.threshold),
                   .y = p.rate * (2 * s.y - p.threshold) * s.x,
                   .w = -p.decay,
                   .rate = s.y * (s.y - p.threshold) * s.x,
                   .threshold = -p.rate * s.y * s.x,
                   .decay = -s.w};
}
#include <plastfit/author/pf_synapse_rule.h>
