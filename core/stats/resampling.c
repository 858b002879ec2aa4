#include "core/base/memory.h"
#include "core/stats/stats.h"

#include <math.h>
#include <string.h>

/** Values that are there, and what they weigh. */
typedef struct sample {
  double *values, *weights; /* [n] */
  size_t n;
} sample;

/** The mean of n values, drawn with replacement. */
static double resampled_mean(const sample *of, const double *uniform)
{
  double sum = 0.0, weights = 0.0;
  for (size_t i = 0; i < of->n; i++) {
    const size_t drawn = (size_t)(uniform[i] * (double)of->n);
    const size_t k = drawn < of->n ? drawn : of->n - 1; /* the product may round up to n */
    sum += of->weights[k] * of->values[k];
    weights += of->weights[k];
  }
  return sum / weights;
}

static double plain_mean(const sample *of)
{
  double sum = 0.0, weights = 0.0;
  for (size_t i = 0; i < of->n; i++) {
    sum += of->weights[i] * of->values[i];
    weights += of->weights[i];
  }
  return sum / weights;
}

/** Keeps the values that are there. weights: NULL, all 1. */
static void keep_numbers(const double *values, const double *weights, size_t n, sample *to)
{
  to->n = 0;
  for (size_t i = 0; i < n; i++) {
    const double weight = weights == NULL ? 1.0 : weights[i];
    if (!isnan(values[i]) && weight > 0.0) {
      to->weights[to->n] = weight;
      to->values[to->n++] = values[i];
    }
  }
}

pf_status pf_stats_bootstrap_mean(const pf_bootstrap *how, const double *values, size_t n,
                                  pf_interval *out, pf_error *error)
{
  const size_t resamples =
      how->resamples > 0 ? (size_t)how->resamples : (size_t)PF_BOOTSTRAP_RESAMPLES;
  *out = (pf_interval){NAN, NAN, NAN};
  double *kept = pf_memory_need(3 * n + resamples, sizeof *kept, error);
  if (kept == NULL) {
    return PF_STOP;
  }
  sample of = {.values = kept, .weights = kept + n};
  double *uniform = kept + 2 * n, *means = uniform + n;
  keep_numbers(values, how->weights, n, &of);
  out->value = of.n > 0 ? plain_mean(&of) : (double)NAN;
  if (of.n > 1) {
    for (size_t b = 0; b < resamples; b++) {
      pf_random_uniform(how->stream, (uint64_t)b * of.n, (int64_t)of.n, uniform);
      means[b] = resampled_mean(&of, uniform);
    }
    const size_t n_means = pf_stats_sort(means, resamples);
    const double low = 0.5 * (1.0 - (how->level > 0.0 ? how->level : 0.95));
    out->low = pf_stats_quantile(means, n_means, low);
    out->high = pf_stats_quantile(means, n_means, 1.0 - low);
  }
  pf_memory_free(kept);
  return PF_OK;
}
