/* core/data/expectation: E[R] as read before a reward enters, against sums written out by hand. */
#include "core/base/memory.h"
#include "core/data/dataset.h"
#include "core/data/expected_reward.h"
#include <criterion/criterion.h>
#include <math.h>

enum { N = 9 };

/* Missing where no reward could come. */
static const double rewards[N] = {1.0, NAN, 0.5, 0.0, NAN, 1.0, 0.25, 1.0, 0.0};

static void make(pf_dataset *data, const pf_expected_reward *how, const double *own)
{
  static const double cue[N] = {0.0};
  pf_error error = pf_error_none();
  const pf_channel channels[] = {{.name = "reward", .values = rewards},
                                 {.name = "expected_reward", .values = own}};
  const pf_experiment experiment = {
      .size = sizeof experiment,
      .animal = "Fly1",
      .name = "Fly1.mat",
      .n_steps = N,
      .n_input = 1,
      .cue = cue,
      .channels = {channels, own == NULL ? 1 : 2, sizeof channels[0]}};
  cr_assert_eq(pf_dataset_add(data, &experiment, &error), PF_OK, "%s", error.text);
  cr_assert_eq(pf_recording_expect_reward(&data->recordings[0], how, &error), PF_OK, "%s",
               error.text);
}

static void check(const pf_dataset *data, const double *expected)
{
  const double *found = pf_recording_channel(&data->recordings[0], "expected_reward");
  const double *reward = pf_recording_channel(&data->recordings[0], "reward");
  cr_assert_not_null(found);
  for (int t = 0; t < N; t++) {
    cr_expect_lt(fabs(found[t] - expected[t]), 1e-15, "step %d: %.17g, expected %.17g", t, found[t],
                 expected[t]);
    cr_expect_eq(reward[t], isnan(rewards[t]) ? 0.0 : rewards[t],
                 "rules see 0 where no reward could come");
    cr_expect_eq(data->recordings[0].no_reward[t], isnan(rewards[t]) ? 1 : 0);
  }
}

/* The last three rewards, the queue starting as zeros: the first entry leaves when the fourth
 * reward comes. */
Test(data_expectation, window)
{
  const pf_expected_reward how = {.kind = PF_EXPECTATION_window, .n = 3};
  const double expected[N] = {0.0,
                              1.0 / 3.0,
                              1.0 / 3.0,
                              (1.0 + 0.5) / 3.0,
                              (1.0 + 0.5 + 0.0) / 3.0,
                              (1.0 + 0.5 + 0.0) / 3.0,
                              (0.5 + 0.0 + 1.0) / 3.0,
                              (0.0 + 1.0 + 0.25) / 3.0,
                              (1.0 + 0.25 + 1.0) / 3.0};
  pf_dataset data = {0};
  make(&data, &how, NULL);
  check(&data, expected);
  pf_dataset_free(&data);
}

/* The reference's ten: as long as fewer have come, the sum over ten. */
Test(data_expectation, window_of_ten_divides_by_ten)
{
  const pf_expected_reward how = {.kind = PF_EXPECTATION_window, .n = 10};
  const double expected[N] = {0.0, 0.1, 0.1, 0.15, 0.15, 0.15, 0.25, 0.275, 0.375};
  pf_dataset data = {0};
  make(&data, &how, NULL);
  check(&data, expected);
  pf_dataset_free(&data);
}

Test(data_expectation, exponential)
{
  const pf_expected_reward how = {.kind = PF_EXPECTATION_exponential, .rate = 0.25};
  double expected[N];
  expected[0] = 0.0;
  expected[1] = expected[2] = 0.25;                      /* 0 + (1 - 0) / 4 */
  expected[3] = 0.25 + 0.25 * (0.5 - 0.25);              /* 0.3125 */
  expected[4] = expected[5] = 0.3125 - 0.25 * 0.3125;    /* 0.234375 */
  expected[6] = 0.234375 + 0.25 * (1.0 - 0.234375);      /* 0.42578125 */
  expected[7] = 0.42578125 + 0.25 * (0.25 - 0.42578125); /* 0.3818359375 */
  expected[8] = 0.3818359375 + 0.25 * (1.0 - 0.3818359375);
  pf_dataset data = {0};
  make(&data, &how, NULL);
  check(&data, expected);
  pf_dataset_free(&data);
}

Test(data_expectation, data_keep_their_own)
{
  const pf_expected_reward how = {.kind = PF_EXPECTATION_window, .n = 10};
  const double own[N] = {0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1};
  pf_dataset data = {0};
  make(&data, &how, own);
  check(&data, own);
  pf_dataset_free(&data);
}

Test(data_expectation, without_rewards_nothing_happens)
{
  const double cue[2] = {1.0, 1.0};
  const pf_expected_reward how = {.kind = PF_EXPECTATION_window, .n = 10};
  const pf_experiment experiment = {.size = sizeof experiment,
                                    .animal = "a",
                                    .name = "a",
                                    .n_steps = 2,
                                    .n_input = 1,
                                    .cue = cue};
  pf_dataset data = {0};
  pf_error error = pf_error_none();
  cr_assert_eq(pf_dataset_add(&data, &experiment, &error), PF_OK);
  cr_assert_eq(pf_recording_expect_reward(&data.recordings[0], &how, &error), PF_OK);
  cr_expect_eq(data.recordings[0].n_channels, 0);
  cr_expect_null(data.recordings[0].no_reward);
  pf_dataset_free(&data);
}
