#include "core/base/memory.h"
#include "core/stats/stats.h"

#include <math.h>
#include <string.h>

/** The mean of n values, drawn with replacement. */
static double resampled_mean(const double *values, size_t n, const double *uniform)
{
  double sum = 0.0;
  for (size_t i = 0; i < n; i++) {
    const size_t k = (size_t)(uniform[i] * (double)n);
    sum += values[k < n ? k : n - 1]; /* the product may round up to n */
  }
  return sum / (double)n;
}

static double plain_mean(const double *values, size_t n)
{
  double sum = 0.0;
  for (size_t i = 0; i < n; i++) {
    sum += values[i];
  }
  return sum / (double)n;
}

/** Values that are there, in front; how many. */
static size_t keep_numbers(const double *values, size_t n, double *kept)
{
  size_t count = 0;
  for (size_t i = 0; i < n; i++) {
    if (!isnan(values[i])) {
      kept[count++] = values[i];
    }
  }
  return count;
}

pf_status pf_stats_bootstrap_mean(const pf_bootstrap *how, const double *values, size_t n,
                                  pf_interval *out, pf_error *error)
{
  const size_t resamples =
      how->resamples > 0 ? (size_t)how->resamples : (size_t)PF_BOOTSTRAP_RESAMPLES;
  *out = (pf_interval){NAN, NAN, NAN};
  double *kept = pf_memory_need(2 * n + resamples, sizeof *kept, error);
  if (kept == NULL) {
    return PF_STOP;
  }
  double *uniform = kept + n, *means = uniform + n;
  const size_t count = keep_numbers(values, n, kept);
  out->value = count > 0 ? plain_mean(kept, count) : (double)NAN;
  if (count > 1) {
    for (size_t b = 0; b < resamples; b++) {
      pf_random_uniform(how->stream, (uint64_t)b * count, (int64_t)count, uniform);
      means[b] = resampled_mean(kept, count, uniform);
    }
    const size_t n_means = pf_stats_sort(means, resamples);
    const double low = 0.5 * (1.0 - (how->level > 0.0 ? how->level : 0.95));
    out->low = pf_stats_quantile(means, n_means, low);
    out->high = pf_stats_quantile(means, n_means, 1.0 - low);
  }
  pf_memory_free(kept);
  return PF_OK;
}
