#include "core/data/expected_reward.h"

#include "core/base/memory.h"

#include <math.h>

#define ADDRESS(name) &pf_expected_reward_##name,
static const pf_expected_reward_kind *const kinds[] = {PF_EACH_EXPECTED_REWARD(ADDRESS)};
#undef ADDRESS

void pf_expectation_enter(const pf_expected_reward *how, pf_expectation_state *state, double reward)
{
  kinds[how->kind]->enter(how, state, reward);
}

void pf_expectation_restart(const pf_expected_reward *how, pf_expectation_state *state)
{
  state->value = 0.0;
  state->n_seen = 0;
  for (int64_t i = 0; i < how->n; i++) {
    state->memory[i] = 0.0;
  }
}

/** expected [n_steps]: E[R] before each step's reward enters. */
static pf_status follow_rewards(const pf_recording *recording, const double *reward,
                                const pf_expected_reward *how, double *expected, pf_error *error)
{
  pf_expectation_state state = {
      .memory = pf_memory_need((size_t)(how->n > 0 ? how->n : 1), sizeof(double), error)};
  if (state.memory == NULL) {
    return PF_STOP;
  }
  for (int64_t t = 0; t < recording->n_steps; t++) {
    if ((recording->flags[t] & PF_STEP_NEW_SESSION) != 0) {
      pf_expectation_restart(how, &state);
    }
    expected[t] = state.value;
    if (!isnan(reward[t])) {
      pf_expectation_enter(how, &state, reward[t]);
    }
  }
  pf_memory_free(state.memory);
  return PF_OK;
}

static pf_status add_expected_reward(pf_recording *recording, const double *reward,
                                     const pf_expected_reward *how, pf_error *error)
{
  double *expected = pf_memory_need((size_t)recording->n_steps, sizeof *expected, error);
  if (expected == NULL) {
    return PF_STOP;
  }
  if (follow_rewards(recording, reward, how, expected, error) != PF_OK ||
      pf_recording_add_channel(recording, "expected_reward", expected, error) != PF_OK) {
    pf_memory_free(expected);
    return PF_STOP;
  }
  return PF_OK;
}

/** The values of the channel "reward", NULL: there is none. */
static double *find_reward(pf_recording *recording)
{
  const double *reward = pf_recording_channel(recording, "reward");
  for (size_t i = 0; i < recording->n_channels; i++) {
    if (recording->channels[i].values == reward) {
      return recording->channels[i].values;
    }
  }
  return NULL;
}

pf_status pf_recording_expect_reward(pf_recording *recording, const pf_expected_reward *how,
                                     pf_error *error)
{
  double *reward = find_reward(recording);
  if (reward == NULL) {
    return PF_OK;
  }
  const bool there = pf_recording_channel(recording, "expected_reward") != NULL;
  if (!there && add_expected_reward(recording, reward, how, error) != PF_OK) {
    return PF_STOP;
  }
  uint8_t *missing = pf_memory_need((size_t)recording->n_steps, sizeof *missing, error);
  if (missing == NULL) {
    return PF_STOP;
  }
  recording->no_reward = missing;
  for (int64_t t = 0; t < recording->n_steps; t++) {
    missing[t] = (uint8_t)(isnan(reward[t]) ? 1 : 0);
    reward[t] = isnan(reward[t]) ? 0.0 : reward[t];
  }
  return PF_OK;
}
