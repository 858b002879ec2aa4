/*
 * anti_hebbian.c - activity together weakens a synapse, with a bound on how far: dw = -rate x y +
 * decay (rest - w).
 *
 * After P. Foldiak, "Forming sparse representations by local anti-Hebbian learning", Biol. Cybern.
 * 64, 165-170 (1990).
 */
#define PF_RULE_NAME anti_hebbian
#define PF_RULE_EQUATION "-rate x y + decay (rest - w)"
#define PF_RULE_THETA(P)                                      \
  P(rate, "1", 0.1, 0.0, INFINITY, "of depression")           \
  P(decay, "1", 0.05, 0.0, INFINITY, "of the return to rest") \
  P(rest, "weight", 0.1, -INFINITY, INFINITY, "weight of a synapse at rest")
#include <plastfit/author/pf_synapse.h>

PF_DW(s, p)
{
  return -p.rate * s.y * s.x + p.decay * (p.rest - s.w);
}

PF_DDW(s, p)
{
  return (pf_dsyn){.x = -p.rate * s.y,
                   .y = -p.rate * s.x,
                   .w = -p.decay,
                   .rate = -s.y * s.x,
                   .decay = p.rest - s.w,
                   .rest = p.decay};
}
#include <plastfit/author/pf_synapse_rule.h>
