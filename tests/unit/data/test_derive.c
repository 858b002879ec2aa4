/* core/data: lags, differences, and expected reward that the data bring themselves. */
#include "core/base/memory.h"
#include "core/data/dataset.h"
#include "core/data/derive.h"
#include "core/data/expected_reward.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { N = 5 };

static pf_dataset data;
static pf_error error;

static void make(const char *extra, const double *values)
{
  static const double cue[N] = {1, 1, 1, 1, 1};
  static const double choice[N] = {1, 0, 1, 1, 0};
  static const double reward[N] = {1, (double)NAN, 0.5, 0, (double)NAN};
  const pf_channel channels[] = {{"reward", reward}, {extra, values}};
  const pf_target targets[] = {{"choice", 1, choice}};
  const pf_experiment experiment = {
      .size = sizeof experiment,
      .animal = "a",
      .name = "own.csv: a",
      .n_steps = N,
      .n_input = 1,
      .cue = cue,
      .channels = {channels, extra == NULL ? 1 : 2, sizeof channels[0]},
      .targets = {targets, 1, sizeof targets[0]}};
  const pf_expected_reward how = {.kind = PF_EXPECTATION_window, .n = 2};
  error = pf_error_none();
  cr_assert(pf_dataset_add(&data, &experiment, &error) == PF_OK, "%s", error.text);
  cr_assert(pf_recording_expect_reward(&data.recordings[0], &how, &error) == PF_OK, "%s",
            error.text);
}

static void clear(void)
{
  pf_dataset_free(&data);
}

TestSuite(data_derive, .fini = clear);

static void expect_channel(const char *name, const double *expected)
{
  const double *found = pf_recording_channel(&data.recordings[0], name);
  cr_assert(found != NULL, "no channel %s", name);
  for (int t = 0; t < N; t++) {
    cr_expect(found[t] == expected[t] || (isnan(found[t]) && isnan(expected[t])),
              "%s[%d]: found %g, expected %g", name, t, found[t], expected[t]);
  }
}

Test(data_derive, lags_and_differences)
{
  static const double novelty[N] = {3, 5, (double)NAN, 11, 20};
  make("novelty", novelty);
  const pf_derived derived[] = {{.name = "before", .of = "novelty", .lag = 1},
                                {.name = "long_before", .of = "novelty", .lag = 7},
                                {.name = "change", .of = "novelty", .difference = 2},
                                {.name = "last_reward", .of = "reward", .lag = 2},
                                {.name = "of_derived", .of = "before", .lag = 1}};
  cr_assert(pf_recording_derive(&data.recordings[0], derived, 5, &error) == PF_OK, "%s",
            error.text);
  expect_channel("before", (const double[N]){0, 3, 5, (double)NAN, 11});
  expect_channel("long_before", (const double[N]){0, 0, 0, 0, 0});
  expect_channel("change", (const double[N]){0, 0, (double)NAN, 6, (double)NAN});
  expect_channel("last_reward", (const double[N]){0, 0, 1, 0, 0.5});
  expect_channel("of_derived", (const double[N]){0, 0, 3, 5, (double)NAN});
}

/* choice 1 0 1 1 0; reward 1 0 .5 0 0, 0 where none could come */
Test(data_derive, products_of_channels_and_of_earlier_choices)
{
  static const double side[N] = {1, -1, (double)NAN, 1, 1};
  make("side", side);
  const pf_derived derived[] = {
      {.name = "now", .of = "reward * side"},
      {.name = "paid", .of = "side reward (choice == 1)", .lag = 1},
      {.name = "paid0", .of = "side reward (choice == 1)", .lag = 1, .zero_missing = 1},
      {.name = "took", .of = "(choice == 1)", .lag = 1}};
  cr_assert(pf_recording_derive(&data.recordings[0], derived, 4, &error) == PF_OK, "%s",
            error.text);
  expect_channel("now", (const double[N]){1, 0, (double)NAN, 0, 0});
  expect_channel("paid", (const double[N]){0, 1, 0, (double)NAN, 0});
  expect_channel("paid0", (const double[N]){0, 1, 0, 0, 0});
  expect_channel("took", (const double[N]){0, 1, 0, 1, 1});
  const pf_derived leak = {.name = "leak", .of = "reward * choice"};
  cr_expect(pf_recording_derive(&data.recordings[0], &leak, 1, &error) == PF_STOP);
  cr_expect(strstr(error.text, "there is no channel 'choice'") != NULL, "%s", error.text);
}

Test(data_derive, no_such_channel)
{
  make(NULL, NULL);
  const pf_derived derived[] = {{.name = "before", .of = "rewrad", .lag = 1}};
  cr_expect(pf_recording_derive(&data.recordings[0], derived, 1, &error) == PF_STOP);
  cr_expect(strstr(error.text, "no channel 'rewrad'") != NULL &&
                strstr(error.text, "did you mean 'reward'?") != NULL,
            "%s", error.text);
}

Test(data_derive, a_name_that_is_there_already)
{
  make(NULL, NULL);
  const pf_derived derived[] = {{.name = "reward", .of = "reward", .lag = 1}};
  cr_expect(pf_recording_derive(&data.recordings[0], derived, 1, &error) == PF_STOP);
  cr_expect(strstr(error.text, "two channels named 'reward'") != NULL, "%s", error.text);
}

Test(data_derive, where_no_reward_could_come_is_remembered)
{
  make(NULL, NULL);
  const pf_recording *recording = &data.recordings[0];
  cr_assert(recording->no_reward != NULL);
  cr_expect(memcmp(recording->no_reward, (const uint8_t[N]){0, 1, 0, 0, 1}, N) == 0);
  expect_channel("reward", (const double[N]){1, 0, 0.5, 0, 0});
  expect_channel("expected_reward", (const double[N]){0, 0.5, 0.5, 0.75, 0.25});
}

