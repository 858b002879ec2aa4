#include "core/sensitivity/derivatives_words.h"

#include "core/sensitivity/sensitivity.h"

const char *pf_derivatives_words(uint32_t derivatives)
{
  if ((derivatives & PF_TANGENT_TRAJECTORY_DIFFERENCES) != 0) {
    return "central differences of whole trajectories";
  }
  if ((derivatives & PF_TANGENT_RULE_DIFFERENCES) != 0) {
    return "central differences of the rule (it has no jvp)";
  }
  return (derivatives & PF_TANGENT_NETWORK_DIFFERENCES) != 0 ? "central differences of the network"
                                                             : "exact";
}
