/* e += rate * (reward - e), e starting at 0. */
#include "core/data/expected_reward.h"

static void enter_reward(const pf_expected_reward *how, pf_expectation_state *state, double reward)
{
  state->value += how->rate * (reward - state->value);
}

const pf_expected_reward_kind pf_expected_reward_exponential = {.name = "exponential",
                                                                .enter = enter_reward};
