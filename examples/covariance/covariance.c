/*
 * covariance.c - Sejnowski's covariance rule: dw = rate (x - mean_x) (y - mean_y).
 *
 * T. J. Sejnowski, "Storing covariance with nonlinearly interacting neurons", J. Math. Biol. 4,
 * 303-321 (1977).
 */
#define PF_RULE_NAME covariance
#define PF_RULE_EQUATION "rate (x - mean_x) (y - mean_y)"
#define PF_RULE_READS (PF_READS_PRE | PF_READS_POST)
#define PF_RULE_THETA(P)                                                                 \
  P(rate, "1", 0.1, 0.0, INFINITY, "of learning")                                        \
  P(mean_x, "activity", 0.5, -INFINITY, INFINITY, "presynaptic activity without effect") \
  P(mean_y, "activity", 0.5, -INFINITY, INFINITY, "postsynaptic activity without effect")
#include <plastfit/author/pf_synapse.h>

PF_DW(s, p)
{
  return p.rate * (s.y - p.mean_y) * (s.x - p.mean_x);
}

PF_DDW(s, p)
{
  return (pf_dsyn){.x = p.rate * (s.y - p.mean_y),
                   .y = p.rate * (s.x - p.mean_x),
                   .rate = (s.y - p.mean_y) * (s.x - p.mean_x),
                   .mean_x = -p.rate * (s.y - p.mean_y),
                   .mean_y = -p.rate * (s.x - p.mean_x)};
}
#include <plastfit/author/pf_synapse_rule.h>
