/*
 * plugins/rules/oja/oja.c - Oja's rule: dw_ij = rate x_j y_i - decay y_i^2 w_ij.
 *
 * E. Oja, "A simplified neuron model as a principal component analyzer", J. Math. Biol. 15, 267-273
 * (1982). Through the author's header, like a rule of your own; bench/author compares it with the
 * same rule written by hand.
 */
#define PF_RULE_NAME oja
#define PF_RULE_EQUATION "rate x y - decay y^2 w"
#define PF_RULE_THETA(P)                                                  \
  P(rate, "1", 0.1, -INFINITY, INFINITY, "of the Hebbian part, x y", 1.0) \
  P(decay, "1", 0.1, -INFINITY, INFINITY, "of the forgetting part, y^2 w", 1.0)
#define PF_RULE_READS (PF_READS_PRE | PF_READS_POST | PF_READS_WEIGHT)
#include <plastfit/author/pf_synapse.h>

PF_DW(s, p)
{
  return p.rate * s.y * s.x - p.decay * s.y * s.y * s.w;
}

PF_DDW(s, p)
{
  return (pf_dsyn){.x = p.rate * s.y,
                   .y = p.rate * s.x - 2 * p.decay * s.y * s.w,
                   .w = -p.decay * s.y * s.y,
                   .rate = s.y * s.x,
                   .decay = -s.y * s.y * s.w};
}
#include <plastfit/author/pf_synapse_rule.h>
