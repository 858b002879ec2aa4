/* core/evaluate: R2, means and medians. */
#include "core/base/memory.h"
#include "core/base/random.h"
#include "core/evaluate/evaluate.h"
#include "core/evaluate/r2.h"
#include "core/evaluate/score.h"
#include <criterion/criterion.h>
#include <math.h>

Test(evaluate_r2, by_hand)
{
  /* truth 1.5, -0.5, 2.75, 0.25: mean 1, SST 6.125; errors 0.5, 0, -0.25, 1: SSE 1.3125 */
  const double truth[] = {1.5, -0.5, 2.75, 0.25};
  const double model[] = {1.0, -0.5, 3.0, -0.75};
  cr_expect(fabs(pf_r2(truth, model, 4) - (1.0 - 1.3125 / 6.125)) < 1e-15);
  cr_expect(pf_r2(truth, truth, 4) == 1.0);
}

Test(evaluate_r2, cells_that_were_not_observed_are_skipped)
{
  const double truth[] = {1.5, NAN, -0.5, 2.75, 0.25};
  const double model[] = {1.0, 1e9, -0.5, 3.0, -0.75};
  cr_expect(fabs(pf_r2(truth, model, 5) - (1.0 - 1.3125 / 6.125)) < 1e-15);
}

Test(evaluate_r2, what_never_varies_has_none)
{
  const double constant[] = {0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1};
  const double model[] = {0.1, 0.2, 0.1, 0.1, 0.1, 0.1, 0.1};
  const double nothing[] = {NAN, NAN};
  cr_expect(isnan(pf_r2(constant, model,
                        7))); /* their mean is not 0.1 in floating point, yet they do not vary */
  cr_expect(isnan(pf_r2(nothing, model, 2)));
  cr_expect(isnan(pf_r2(constant, model, 0)));
}

Test(evaluate_r2, columns_by_flag_with_padding)
{
  enum { N = 4, LD_TRUTH = 3, LD_RUN = 5 };
  const double column[2][N] = {{1.5, -0.5, 2.75, 0.25},
                               {0.3, 0.3, 0.3, 0.3}}; /* the second never varies */
  const double model[2][N] = {{1.0, -0.5, 3.0, -0.75}, {0.1, 0.2, 0.4, 0.8}};
  double truth[(N + 1) * LD_TRUTH];
  pf_real run[(N + 1) * LD_RUN];
  uint32_t flags[N + 1] = {PF_STEP_SCORE, PF_STEP_SCORE, PF_STEP_FIT, PF_STEP_SCORE | PF_STEP_FIT,
                           PF_STEP_SCORE};
  pf_error error = pf_error_none();
  double r2 = NAN;
  for (int i = 0; i < (N + 1) * LD_TRUTH; i++) {
    truth[i] = 777.0; /* padding, and the step that is not scored */
  }
  for (int i = 0; i < (N + 1) * LD_RUN; i++) {
    run[i] = (pf_real)-555.0;
  }
  for (int k = 0; k < N; k++) {
    const int t = k < 2 ? k : k + 1;
    for (int c = 0; c < 2; c++) {
      truth[t * LD_TRUTH + c] = column[c][k];
      run[t * LD_RUN + c] = (pf_real)model[c][k];
    }
  }
  cr_assert(pf_r2_columns(
                &(pf_column_pairs){truth, LD_TRUTH, run, LD_RUN, 2, flags, PF_STEP_SCORE, N + 1},
                &r2, &error) == PF_OK);
  cr_expect(fabs(r2 - (1.0 - 1.3125 / 6.125)) < 1e-15);
}

Test(evaluate_summary, mean_and_median_leave_nan_out)
{
  double odd[] = {NAN, 3.5, -1.25, NAN, 8.0};
  double even[] = {4.0, NAN, 1.0, 10.0, 2.0};
  double none[] = {NAN, NAN};
  cr_expect(fabs(pf_mean(odd, 5) - 10.25 / 3.0) < 1e-15);
  cr_expect(pf_median(odd, 5) == 3.5);
  cr_expect(pf_mean(even, 5) == 4.25);
  cr_expect(pf_median(even, 5) == 3.0);
  cr_expect(isnan(pf_mean(none, 2)));
  cr_expect(isnan(pf_median(none, 2)));
  cr_expect(isnan(pf_mean(none, 0)));
  cr_expect(isnan(pf_median(none, 0)));
}

