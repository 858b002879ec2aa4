/*
 * Recorded data as the host keeps them: copies of what a source handed over,
 * checked, with the channels that the host derives.
 */
#ifndef PLASTFIT_CORE_DATA_DATASET_H
#define PLASTFIT_CORE_DATA_DATASET_H

#include <plastfit/abi/experiment.h>
#include <stdbool.h>

/** A named scalar per step. */
typedef struct pf_series {
  char *name;
  double *values; /**< [n_steps] */
} pf_series;

/** What was recorded under one name. */
typedef struct pf_record {
  char *name;
  int64_t n;
  double *values; /**< [n_steps][n], NaN where missing */
} pf_record;

/** One experiment. Owns everything. */
typedef struct pf_recording {
  char *animal, *session, *name;
  size_t animal_index;
  /* places in the data as read, which random numbers go by: they stay when only a part is looked at
   * (pf_problem_subset)
   */
  size_t number;        /**< of the recording */
  size_t animal_number; /**< of its animal */
  size_t experiment;    /**< of the recording among those of its animal */
  int64_t n_steps, n_input;
  double *cue;     /**< [n_steps][n_input] */
  uint32_t *flags; /**< [n_steps] */
  double *dt;      /**< [n_steps], ms, or NULL */
  double *gap;     /**< [n_steps] hours since the step before, 0 within a session; NULL: no gaps */
  int64_t *trial, *block;          /**< [n_steps] */
  int64_t n_trials, longest_trial; /**< for normalise = "padded" */
  pf_series *channels;
  size_t n_channels;
  uint8_t *no_reward; /**< [n_steps] 1: the reward was missing (none could come); NULL: no channel
                         "reward" */
  pf_record *targets;
  size_t n_targets;
  /* the truth, where the data were simulated */
  double *true_input; /**< [n_steps][n_input] x as the teacher saw it, or NULL */
  double *true_noise; /**< [n_true_noise] behind the teacher's initial weights, or NULL */
  int64_t n_true_noise;
} pf_recording;

typedef struct pf_dataset {
  pf_recording *recordings;
  size_t n, capacity;
  char **animals; /**< names in order of first appearance */
  size_t n_animals;
} pf_dataset;

/** Copy and check an experiment (finite cues, flags, trials not decreasing, lengths) and append it.
 */
pf_status pf_dataset_add(pf_dataset *data, const pf_experiment *experiment, pf_error *error);
void pf_dataset_free(pf_dataset *data);
/** Remove recording i, and its animal where it was the only one. */
void pf_dataset_remove(pf_dataset *data, size_t i);
/**
 * Make every animal's recordings one, in their order: sessions of a run in which weights last,
 * PF_STEP_NEW_SESSION at the first step of each but the first. Channels and targets must be the
 * same in all. Hours between sessions: the channel "gap_hours" at a session's first step, else
 * `gap`.
 */
pf_status pf_dataset_chain(pf_dataset *data, double gap, pf_error *error);
/** The recording of most steps, the first of several; data->n MUST NOT be 0. */
const pf_recording *pf_dataset_longest(const pf_dataset *data);

const double *pf_recording_channel(const pf_recording *recording, const char *name); /**< or NULL */
const pf_record *pf_recording_target(const pf_recording *recording,
                                     const char *name); /**< or NULL */
/** Adds a channel, taking over `values` (allocated with pf_memory_*) on success. */
pf_status pf_recording_add_channel(pf_recording *recording, const char *name, double *values,
                                   pf_error *error);

/** How expected reward is derived from reward. */
enum pf_expectation { PF_EXPECTATION_WINDOW = 0, PF_EXPECTATION_EXPONENTIAL = 1 };
typedef struct pf_expected_reward {
  uint32_t kind;
  int64_t n;   /**< window: mean of the last n rewards, the queue starting as n zeros */
  double rate; /**< exponential: e += rate * (reward - e), e starting at 0 */
} pf_expected_reward;

/** One reward enters at a time, so that a running task and a recording share the code. `memory`:
 * [max(n, 1)]. */
typedef struct pf_expectation_state {
  double *memory;
  int64_t n_seen;
  double value; /**< E[R] to read before the next reward enters */
} pf_expectation_state;
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

/**
 * A channel made from another: its value `lag` steps before, or at the last step of the trial
 * `lag_trials` trials before, or its change over `difference` steps. Lags may also be of a target
 * of one column (an earlier choice).
 */
typedef struct pf_derived {
  char *name, *of;
  int64_t lag, difference, lag_trials; /**< one of them is >= 1, the others 0 */
  bool signed_by_cue; /**< of lags: times -1 where that step's cue was another than this one's */
} pf_derived;
/**
 * Adds the channels, in order, so that one may be made from another before it. The first steps of
 * the experiment, and of each session in it, which have nothing that far back, get 0. Missing
 * values stay missing.
 */
pf_status pf_recording_derive(pf_recording *recording, const pf_derived *derived, size_t n,
                              pf_error *error);
/**
 * Makes the channels the recording's inputs, in place of its cues. A value that is missing is
 * refused, with the step. Does nothing where `channels` is empty.
 */
pf_status pf_recording_input_channels(pf_recording *recording, pf_names channels, pf_error *error);
/** Which cue a step has: the index of its largest input, the first of several. */
int64_t pf_recording_cue(const pf_recording *recording, int64_t step);

/** A linear expression of channels: c0 + sum c_k channel_k, e.g. "reward - 0.5 expected_reward". */
typedef struct pf_linear {
  double constant;
  size_t n;
  char **names;
  double *factors;
} pf_linear;
/** Parse; the line points at the column. `known`: channel names that exist (unknown: error with the
 * nearest). */
pf_status pf_linear_parse(const char *text, pf_names known, pf_linear *out, pf_error *error);
void pf_linear_free(pf_linear *linear);
/** Value with channel values in the order of linear->names. */
double pf_linear_value(const pf_linear *linear, const double *values);

#endif
