/* bench/by-hand/oja_by_header.c - plugins/rules/oja, which is written by hand, through the author's header. */
#define PF_RULE_NAME oja_by_header
#define PF_RULE_EQUATION "rate x y - decay y^2 w"
#define PF_RULE_THETA(P)                           \
  P(rate, "1", 0.1, -INFINITY, INFINITY, "of x y") \
  P(decay, "1", 0.1, -INFINITY, INFINITY, "of y^2 w")
#include <plastfit/abi/pf_synapse.h>

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
#include <plastfit/abi/pf_synapse_rule.h>