Test(evaluate_summary, each_figure_by_itself)
{
  pf_animal_result animals[3];
  pf_scores mean;
  pf_scores median;
  bool pooled = true;
  pf_error error = pf_error_none();
  for (int a = 0; a < 3; a++) {
    animals[a].scores = pf_scores_none();
    animals[a].scores.no_plasticity = (double)(a * a);
    animals[a].scores.n_scored = 30 + a;
  }
  animals[1].scores.mean_rate = -7.25;
  cr_assert(pf_scores_summarise(animals, 3, &mean, &median, &pooled, &error) == PF_OK);
  cr_expect(!pooled);
  cr_expect(fabs(mean.no_plasticity - 5.0 / 3.0) < 1e-15);
  cr_expect(median.no_plasticity == 1.0);
  cr_expect(mean.mean_rate == -7.25 && median.mean_rate == -7.25);
  cr_expect(isnan(mean.r2_weights) && isnan(median.r2_activity) && isnan(mean.log_likelihood));
  cr_expect(mean.n_scored == 93);
}

/* An animal of 3 cells that is explained by -1000 %: of 3 nats at stake beside 97 explained by 40
 * %, it is 3 % of all. */
Test(evaluate_summary, animals_with_few_cells_are_pooled)
{
  pf_animal_result animals[2];
  pf_scores mean;
  pf_scores median;
  bool pooled = false;
  pf_error error = pf_error_none();
  for (int a = 0; a < 2; a++) {
    animals[a].scores = pf_scores_none();
    animals[a].scores.no_plasticity = a == 0 ? -1000.0 : 40.0;
    animals[a].scores.at_stake_no_plasticity = a == 0 ? 3.0 : 97.0;
    animals[a].scores.r2_activity = a == 0 ? -50.0 : 0.5;
    animals[a].scores.log_likelihood = -1.0;
    animals[a].scores.n_scored = a == 0 ? 3 : 97;
  }
  cr_assert(pf_scores_summarise(animals, 2, &mean, &median, &pooled, &error) == PF_OK);
  cr_expect(pooled && fabs(mean.no_plasticity - (0.03 * -1000.0 + 0.97 * 40.0)) < 1e-12);
  cr_expect(fabs(mean.r2_activity - (0.03 * -50.0 + 0.97 * 0.5)) < 1e-12);
  cr_expect(isnan(mean.mean_rate) && mean.log_likelihood == -1.0);
  cr_assert(pf_scores_summarise(animals, 1, &mean, &median, &pooled, &error) == PF_OK);
  cr_expect(!pooled && mean.no_plasticity == -1000.0);
}

/* ---- residuals ---- */

enum { N_RESIDUALS = 2000 };

/* Residuals of an autoregression, e_t = r e_{t-1} + noise, in two columns; one step in ten is not
 * recorded. */
static double correlation_of(double r)
{
  static double truth[2 * N_RESIDUALS];
  static pf_real run[2 * N_RESIDUALS];
  static uint32_t flags[N_RESIDUALS];
  const pf_stream stream = {.seed = 7, .purpose = PF_RANDOM_TEST};
  double e[2] = {0.0, 0.0};
  for (int64_t t = 0; t < N_RESIDUALS; t++) {
    double noise[2];
    pf_random_normal(stream, 2 * (uint64_t)t, 2, noise);
    flags[t] = 4;
    for (int64_t c = 0; c < 2; c++) {
      e[c] = r * e[c] + noise[c];
      run[2 * t + c] = (pf_real)(3.0 * sin(0.1 * (double)t));
      truth[2 * t + c] = t % 10 == 3 ? (double)NAN : (double)run[2 * t + c] + e[c] + 5.0;
    }
  }
  return pf_residual_correlation(&(pf_column_pairs){truth, 2, run, 2, 2, flags, 4, N_RESIDUALS});
}

Test(evaluate_r2, residuals_of_an_autoregression_have_its_correlation)
{
  /* its standard error is sqrt((1 - r^2) / 3200) or so: 0.018 and 0.014 */
  cr_expect(fabs(correlation_of(0.0)) < 0.06, "%g", correlation_of(0.0));
  cr_expect(fabs(correlation_of(0.6) - 0.6) < 0.06, "%g", correlation_of(0.6));
}

Test(evaluate_r2, correlated_residuals_are_told_and_chance_is_not)
{
  cr_expect(pf_residuals_are_correlated(0.6, 3200));
  cr_expect(!pf_residuals_are_correlated(0.1, 100000)); /* costs intervals little */
  cr_expect(!pf_residuals_are_correlated(0.4, 100));    /* 4 standard errors */
  cr_expect(!pf_residuals_are_correlated((double)NAN, 1000));
  cr_expect(!pf_residuals_are_correlated(-0.6, 3200));
}
