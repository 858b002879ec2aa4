/* core/stats: bootstrap intervals against all resamples there are and against scipy; quantiles;
 * distributions. */
#include "core/base/random.h"
#include "core/stats/stats.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

/* skewed */
static const double twelve[] = {2.1, -0.4, 0.9, 3.3, 1.7, 0.2, 5.8, 1.1, -1.2, 0.6, 2.4, 9.5};

static pf_bootstrap how(int64_t resamples)
{
  return (pf_bootstrap){.resamples = resamples,
                        .stream = {.seed = 4, .purpose = PF_RANDOM_BOOTSTRAP, .animal = 1}};
}

static pf_interval mean_of(pf_bootstrap b, const double *values, size_t n)
{
  pf_error error = {.size = sizeof error};
  pf_interval out;
  cr_assert(pf_stats_bootstrap_mean(&b, values, n, &out, &error) == PF_OK, "%s", error.text);
  return out;
}

/*
 * scipy 1.17.1: scipy.stats.bootstrap((twelve,), numpy.mean, n_resamples=2000000,
 * method="percentile"). With
 * 200,000 resamples the Monte Carlo error of an end is some 0.004 at the lower and 0.008 at the
 * upper one (steps of 1/120 in the means).
 */
Test(stats_bootstrap, is_that_of_scipy)
{
  const pf_interval percentile = mean_of(how(200000), twelve, 12);
  cr_expect(fabs(percentile.value - 26.0 / 12.0) < 1e-14);
  cr_expect(fabs(percentile.low - 0.75) < 0.02, "%g", percentile.low);
  cr_expect(fabs(percentile.high - 3.9083333) < 0.03, "%g", percentile.high);
}

static int ascending(const void *a, const void *b)
{
  const double x = *(const double *)a;
  const double y = *(const double *)b;
  return (x > y) - (x < y);
}

/* All 5^5 resamples of five animals, each as likely: what the percentile interval estimates. */
Test(stats_bootstrap, is_all_resamples_in_the_limit)
{
  static double all[3125];
  for (int k = 0; k < 3125; k++) {
    double sum = 0.0;
    for (int i = 0, left = k; i < 5; i++, left /= 5) {
      sum += twelve[left % 5];
    }
    all[k] = sum / 5.0;
  }
  qsort(all, 3125, sizeof all[0], ascending);
  const pf_interval drawn = mean_of(how(200000), twelve, 5);
  cr_expect(fabs(drawn.low - pf_stats_quantile(all, 3125, 0.025)) < 0.03);
  cr_expect(fabs(drawn.high - pf_stats_quantile(all, 3125, 0.975)) < 0.03);
}

/* Normal data: 95 % intervals of 1000 samples of 18 cover 0 in some 92.5 % (a percentile interval
 * lacks sqrt(n / (n - 1)) and Student's tails); 3 sd of a count of 1000 is 2.5 %. */
Test(stats_bootstrap, covers_as_often_as_it_should)
{
  size_t covered = 0;
  for (uint32_t k = 0; k < 1000; k++) {
    double values[18];
    pf_random_normal((pf_stream){.seed = 8, .purpose = PF_RANDOM_TEST, .animal = k}, 0, 18, values);
    pf_bootstrap b = how(1000);
    b.stream.draw = k;
    const pf_interval interval = mean_of(b, values, 18);
    covered += interval.low <= 0.0 && interval.high >= 0.0 ? 1 : 0;
  }
  cr_expect(covered > 900 && covered < 950, "%zu of 1000", covered);
}

Test(stats_bootstrap, same_stream_same_bits)
{
  const pf_interval once = mean_of(how(500), twelve, 12);
  const pf_interval again = mean_of(how(500), twelve, 12);
  pf_bootstrap other = how(500);
  other.stream.animal = 2;
  cr_expect(once.low == again.low && once.high == again.high);
  cr_expect(once.low != mean_of(other, twelve, 12).low);
}

Test(stats_bootstrap, missing_animals_and_too_few)
{
  static const double gappy[] = {NAN, 2.1, -0.4, NAN, 0.9};
  static const double alike[] = {1.25, 1.25, 1.25};
  const pf_bootstrap b = how(1000);
  const pf_interval kept = mean_of(b, gappy, 5);
  const pf_interval plain = mean_of(b, twelve, 3);
  cr_expect(kept.value == plain.value && kept.low == plain.low && kept.high == plain.high);
  const pf_interval one = mean_of(b, twelve, 1);
  cr_expect(one.value == 2.1 && isnan(one.low) && isnan(one.high));
  cr_expect(isnan(mean_of(b, gappy, 1).value) && isnan(mean_of(b, gappy, 0).low));
  const pf_interval same = mean_of(b, alike, 3);
  cr_expect(same.low == 1.25 && same.high == 1.25);
}

Test(stats_quantile, between_order_statistics)
{
  double values[] = {4.0, NAN, 1.0, 2.0, NAN};
  cr_assert(pf_stats_sort(values, 5) == 3);
  cr_expect(values[0] == 1.0 && values[2] == 4.0 && isnan(values[3]) && isnan(values[4]));
  cr_expect(pf_stats_quantile(values, 3, 0.5) == 2.0 && pf_stats_quantile(values, 3, 0.75) == 3.0);
  cr_expect(pf_stats_quantile(values, 3, 0.0) == 1.0 && pf_stats_quantile(values, 3, 1.0) == 4.0);
  cr_expect(isnan(pf_stats_quantile(values, 0, 0.5)));
}

