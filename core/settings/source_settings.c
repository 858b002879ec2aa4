#include "core/settings/source_settings.h"

#include <math.h>

pf_option_table pf_source_keys(void)
{
  static const pf_setting rows[] = {
#define PF_ROW_STRUCT pf_settings
      PF_ROW_INTEGER(animals, "animals", "1", "1", 1, 1e6, "how many animals a task simulates"),
      PF_ROW_REAL(input.mean, "input.mean", "1.0", "1", -INFINITY, INFINITY,
                  "x = mean * cue + sd * noise"),
      PF_ROW_REAL(input.sd, "input.sd", "0.0", "1", 0, INFINITY,
                  "of the noise on every input at every step"),
      PF_ROW_BOOL(learns_input_sd, "input.learn_sd", "false",
                  "input.sd is fitted, and starts as given: adds the parameter \"input_sd\"; with "
                  "likelihood = \"marginal\" (doc/unknown-inputs.md)"),
      PF_ROW_INTEGER(draws, "input.draws", "1", "1", 1, 1e6, "draws of the noise that a fit sees"),
      PF_ROW_TEXTS(input_channels, "input.channels", NULL,
                   "channels that are the inputs, in place of the data's cues; not of a task"),
      PF_ROW_CHOICE(expectation.kind, "expected_reward.kind", "\"window\"",
                    PF_EXPECTED_REWARD_CHOICES, "how E[R] follows reward"),
      PF_ROW_INTEGER(expectation.n, "expected_reward.n", "10", "rewards", 1, 1e6,
                     "window: mean of the last n, the queue starting as zeros"),
      PF_ROW_REAL(expectation.rate, "expected_reward.rate", "0.1", "1", 0, 1,
                  "exponential: e += rate * (reward - e)"),
#undef PF_ROW_STRUCT
#define PF_ROW_STRUCT pf_derived
      PF_ROW_NEEDED(name, "derive[].name", "a further channel, for modulators and inputs"),
      PF_ROW_NEEDED(
          of, "derive[].of",
          "the channel it is made from, or a sum of products of channels, their signs and "
          "comparisons: \"reward * sign(side)\", \"reward (arm == 2)\"; of lags also "
          "targets, such as choice"),
      PF_ROW_INTEGER(lag, "derive[].lag", NULL, "steps", 1, 1e9,
                     "its value so many steps before; 0 at the first steps of an experiment"),
      PF_ROW_INTEGER(lag_trials, "derive[].lag_trials", NULL, "trials", 1, 1e9,
                     "or its value at the last step of the trial so many trials before; 0 in the "
                     "first trials"),
      PF_ROW_INTEGER(difference, "derive[].difference", NULL, "steps", 1, 1e9,
                     "or its value minus that so many steps before; 0 at the first steps"),
      PF_ROW_CHOICE(zero_missing, "derive[].missing", "\"keep\"", "keep|zero",
                    "missing values stay missing, or become 0"),
      PF_ROW_BOOL(signed_by_cue, "derive[].signed_by_cue", "false",
                  "of lags: times -1 where the cue there (the largest input) was another than now"),
#undef PF_ROW_STRUCT
#define PF_ROW_STRUCT pf_settings
      PF_ROW_BOOL(sessions.persist, "sessions.persist", "false",
                  "an animal's experiments are its sessions: weights last from one to the next; "
                  "traces, state and E[R] start anew"),
      PF_ROW_INTEGER(sessions.count, "sessions.count", "1", "1", 1, 1e6,
                     "sessions that a task simulates for each animal"),
      PF_ROW_REAL(sessions.gap, "sessions.gap", "0.0", "h", 0, 1e9,
                  "time between sessions; data with a channel \"gap_hours\" say it themselves, at "
                  "each session's first step"),
      PF_ROW_BOOL(sessions.forget, "sessions.forget", "false",
                  "weights are forgotten over gaps, w exp(-rate gap): adds the parameter "
                  "\"forgetting\", the rate"),
      PF_ROW_REAL(sessions.rate, "sessions.rate", "0.0", "1/h", 0, INFINITY,
                  "where the fit of the rate starts"),
      PF_ROW_REAL(sessions.true_rate, "sessions.true_rate", "0.0", "1/h", 0, INFINITY,
                  "the teacher's rate"),
      PF_ROW_BOOL(give_inputs, "give.inputs", "false",
                  "a fit to simulated data sees the teacher's own inputs"),
      PF_ROW_BOOL(give_initial_weights, "give.initial_weights", "false",
                  "a fit to simulated data starts from the teacher's own weights"),
      PF_ROW_CHOICE(record.counts, "record.counts", NULL, "exp|softplus|identity",
                    "a task's activities are recorded as spike counts, Poisson with rate link(gain "
                    "activity + baseline)"),
      PF_ROW_REAL(record.gain, "record.gain", "1.0", "1", -INFINITY, INFINITY,
                  "of record.counts; a fitted `gain` of the loss poisson should find it"),
      PF_ROW_REAL(record.baseline, "record.baseline", "0.0", "1", -INFINITY, INFINITY,
                  "of record.counts, likewise"),
      PF_ROW_REAL(record.noise, "record.noise", "0.0", "1", 0, INFINITY,
                  "a task's activities are recorded with normal noise: its sd, as a share of each "
                  "unit's own sd"),
      PF_ROW_REAL(record.fraction, "record.fraction", "1.0", "1", 0, 1,
                  "which part of the units is recorded (at least one); the others are missing, "
                  "NaN"),
      PF_ROW_CHOICE(record.once, "record.units", "\"per_animal\"", "per_animal|once",
                    "the recorded units are drawn anew for every animal, or once for all"),
  };
  return PF_ROWS(rows);
}
