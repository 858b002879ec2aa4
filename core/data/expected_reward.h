/*
 * Expected reward, E[R]: how it follows the rewards.
 *
 * A kind is a descriptor in a file of its own, expected_reward_<name>.c, and a line in
 * PF_EACH_EXPECTED_REWARD. One reward enters at a time, so that a running task and a recording
 * share the code.
 */
#ifndef PLASTFIT_CORE_DATA_EXPECTED_REWARD_H
#define PLASTFIT_CORE_DATA_EXPECTED_REWARD_H

#include "core/data/dataset.h"

/** Which kind, and the numbers of the kinds. */
typedef struct pf_expected_reward {
  uint32_t kind; /**< enum pf_expectation */
  int64_t n;     /**< window */
  double rate;   /**< exponential */
} pf_expected_reward;

/** `memory`: [max(how->n, 1)]. */
typedef struct pf_expectation_state {
  double *memory;
  int64_t n_seen;
  double value; /**< E[R] to read before the next reward enters; 0 at the start */
} pf_expectation_state;

typedef struct pf_expected_reward_kind {
  const char *name;
  void (*enter)(const pf_expected_reward *how, pf_expectation_state *state, double reward);
} pf_expected_reward_kind;

/** Every kind: its name in C and in the config. */
#define PF_EACH_EXPECTED_REWARD(ONE) ONE(window) ONE(exponential)

#define PF_EXPECTED_REWARD_NUMBER(name) PF_EXPECTATION_##name,
enum pf_expectation { PF_EACH_EXPECTED_REWARD(PF_EXPECTED_REWARD_NUMBER) PF_N_EXPECTATIONS };
#undef PF_EXPECTED_REWARD_NUMBER
#define PF_EXPECTED_REWARD_DECLARE(name) \
  extern const pf_expected_reward_kind pf_expected_reward_##name;
PF_EACH_EXPECTED_REWARD(PF_EXPECTED_REWARD_DECLARE)
#undef PF_EXPECTED_REWARD_DECLARE
/** "window|...", the choices of the config's key. */
#define PF_EXPECTED_REWARD_CHOICE(name) "|" #name
#define PF_EXPECTED_REWARD_CHOICES (&("" PF_EACH_EXPECTED_REWARD(PF_EXPECTED_REWARD_CHOICE))[1])

void pf_expectation_enter(const pf_expected_reward *how, pf_expectation_state *state,
                          double reward);
/** As at the start: a session begins. */
void pf_expectation_restart(const pf_expected_reward *how, pf_expectation_state *state);

/**
 * Adds the channel "expected_reward": at each step E[R] as read before that step's reward enters.
 * Steps with NaN reward do not enter; it starts anew where a session does. Data that bring a
 * channel of that name keep theirs. Then sets NaN rewards to 0, and no_reward there. Without a
 * channel "reward": does nothing.
 */
pf_status pf_recording_expect_reward(pf_recording *recording, const pf_expected_reward *how,
                                     pf_error *error);

#endif