static bool near(double a, double b, double tolerance)
{
  return fabs(a - b) <= tolerance * fabs(b);
}

/* scipy 1.17.1: norm.cdf, norm.ppf, chi2.sf, chi2.ppf. Largest relative difference seen: 4e-15
 * (chi-square far out). */
Test(stats_distributions, are_those_of_scipy)
{
  static const double cdf[][2] = {{-10.0, 7.61985302416047e-24},
                                  {-1.96, 0.024997895148220435},
                                  {-0.3, 0.3820885778110474},
                                  {0.7, 0.758036347776927},
                                  {3.1, 0.9990323967867817}};
  static const double quantile[][2] = {{1e-300, -37.0470962993612},  {1e-12, -7.034483825301131},
                                       {0.025, -1.9599639845400545}, {0.3, -0.5244005127080409},
                                       {0.77, 0.7388468491852137},   {0.999, 3.090232306167813}};
  static const double above[][3] = {
      {3.841458820694124, 1, 0.05},       {0.1, 1, 0.7518296340458492},
      {25.0, 3, 1.5440498291101365e-05},  {7.3, 10, 0.6968519508286796},
      {300.0, 81, 6.816066593642319e-27}, {1e-3, 2.5, 0.999934027829081},
      {60.0, 2, 9.357622968840163e-14}};
  static const double chi2[][3] = {{0.95, 1, 3.841458820694124},
                                   {0.95, 5, 11.070497693516351},
                                   {0.5, 2, 1.386294361119891},
                                   {0.99, 81, 113.51241047036046},
                                   {1e-4, 3, 0.005214832329027977}};
  for (size_t i = 0; i < sizeof cdf / sizeof cdf[0]; i++) {
    cr_expect(near(pf_stats_normal(cdf[i][0]), cdf[i][1], 1e-13), "%g: %.17g", cdf[i][0],
              pf_stats_normal(cdf[i][0]));
  }
  for (size_t i = 0; i < sizeof quantile / sizeof quantile[0]; i++) {
    const double z = pf_stats_normal_quantile(quantile[i][0]);
    cr_expect(near(z, quantile[i][1], 1e-13), "%g: %.17g", quantile[i][0], z);
  }
  for (size_t i = 0; i < sizeof above / sizeof above[0]; i++) {
    const double p = pf_stats_chi2_above(above[i][0], above[i][1]);
    cr_expect(near(p, above[i][2], 1e-12), "%g, %g: %.17g", above[i][0], above[i][1], p);
  }
  for (size_t i = 0; i < sizeof chi2 / sizeof chi2[0]; i++) {
    const double x = pf_stats_chi2_quantile(chi2[i][0], chi2[i][1]);
    cr_expect(near(x, chi2[i][2], 1e-11), "%g, %g: %.17g", chi2[i][0], chi2[i][1], x);
  }
}

Test(stats_distributions, edges)
{
  cr_expect(pf_stats_normal_quantile(0.5) == 0.0);
  cr_expect(isinf(pf_stats_normal_quantile(0.0)) && pf_stats_normal_quantile(0.0) < 0.0);
  cr_expect(isinf(pf_stats_normal_quantile(1.0)) && isnan(pf_stats_normal_quantile(1.5)));
  cr_expect(isnan(pf_stats_normal_quantile(NAN)) && isfinite(pf_stats_normal_quantile(5e-324)));
  cr_expect(pf_stats_chi2_above(0.0, 2.0) == 1.0 && pf_stats_chi2_above(INFINITY, 2.0) == 0.0);
  cr_expect(isnan(pf_stats_chi2_above(1.0, 0.0)) && isnan(pf_stats_chi2_above(NAN, 1.0)));
  cr_expect(pf_stats_chi2_quantile(0.0, 3.0) == 0.0 && isinf(pf_stats_chi2_quantile(1.0, 3.0)));
}

/* With 1 and 2 degrees of freedom there are formulas; the others are those of any table of t. */
Test(stats_distributions, student)
{
  for (double p = 0.51; p < 0.999; p += 0.04) {
    const double one = tan(3.14159265358979323846 * (p - 0.5));
    const double two = (2.0 * p - 1.0) / sqrt(2.0 * p * (1.0 - p));
    cr_expect(fabs(pf_stats_student_quantile(p, 1) / one - 1.0) < 1e-12);
    cr_expect(fabs(pf_stats_student_quantile(p, 2) / two - 1.0) < 1e-12);
    cr_expect(fabs(pf_stats_student_quantile(1.0 - p, 7) + pf_stats_student_quantile(p, 7)) <
              1e-12);
  }
  cr_expect(fabs(pf_stats_student_quantile(0.975, 9) - 2.262157) < 1e-6);
  cr_expect(fabs(pf_stats_student_quantile(0.975, 30) - 2.042272) < 1e-6);
  cr_expect(fabs(pf_stats_student_quantile(0.975, 100000) - 1.96) < 1e-4);
  cr_expect(isnan(pf_stats_student_quantile(0.975, 0)) && isnan(pf_stats_student_quantile(1.5, 3)));
  cr_expect(isinf(pf_stats_student_quantile(1.0, 3)));
}
