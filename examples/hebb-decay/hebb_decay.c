/* hebb_decay.c - Hebb's rule with forgetting: dw = rate x y - decay w. */
#define PF_RULE_NAME hebb_decay
#define PF_RULE_EQUATION "rate x y - decay w"
#define PF_RULE_THETA(P)                          \
  P(rate, "1", 0.1, 0.0, INFINITY, "of learning") \
  P(decay, "1", 0.01, 0.0, INFINITY, "of forgetting, towards w = 0")
#include <plastfit/author/pf_synapse.h>

PF_DW(s, p)
{
  return p.rate * s.y * s.x - p.decay * s.w;
}

PF_DDW(s, p)
{
  return (pf_dsyn){
      .x = p.rate * s.y, .y = p.rate * s.x, .w = -p.decay, .rate = s.y * s.x, .decay = -s.w};
}
#include <plastfit/author/pf_synapse_rule.h>
