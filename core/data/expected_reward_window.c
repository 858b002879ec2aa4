/* The mean of the last n rewards, the queue starting as n zeros. */
#include "core/data/expected_reward.h"

static void enter_reward(const pf_expected_reward *how, pf_expectation_state *state, double reward)
{
  /* a ring of the last n; summed anew so that no rounding piles up */
  state->memory[state->n_seen % how->n] = reward;
  state->n_seen++;
  double sum = 0.0;
  for (int64_t i = 0; i < how->n; i++) {
    sum += state->memory[(state->n_seen + i) % how->n];
  }
  state->value = sum / (double)how->n;
}

const pf_expected_reward_kind pf_expected_reward_window = {.name = "window", .enter = enter_reward};
