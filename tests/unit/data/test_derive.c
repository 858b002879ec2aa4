/* core/data: lags, differences, and expected reward that the data bring themselves. */
#include "core/base/memory.h"
#include "core/data/dataset.h"

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
  const pf_experiment experiment = {.size = sizeof experiment,
                                    .animal = "a",
                                    .name = "own.csv: a",
                                    .n_steps = N,
                                    .n_input = 1,
                                    .cue = cue,
                                    .channels = {channels, extra == NULL ? 1 : 2, sizeof channels[0]},
                                    .targets = {targets, 1, sizeof targets[0]}};
  const pf_expected_reward how = {.kind = PF_EXPECTATION_WINDOW, .n = 2};
  error = pf_error_none();
  cr_assert(pf_dataset_add(&data, &experiment, &error) == PF_OK, "%s", error.text);
  cr_assert(pf_recording_expect_reward(&data.recordings[0], &how, &error) == PF_OK, "%s", error.text);
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
    cr_expect(found[t] == expected[t] || (isnan(found[t]) && isnan(expected[t])), "%s[%d]: found %g, expected %g", name,
              t, found[t], expected[t]);
  }
}

Test(data_derive, lags_and_differences)
{
  static const double novelty[N] = {3, 5, (double)NAN, 11, 20};
  make("novelty", novelty);
  const pf_derived derived[] = {{"before", "novelty", 1, 0},
                                {"long_before", "novelty", 7, 0},
                                {"change", "novelty", 0, 2},
                                {"last_reward", "reward", 2, 0},
                                {"of_derived", "before", 1, 0}};
  cr_assert(pf_recording_derive(&data.recordings[0], derived, 5, &error) == PF_OK, "%s", error.text);
  expect_channel("before", (const double[N]){0, 3, 5, (double)NAN, 11});
  expect_channel("long_before", (const double[N]){0, 0, 0, 0, 0});
  expect_channel("change", (const double[N]){0, 0, (double)NAN, 6, (double)NAN});
  expect_channel("last_reward", (const double[N]){0, 0, 1, 0, 0.5});
  expect_channel("of_derived", (const double[N]){0, 0, 3, 5, (double)NAN});
}

Test(data_derive, no_such_channel)
{
  make(NULL, NULL);
  const pf_derived derived[] = {{"before", "rewrad", 1, 0}};
  cr_expect(pf_recording_derive(&data.recordings[0], derived, 1, &error) == PF_STOP);
  cr_expect(strstr(error.text, "no channel 'rewrad'") != NULL && strstr(error.text, "did you mean 'reward'?") != NULL,
            "%s", error.text);
}

Test(data_derive, a_name_that_is_there_already)
{
  make(NULL, NULL);
  const pf_derived derived[] = {{"reward", "reward", 1, 0}};
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
