/* core/stats: the signed rank test against enumeration of all signs and against scipy; Holm's
 * correction. */
#include "core/base/random.h"
#include "core/stats/stats.h"
#include <criterion/criterion.h>
#include <math.h>

enum { MAX = 20 };

static pf_wilcoxon test_of(const double *d, size_t n)
{
  pf_error error = {.size = sizeof error};
  pf_wilcoxon out;
  cr_assert(pf_stats_wilcoxon(d, n, &out, &error) == PF_OK, "%s", error.text);
  return out;
}

/* Written from the definition, with nothing shared: ranks by counting, then every one of the 2^n
 * assignments of signs.
 */
static double enumerated(const double *d, size_t n)
{
  double size[MAX];
  double rank[MAX];
  size_t m = 0;
  double observed = 0.0;
  for (size_t i = 0; i < n; i++) {
    if (!isnan(d[i]) && fabs(d[i]) > 0.0) {
      size[m++] = d[i];
    }
  }
  for (size_t i = 0; i < m; i++) {
    double smaller = 0.0;
    double equal = 0.0;
    for (size_t k = 0; k < m; k++) {
      smaller += fabs(size[k]) < fabs(size[i]) ? 1.0 : 0.0;
      equal += fabs(size[k]) == fabs(size[i]) ? 1.0 : 0.0;
    }
    rank[i] = smaller + 0.5 * (equal + 1.0);
    observed += size[i] > 0.0 ? rank[i] : 0.0;
  }
  const double mean = 0.25 * (double)m * ((double)m + 1.0);
  uint64_t as_far = 0;
  for (uint64_t signs = 0; signs < (uint64_t)1 << m; signs++) {
    double sum = 0.0;
    for (size_t i = 0; i < m; i++) {
      sum += (signs >> i & 1U) != 0 ? rank[i] : 0.0;
    }
    as_far +=
        fabs(sum - mean) >= fabs(observed - mean) ? 1 : 0; /* halves and quarters: no rounding */
  }
  return (double)as_far / (double)((uint64_t)1 << m);
}

/* `levels` different sizes: few of them make ties and zeros. */
static void draw(uint32_t which, double levels, double *d, size_t n)
{
  const pf_stream stream = {.seed = 90125, .purpose = PF_RANDOM_TEST, .animal = which};
  pf_random_uniform(stream, 0, (int64_t)n, d);
  for (size_t i = 0; i < n; i++) {
    d[i] = levels > 0.0 ? floor((2.0 * d[i] - 0.85) * levels) / 4.0 : d[i] - 0.42;
  }
}

Test(stats_wilcoxon, is_the_enumeration_of_all_signs)
{
  static const double levels[] = {0.0, 40.0, 7.0, 3.0, 1.0};
  double d[MAX];
  size_t n_ties = 0;
  size_t n_zeros = 0;
  double least = 1.0;
  for (uint32_t k = 0; k < 600; k++) {
    const size_t n = 1 + k % 13;
    draw(k, levels[k % 5], d, n);
    const pf_wilcoxon w = test_of(d, n);
    const double expected = enumerated(d, n);
    cr_assert(w.is_exact && w.n + w.n_zero == n);
    cr_assert(w.plus + w.minus == 0.5 * (double)w.n * ((double)w.n + 1.0));
    /* both are multiples of 2^-n: equal to the last bit */
    cr_assert(w.p == expected, "case %u, n = %zu: %.17g, by enumeration %.17g", k, n, w.p,
              expected);
    n_zeros += w.n_zero;
    n_ties += k % 5 >= 3 ? 1 : 0;
    least = fmin(least, w.p);
  }
  cr_assert(n_zeros > 100 && n_ties > 100 &&
            least < 0.01); /* the cases are what they are meant to be */
}

Test(stats_wilcoxon, is_the_enumeration_up_to_twenty)
{
  double d[MAX];
  for (uint32_t k = 0; k < 4; k++) {
    const size_t n = 17 + k;
    draw(1000 + k, k % 2 == 0 ? 0.0 : 9.0, d, n);
    cr_assert(test_of(d, n).p == enumerated(d, n), "n = %zu", n);
  }
}

/* scipy 1.17.1, scipy.stats.wilcoxon(d, method="exact"); no ties and no zeros, where the
 * conventions agree. */
Test(stats_wilcoxon, is_that_of_scipy)
{
  static const double five[] = {0.351, 0.649, 0.076, -0.541, -0.105};
  static const double eighteen[] = {-0.994, -0.108, -1.551, -0.94,  -1.492, 0.115,
                                    -0.917, 0.621,  0.507,  0.163,  -2.167, -0.189,
                                    0.301,  0.463,  -1.18,  -0.128, -0.629, -0.459};
  double fifty[50];
  for (int i = 0; i < 50; i++) {
    fifty[i] = (double)((i * 13 + 5) % 53 + 1) / 8.0 * (i % 3 == 0 ? -1.0 : 1.0);
  }
  pf_wilcoxon w = test_of(five, 5);
  cr_expect(w.minus == 6.0 && w.p == 0.8125);
  w = test_of(eighteen, 18);
  cr_expect(w.plus == 39.0 && fabs(w.p - 0.0431671142578125) < 1e-16);
  w = test_of(fifty, 50);
  cr_expect(fmin(w.plus, w.minus) == 456.0 && fabs(w.p - 0.08054833435456032) < 1e-15, "%.17g",
            w.p);
}