Test(data_derive, data_may_bring_their_own_expected_reward)
{
  static const double own[N] = {9, 8, 7, 6, 5};
  make("expected_reward", own);
  expect_channel("expected_reward", own);
  expect_channel("reward", (const double[N]){1, 0, 0.5, 0, 0});
}

/* Two odours, trials that end at an accept, two sessions: what was chosen and paid so many trials
 * ago, + of the odour that is there now, - of the other. By hand. */
enum { LONG = 9 };

static void make_trials(void)
{
  static const double cue[2 * LONG] = {1, 0, 0, 1, 0, 1, 1, 0, 0, 1, 0, 1, 1, 0, 0, 1, 1, 0};
  static const double choice[LONG] = {0, 1, 0, 1, 1, 0, 1, 1, 0};
  static const double reward[LONG] = {(double)NAN, 3,  (double)NAN, 5,          7,
                                      (double)NAN, 11, 13,          (double)NAN};
  static const int64_t trial[LONG] = {0, 0, 1, 1, 2, 3, 3, 4, 5};
  static const uint32_t flags[LONG] = {
      PF_STEP_FIT, PF_STEP_FIT, PF_STEP_FIT, PF_STEP_FIT, PF_STEP_FIT | PF_STEP_NEW_SESSION,
      PF_STEP_FIT, PF_STEP_FIT, PF_STEP_FIT, PF_STEP_FIT};
  const pf_channel channels[] = {{"reward", reward}};
  const pf_target targets[] = {{"choice", 1, choice}};
  const pf_experiment experiment = {.size = sizeof experiment,
                                    .animal = "a",
                                    .name = "own.csv: a",
                                    .n_steps = LONG,
                                    .n_input = 2,
                                    .cue = cue,
                                    .trial = trial,
                                    .channels = {channels, 1, sizeof channels[0]},
                                    .targets = {targets, 1, sizeof targets[0]}};
  const pf_expected_reward how = {.kind = PF_EXPECTATION_window, .n = 2};
  error = pf_error_none();
  cr_assert(pf_dataset_add(&data, &experiment, &error) == PF_OK, "%s", error.text);
  for (int t = 0; t < LONG; t++) {
    data.recordings[0].flags[t] |= flags[t];
  }
  cr_assert(pf_recording_expect_reward(&data.recordings[0], &how, &error) == PF_OK, "%s",
            error.text);
}

Test(data_derive, lags_in_trials)
{
  make_trials();
  const pf_derived derived[] = {
      {.name = "r1", .of = "reward", .lag_trials = 1, .signed_by_cue = true},
      {.name = "r2", .of = "reward", .lag_trials = 2},
      {.name = "c1", .of = "choice", .lag_trials = 1, .signed_by_cue = true},
      {.name = "c", .of = "choice", .lag = 1},
  };
  const double expected[4][LONG] = {{0, 0, 3, -3, 0, 7, -7, -11, -13},
                                    {0, 0, 0, 0, 0, 0, 0, 7, 11},
                                    {0, 0, 1, -1, 0, 1, -1, -1, -1},
                                    {0, 0, 1, 0, 0, 1, 0, 1, 1}};
  pf_recording *recording = &data.recordings[0];
  cr_assert(pf_recording_derive(recording, derived, 4, &error) == PF_OK, "%s", error.text);
  for (int k = 0; k < 4; k++) {
    const double *found = pf_recording_channel(recording, derived[k].name);
    for (int t = 0; t < LONG; t++) {
      cr_expect(found[t] == expected[k][t], "%s[%d]: found %g, expected %g", derived[k].name, t,
                found[t], expected[k][t]);
    }
  }
  static const char *const inputs[] = {"c1", "r2", "r1"};
  cr_assert(pf_recording_input_channels(recording, (pf_names){inputs, 3}, &error) == PF_OK, "%s",
            error.text);
  cr_assert(recording->n_input == 3);
  for (int t = 0; t < LONG; t++) {
    cr_expect(recording->cue[3 * t] == expected[2][t] &&
              recording->cue[3 * t + 1] == expected[1][t] &&
              recording->cue[3 * t + 2] == expected[0][t]);
  }
}

Test(data_derive, a_difference_of_choices_would_see_the_answer)
{
  make(NULL, NULL);
  const pf_derived derived[] = {{.name = "change", .of = "choice", .difference = 1}};
  cr_expect(pf_recording_derive(&data.recordings[0], derived, 1, &error) == PF_STOP);
  cr_expect(strstr(error.text, "no channel 'choice'") != NULL, "%s", error.text);
}

Test(data_derive, inputs_must_be_there_at_every_step)
{
  static const double novelty[N] = {3, 5, (double)NAN, 11, 20};
  static const char *const inputs[] = {"reward", "novelty"}, *const wrong[] = {"noveltie"};
  make("novelty", novelty);
  cr_expect(pf_recording_input_channels(&data.recordings[0], (pf_names){inputs, 2}, &error) ==
            PF_STOP);
  cr_expect(strstr(error.text, "step 3: novelty is missing") != NULL, "%s", error.text);
  error = pf_error_none();
  cr_expect(pf_recording_input_channels(&data.recordings[0], (pf_names){wrong, 1}, &error) ==
            PF_STOP);
  cr_expect(strstr(error.text, "did you mean 'novelty'?") != NULL, "%s", error.text);
  cr_expect(pf_recording_input_channels(&data.recordings[0], (pf_names){NULL, 0}, &error) == PF_OK);
  cr_expect(data.recordings[0].n_input == 1);
}
