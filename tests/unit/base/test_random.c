/* core/base/random: numbers are a function of (seed, purpose, indices, place), and distributed as
 * they should be. */
#include "core/base/random.h"
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { N = 200000 };

static const pf_stream stream = {
    .seed = 20250711, .purpose = PF_RANDOM_TEST, .animal = 3, .draw = 5};

typedef void (*generator)(pf_stream, uint64_t, int64_t, double *);

/* The same numbers whether drawn at once or in pieces that begin and end anywhere. */
static void check_pieces(generator draw)
{
  enum { ALL = 101 };
  static const int64_t pieces[] = {1, 2, 7, 1, 30, 0, 13, 47};
  double whole[ALL];
  double part[ALL];
  int64_t at = 0;
  draw(stream, 12345, ALL, whole);
  for (size_t k = 0; k < sizeof pieces / sizeof *pieces; k++) {
    draw(stream, 12345 + (uint64_t)at, pieces[k], part + at);
    at += pieces[k];
  }
  cr_assert_eq(at, ALL);
  cr_assert_eq(memcmp(whole, part, sizeof whole), 0);
}

/* The published test vector of Philox4x32-10 (Random123, kat_vectors): counter 0 and key 0 give
 * these words. */
Test(base_random, philox_known_answer)
{
  const uint64_t first = 0xe169c58d6627e8d5U;
  const uint64_t second = 0x9b00dbd8bc57ac4cU;
  double u[2];
  pf_random_uniform((pf_stream){0}, 0, 2, u);
  cr_assert_eq(u[0], (double)(first >> 11) * 0x1p-53);
  cr_assert_eq(u[1], (double)(second >> 11) * 0x1p-53);
}

Test(base_random, pieces_make_the_whole)
{
  check_pieces(pf_random_uniform);
  check_pieces(pf_random_normal);
}

/* Correlation of N numbers of two streams; for independent ones its sd is 1 / sqrt(N) = 0.0022. */
static double correlation(pf_stream a, pf_stream b, uint64_t shift)
{
  static double x[N];
  static double y[N];
  double sum = 0.0;
  pf_random_normal(a, 0, N, x);
  pf_random_normal(b, shift, N, y);
  for (int i = 0; i < N; i++) {
    sum += x[i] * y[i];
  }
  return sum / N;
}

Test(base_random, streams_differ_in_every_index)
{
  const double bound = 5.0 / sqrt((double)N);
  pf_stream others[6] = {stream, stream, stream, stream, stream, stream};
  others[0].seed ^= 1U;
  others[1].seed ^= (uint64_t)1 << 40; /* beyond 32 bits */
  others[2].purpose = PF_RANDOM_INPUT;
  others[3].animal++;
  others[4].draw++;
  others[5].animal = stream.draw; /* exchanged: not the same either */
  others[5].draw = stream.animal;
  for (size_t k = 0; k < 6; k++) {
    cr_expect_lt(fabs(correlation(stream, others[k], 0)), bound, "stream %zu", k);
  }
  cr_expect_lt(fabs(correlation(stream, stream, 1)), bound);
  cr_expect_lt(fabs(correlation(stream, stream, (uint64_t)1 << 33)),
               bound); /* block indices beyond 32 bits */
  cr_expect_lt(fabs(correlation(stream, stream, 0) - 1.0), 0.02);
}

/* Moments within five of their standard deviations. */
Test(base_random, uniform_moments)
{
  static double u[N];
  double sum = 0.0;
  double squares = 0.0;
  int tenth[10] = {0};
  pf_random_uniform(stream, 0, N, u);
  for (int i = 0; i < N; i++) {
    cr_assert(u[i] >= 0.0 && u[i] < 1.0);
    sum += u[i];
    squares += (u[i] - 0.5) * (u[i] - 0.5);
    tenth[(int)(10.0 * u[i])]++;
  }
  cr_expect_lt(fabs(sum / N - 0.5), 5.0 * sqrt(1.0 / 12.0 / N));
  cr_expect_lt(fabs(squares / N - 1.0 / 12.0), 5.0 * sqrt(1.0 / 180.0 / N));
  for (int k = 0; k < 10; k++) {
    cr_expect_lt(fabs((double)tenth[k] / N - 0.1), 5.0 * sqrt(0.09 / N), "tenth %d", k);
  }
}

