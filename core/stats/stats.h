/*
 * Statistics of small samples: a handful of animals, each a number per candidate.
 *
 * NaN stands for "this animal has no figure" everywhere, and is left out. Nothing here depends on
 * threads or on the order of calls: resampling draws from a stream that the caller names.
 */
#ifndef PLASTFIT_CORE_STATS_STATS_H
#define PLASTFIT_CORE_STATS_STATS_H

#include "core/base/random.h"
#include <plastfit/abi/base.h>
#include <stdbool.h>

/** An estimate with an interval (95 % unless said otherwise). NaN where there is none. */
typedef struct pf_interval {
  double value, low, high;
} pf_interval;

/* ---- paired differences ---- */

enum {
  /** Up to so many non-zero differences the null distribution is counted; above, it is the normal
     approximation. */
  PF_WILCOXON_EXACT = 200
};

typedef struct pf_wilcoxon {
  size_t n;      /**< differences that were ranked: neither NaN nor 0 */
  size_t n_zero; /**< differences of exactly 0, dropped */
  double plus;   /**< sum of the mid-ranks of |d| over d > 0 */
  double minus;  /**< the same over d < 0; plus + minus = n (n + 1) / 2 */
  double p;      /**< two-sided; 1 where n = 0 */
  bool is_exact; /**< false: normal approximation, n > PF_WILCOXON_EXACT */
} pf_wilcoxon;

/**
 * Wilcoxon's signed rank test of "d and -d are equally likely" (Wilcoxon 1945, Biometrics Bulletin
 * 1:80). Conventions:
 *
 * - differences of 0 are dropped before ranking (Wilcoxon's own; not Pratt's);
 * - equal |d| share their mean rank;
 * - exact: the distribution of `plus` over all 2^n signs of the mid-ranks as they are, ties and all
 *   (the conditional permutation distribution), counted on doubled ranks; p = P(|plus - mean| >=
 *   |observed - mean|), which by symmetry is min(1, 2 P(plus >= the larger of the two sums));
 * - above PF_WILCOXON_EXACT: normal with mean n (n + 1) / 4 and variance sum of rank^2 / 4 (so ties
 *   are in it), with the continuity correction of 1/2.
 */
pf_status pf_stats_wilcoxon(const double *differences, size_t n, pf_wilcoxon *out, pf_error *error);

/**
 * Holm's step-down correction (Holm 1979, Scand. J. Statist. 6:65): adjusted[i] <= alpha rejects
 * hypothesis i with family-wise error alpha. NaN stays NaN and does not count as a hypothesis.
 * adjusted MAY be p.
 */
pf_status pf_stats_holm(const double *p, size_t n, double *adjusted, pf_error *error);

/* ---- bootstrap over animals ---- */

enum { PF_BOOTSTRAP_RESAMPLES = 10000 };

typedef struct pf_bootstrap {
  double level;      /**< 0: 0.95 */
  int64_t resamples; /**< 0: PF_BOOTSTRAP_RESAMPLES */
  pf_stream
      stream; /**< purpose PF_RANDOM_BOOTSTRAP; animal and draw tell one bootstrap from another */
  const double *weights; /**< NULL: all equal; else [n], what a value weighs in the mean */
} pf_bootstrap;

/**
 * A percentile bootstrap interval of the mean of values[0..n), one an animal, drawn with
 * replacement; NaN, and what weighs nothing, are left out first. `value` is the mean of the animals
 * as they are; of fewer than two, low and high are NaN.
 */
pf_status pf_stats_bootstrap_mean(const pf_bootstrap *how, const double *values, size_t n,
                                  pf_interval *out, pf_error *error);

/* ---- quantiles and distributions ---- */

/** Quantile q in [0, 1] of sorted[0..n), ascending, no NaN: linear between order statistics (type
 * 7). n = 0: NaN. */
double pf_stats_quantile(const double *sorted, size_t n, double q);
/** Sort ascending in place, NaN moved behind the rest; how many are no NaN. */
size_t pf_stats_sort(double *values, size_t n);

/** P(Z <= z), and its inverse (p = 0: -inf, 1: inf, outside [0, 1]: NaN); to some 1e-15 relative.
 */
double pf_stats_normal(double z);
double pf_stats_normal_quantile(double p);
/** P(X > x) of chi-square with `df` > 0 degrees of freedom: what likelihood ratio and Wald tests
 * report. */
double pf_stats_chi2_above(double x, double df);
/** x with P(X <= x) = p: pf_stats_chi2_quantile(0.95, 1) = 3.841. */
double pf_stats_chi2_quantile(double p, double df);
/** t with P(T <= t) = p of Student's t with `df` >= 1 degrees of freedom: (0.975, 9) = 2.262. */
double pf_stats_student_quantile(double p, size_t df);

#endif