/* ... with ties: method=PermutationMethod(n_resamples=inf), zeros taken out by hand: all
 * permutations. */
Test(stats_wilcoxon, is_that_of_scipy_with_ties)
{
  static const double d[] = {0.5, -0.5, 1.5, 1.5, 2.0, -2.0, 2.0, 3.5, 0.0, 0.0, 4.0, 4.0};
  const pf_wilcoxon w = test_of(d, 12);
  cr_expect(w.n == 10 && w.n_zero == 2 && w.minus == 7.5 && w.p == 0.04296875, "%.17g", w.p);
}

/* ... of many, with ties: method="asymptotic", correction=True. */
Test(stats_wilcoxon, is_the_normal_approximation_of_scipy_beyond)
{
  double d[260];
  for (int i = 0; i < 260; i++) {
    d[i] = (double)((i * 7919 + 13) % 521 - 230) / 64.0;
  }
  const pf_wilcoxon w = test_of(d, 260);
  cr_expect(!w.is_exact && fmin(w.plus, w.minus) == 11470.0);
  cr_expect(fabs(w.p / 5.983242346680458e-06 - 1.0) < 1e-12, "%.17g", w.p);
}

/* The last that is counted is where the normal distribution (no ties: variance n (n + 1) (2 n + 1)
 * / 24) would do too.
 */
Test(stats_wilcoxon, the_exact_one_approaches_the_normal)
{
  double d[PF_WILCOXON_EXACT];
  for (int i = 0; i < PF_WILCOXON_EXACT; i++) {
    d[i] = (double)((i * 71) % 211 + 1) * (i % 20 < 8 ? -1.0 : 1.0);
  }
  const pf_wilcoxon w = test_of(d, PF_WILCOXON_EXACT);
  const double n = PF_WILCOXON_EXACT;
  const double z = (fmax(w.plus, w.minus) - n * (n + 1.0) / 4.0 - 0.5) /
                   sqrt(n * (n + 1.0) * (2.0 * n + 1.0) / 24.0);
  const double normal = 2.0 * pf_stats_normal(-z);
  cr_expect(w.is_exact && w.n == PF_WILCOXON_EXACT && w.p < 0.1);
  cr_expect(fabs(w.p / 0.010767016310626376 - 1.0) < 1e-12, "%.17g",
            w.p); /* scipy 1.17.1, method="exact" */
  cr_expect(fabs(w.p / normal - 1.0) < 0.04, "%g and %g", w.p,
            normal); /* measured, also by scipy: 0.019 */
}

Test(stats_wilcoxon, nothing_to_rank)
{
  static const double zeros[] = {0.0, -0.0, NAN};
  const pf_wilcoxon w = test_of(zeros, 3);
  cr_expect(w.n == 0 && w.n_zero == 2 && w.p == 1.0);
  cr_expect(test_of(zeros, 0).p == 1.0);
}

Test(stats_holm, by_hand)
{
  /* sorted: .01 x 4 = .04, .02 x 3 = .06, .025 x 2 = .05 but not below .06, .9 x 1 */
  static const double p[] = {0.025, NAN, 0.9, 0.01, 0.02};
  double q[5];
  pf_error error = {.size = sizeof error};
  cr_assert(pf_stats_holm(p, 5, q, &error) == PF_OK);
  cr_expect(fabs(q[0] - 0.06) < 1e-15 && isnan(q[1]) && q[2] == 0.9 && q[3] == 0.04 &&
            fabs(q[4] - 0.06) < 1e-15);
}

Test(stats_holm, never_above_one_and_ties_alike)
{
  double p[] = {0.5, 0.5, 0.6};
  pf_error error = {.size = sizeof error};
  cr_assert(pf_stats_holm(p, 3, p, &error) == PF_OK); /* in place */
  cr_expect(p[0] == 1.0 && p[1] == 1.0 && p[2] == 1.0);
  cr_assert(pf_stats_holm(p, 0, p, &error) == PF_OK);
}

/* Holm as defined: reject in order of p while p_(k) <= alpha / (m - k + 1), stop at the first that
 * is not. */
Test(stats_holm, rejects_what_the_procedure_rejects)
{
  double p[7];
  double q[7];
  pf_error error = {.size = sizeof error};
  size_t n_rejected = 0;
  for (uint32_t k = 0; k < 200; k++) {
    pf_random_uniform((pf_stream){.seed = 3, .purpose = PF_RANDOM_TEST, .animal = k}, 0, 7, p);
    for (int i = 0; i < 7; i++) {
      p[i] = p[i] * p[i] * 0.2;
    }
    cr_assert(pf_stats_holm(p, 7, q, &error) == PF_OK);
    bool gone[7] = {false};
    for (int step = 0; step < 7; step++) {
      int least = -1;
      for (int i = 0; i < 7; i++) {
        least = !gone[i] && (least < 0 || p[i] < p[least]) ? i : least;
      }
      if (p[least] * (7.0 - step) > 0.05) {
        break;
      }
      gone[least] = true;
      n_rejected++;
    }
    for (int i = 0; i < 7; i++) {
      cr_assert(gone[i] == (q[i] <= 0.05));
    }
  }
  cr_assert(n_rejected > 100 && n_rejected < 1300);
}