Test(base_random, normal_moments)
{
  static double z[N];
  double moment[5] = {0};
  int beyond_2 = 0;
  pf_random_normal(stream, 0, N, z);
  for (int i = 0; i < N; i++) {
    cr_assert(isfinite(z[i]));
    for (int k = 1; k <= 4; k++) {
      moment[k] += pow(z[i], k) / N;
    }
    beyond_2 += fabs(z[i]) > 2.0 ? 1 : 0;
  }
  cr_expect_lt(fabs(moment[1]), 5.0 * sqrt(1.0 / N));
  cr_expect_lt(fabs(moment[2] - 1.0), 5.0 * sqrt(2.0 / N));
  cr_expect_lt(fabs(moment[3]), 5.0 * sqrt(15.0 / N));
  cr_expect_lt(fabs(moment[4] - 3.0), 5.0 * sqrt(96.0 / N));
  const double p = erfc(sqrt(2.0)); /* of |z| > 2 */
  cr_expect_lt(fabs((double)beyond_2 / N - p), 5.0 * sqrt(p * (1.0 - p) / N));
}

/* Neighbours, of which pairs come from one counter, are independent. */
Test(base_random, neighbours_are_independent)
{
  static double z[N + 2];
  pf_random_normal(stream, 0, N + 2, z);
  for (int lag = 1; lag <= 2; lag++) {
    double products = 0.0;
    double squares = 0.0; /* of the squares' correlation: a shared radius would show here */
    for (int i = 0; i < N; i++) {
      products += z[i] * z[i + lag] / N;
      squares += (z[i] * z[i] - 1.0) * (z[i + lag] * z[i + lag] - 1.0) / N;
    }
    cr_expect_lt(fabs(products), 5.0 / sqrt((double)N), "lag %d", lag);
    cr_expect_lt(fabs(squares), 5.0 * 2.0 / sqrt((double)N), "lag %d", lag);
  }
}

/* Counts of 200,000 uniform numbers: frequencies against p(n) (5 sd), and mean and variance, which
 * are both the rate.
 */
Test(base_random, poisson_counts)
{
  static const double rates[] = {0.0, 0.3, 1.0, 4.5, 60.0, 5000.5};
  static double u[N];
  pf_random_uniform(stream, 0, N, u);
  for (size_t k = 0; k < sizeof rates / sizeof *rates; k++) {
    const double rate = rates[k], sd = sqrt(rate / N);
    double sum = 0.0, squares = 0.0;
    int64_t common = 0, least = 0;
    for (int i = 0; i < N; i++) {
      const int64_t n = pf_random_poisson(rate, u[i]);
      cr_assert(n >= 0);
      sum += (double)n / N;
      squares += ((double)n - rate) * ((double)n - rate) / N;
      common += n == (int64_t)rate + 1;
      least += n == 0;
    }
    const double n = floor(rate) + 1.0,
                 p = rate > 0.0 ? exp(n * log(rate) - rate - lgamma(n + 1.0)) : 0.0;
    const double p0 = exp(-rate);
    cr_expect(fabs(sum - rate) <= 5.0 * sd, "rate %g: mean %g", rate, sum);
    cr_expect(fabs(squares - rate) <= 5.0 * sqrt((rate + 2.0 * rate * rate) / N),
              "rate %g: variance %g", rate, squares);
    cr_expect(fabs((double)common / N - p) <= 5.0 * sqrt(p / N), "rate %g: %g of n, expected %g",
              rate, (double)common / N, p);
    cr_expect(fabs((double)least / N - p0) <= 5.0 * sqrt(p0 * (1.0 - p0) / N),
              "rate %g: %g of none", rate, (double)least / N);
  }
}

/* The last of the uniform numbers are used up by rounding; a count comes all the same. */
Test(base_random, poisson_ends)
{
  cr_expect(pf_random_poisson(3.0, 0.0) == 3);
  cr_expect(pf_random_poisson(3.0, 1.0 - 0x1p-53) >= 0);
  cr_expect(pf_random_poisson(1e9, 0.999) > 999000000);
}
