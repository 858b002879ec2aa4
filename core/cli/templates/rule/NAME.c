/*
 * @NAME@ - how a synapse changes:
 *
 *     dw = rate x r - decay w
 *
 * Edit PF_RULE_THETA, PF_DW, PF_DDW, and the truth's parameters in @NAME@.cfg, then
 *
 *     make && plastfit check ./@NAME@.so && plastfit fit --trust @NAME@.cfg
 */
#define PF_RULE_NAME @NAME@
/* as text; a fit prints it with numbers in place of the parameters' names */
#define PF_RULE_EQUATION "rate x r - decay w"

/* name, unit, where a fit starts, lower bound, upper bound, what it is */
#define PF_RULE_THETA(P)                                            \
  P(rate, "1", 0.1, -INFINITY, INFINITY, "of learning from reward") \
  P(decay, "1", 0.01, -INFINITY, INFINITY, "of forgetting")

/* name, the channels it is made of unless the config says otherwise */
#define PF_RULE_MODULATORS(M) M(r, "reward - expected_reward")

#include <plastfit/author/pf_synapse.h>

/* The change of one synapse. s.x: presynaptic activity, s.y: postsynaptic, s.w: the weight,
 * s.r: the modulator; p.rate: a parameter. Functions: pf_exp, pf_log, pf_tanh, pf_sqrt, pf_abs,
 * pf_min, pf_max, pf_step. */
PF_DW(s, p)
{
  return p.rate * s.r * s.x - p.decay * s.w;
}

/* Its derivatives by x, y, w and each parameter; one that is left out is 0. */
PF_DDW(s, p)
{
  return (pf_dsyn){
      .x = p.rate * s.r,
      .w = -p.decay,
      .rate = s.r * s.x,
      .decay = -s.w,
  };
}

#include <plastfit/author/pf_synapse_rule.h>
