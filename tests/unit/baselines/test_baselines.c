/* Baselines on made-up trials; against plain Python on whole animals: tests/e2e/baselines.sh. */
#include "core/baselines/baselines.h"
#include "core/baselines/logistic_history.h"
#include "core/baselines/win_stay.h"

#include <criterion/criterion.h>
#include <math.h>

enum { N = 6 };

/* Stays after both wins, leaves after one of three losses. */
static pf_trial trials[N] = {{.choice = 0, .reward = 1.0, .begins = true},
                             {.choice = 0, .reward = 0.0},
                             {.choice = 0, .reward = 0.0},
                             {.choice = 1, .reward = 1.0},
                             {.choice = 1, .reward = 0.0},
                             {.choice = 1, .reward = 1.0}};

static pf_choice_history history_of(bool fits, bool scores)
{
  for (int i = 0; i < N; i++) {
    trials[i].fits = fits;
    trials[i].scores = scores;
  }
  return (pf_choice_history){.trials = trials, .n = N, .n_options = 3};
}

Test(baselines, win_stay_counts_stays_after_wins_and_losses)
{
  const pf_choice_history all = history_of(true, true);
  const double after_win = 2.5 / 3.0, after_loss = 2.5 / 4.0;
  const double expected = -2.0 * (log(1.0 / 3.0) + 2.0 * log(after_win) + 2.0 * log(after_loss) +
                                  log((1.0 - after_loss) / 2.0));
  cr_expect(fabs(pf_win_stay_deviance(&all) - expected) < 1e-12);
}

Test(baselines, rewards_that_are_all_alike_in_sign_are_wins_above_their_mean)
{
  const pf_choice_history all = history_of(true, true);
  const double before = pf_win_stay_deviance(&all);
  for (int i = 0; i < N; i++) {
    trials[i].reward += 5.0;
  }
  cr_expect(fabs(pf_win_stay_deviance(&all) - before) < 1e-12);
  for (int i = 0; i < N; i++) {
    trials[i].reward -= 5.0;
  }
}

Test(baselines, what_is_fitted_is_not_what_is_scored)
{
  pf_choice_history half = history_of(true, false);
  double deviance = NAN;
  pf_error error = {.size = sizeof error};
  cr_expect(pf_win_stay_deviance(&half) == 0.0);
  cr_assert(pf_logistic_history_deviance(&half, 2, &deviance, &error) == PF_OK);
  cr_expect(deviance == 0.0);
  /* without a fitted trial nothing but the prior is known */
  half = history_of(false, true);
  cr_assert(pf_logistic_history_deviance(&half, 2, &deviance, &error) == PF_OK);
  cr_expect(fabs(deviance - 2.0 * N * log(3.0)) < 1e-12);
}

/* Choices that follow from the one before have no finite estimate without the prior. */
Test(baselines, separation_stays_finite)
{
  enum { LONG = 200 };
  pf_trial same[LONG];
  double deviance = NAN;
  pf_error error = {.size = sizeof error};
  for (int i = 0; i < LONG; i++) {
    same[i] = (pf_trial){.choice = i % 2, .begins = i == 0, .fits = true, .scores = true};
  }
  const pf_choice_history history = {.trials = same, .n = LONG, .n_options = 2};
  cr_assert(pf_logistic_history_deviance(&history, 3, &deviance, &error) == PF_OK);
  cr_expect(deviance > 0.0 && deviance < 0.1 * LONG, "%g", deviance);
}

/* A session that begins knows nothing of the one before. */
Test(baselines, history_starts_anew_in_a_session)
{
  pf_trial two[4] = {{.choice = 0, .reward = 1.0, .begins = true, .fits = true},
                     {.choice = 0, .fits = true},
                     {.choice = 1, .begins = true, .scores = true},
                     {.choice = 1, .reward = 1.0, .scores = true}};
  const pf_choice_history history = {.trials = two, .n = 4, .n_options = 2};
  /* a win then stay: .75; the loss after it: (0 + 1/2) / (0 + 1) */
  cr_expect(fabs(pf_win_stay_deviance(&history) + 2.0 * (log(0.5) + log(0.5))) < 1e-12);
}
