#include "core/base/memory.h"
#include "core/data/dataset.h"

#include <math.h>

void pf_expectation_enter(const pf_expected_reward *how, pf_expectation_state *state, double reward)
{
  if (how->kind == PF_EXPECTATION_EXPONENTIAL) {
    state->value += how->rate * (reward - state->value);
    return;
  }
  /* a ring of the last n rewards, zeros at first; summed anew so that no rounding piles up */
  state->memory[state->n_seen % how->n] = reward;
  state->n_seen++;
  double sum = 0.0;
  for (int64_t i = 0; i < how->n; i++) {
    sum += state->memory[(state->n_seen + i) % how->n];
  }
  state->value = sum / (double)how->n;
}

void pf_expectation_restart(const pf_expected_reward *how, pf_expectation_state *state)
{
  state->value = 0.0;
  state->n_seen = 0;
  for (int64_t i = 0; i < how->n; i++) {
    state->memory[i] = 0.0;
  }
}

/** E[R] before each step's reward enters. */
static pf_status add_expectation(pf_recording *recording, const double *reward,
                                 const pf_expected_reward *how, pf_error *error)
{
  double *expected = pf_memory_need((size_t)recording->n_steps, sizeof *expected, error);
  pf_expectation_state state = {
      .memory = pf_memory_need((size_t)(how->n > 0 ? how->n : 1), sizeof(double), error)};
  pf_status status = expected == NULL || state.memory == NULL ? PF_STOP : PF_OK;
  if (status == PF_OK) {
    for (int64_t t = 0; t < recording->n_steps; t++) {
      if ((recording->flags[t] & PF_STEP_NEW_SESSION) != 0) {
        pf_expectation_restart(how, &state);
      }
      expected[t] = state.value;
      if (!isnan(reward[t])) {
        pf_expectation_enter(how, &state, reward[t]);
      }
    }
    status = pf_recording_add_channel(recording, "expected_reward", expected, error);
  }
  pf_memory_free(state.memory);
  if (status != PF_OK) {
    pf_memory_free(expected);
  }
  return status;
}

pf_status pf_recording_expect_reward(pf_recording *recording, const pf_expected_reward *how,
                                     pf_error *error)
{
  double *reward = NULL;
  for (size_t i = 0; i < recording->n_channels; i++) {
    if (recording->channels[i].values == pf_recording_channel(recording, "reward")) {
      reward = recording->channels[i].values;
    }
  }
  if (reward == NULL) {
    return PF_OK;
  }
  pf_status status = pf_recording_channel(recording, "expected_reward") != NULL
                         ? PF_OK /* the data bring their own */
                         : add_expectation(recording, reward, how, error);
  if (status != PF_OK) {
    return status;
  }
  recording->no_reward =
      pf_memory_need((size_t)recording->n_steps, sizeof *recording->no_reward, error);
  if (recording->no_reward == NULL) {
    return PF_STOP;
  }
  for (int64_t t = 0; t < recording->n_steps; t++) {
    recording->no_reward[t] = (uint8_t)(isnan(reward[t]) ? 1 : 0);
    reward[t] = isnan(reward[t]) ? 0.0 : reward[t];
  }
  return PF_OK;
}
