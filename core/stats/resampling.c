#include "core/base/memory.h"
#include "core/stats/stats.h"

#include <math.h>
#include <string.h>

/** Room for one bootstrap of n animals. */
typedef struct room {
  size_t *index;   /**< [n] */
  double *uniform; /**< [n] */
  double *results; /**< [resamples] */
} room;

static pf_status make_room(room *r, size_t n, size_t resamples, pf_error *error)
{
  r->index = pf_memory_need(n, sizeof *r->index, error);
  r->uniform = pf_memory_need(n, sizeof *r->uniform, error);
  r->results = pf_memory_need(resamples, sizeof *r->results, error);
  return r->index != NULL && r->uniform != NULL && r->results != NULL ? PF_OK : PF_STOP;
}

static void free_room(room *r)
{
  pf_memory_free(r->index);
  pf_memory_free(r->uniform);
  pf_memory_free(r->results);
}

/** The statistic of `resamples` resamples, NaN where it has none. */
static void resample(const pf_bootstrap *how, size_t n, size_t resamples, pf_statistic statistic,
                     const void *data, room *r)
{
  for (size_t b = 0; b < resamples; b++) {
    pf_random_uniform(how->stream, (uint64_t)b * n, (int64_t)n, r->uniform);
    for (size_t i = 0; i < n; i++) {
      const size_t k = (size_t)(r->uniform[i] * (double)n);
      r->index[i] = k < n ? k : n - 1; /* the product may round up to n */
    }
    r->results[b] = statistic(r->index, n, data);
  }
}

/**
 * a = sum d^3 / (6 (sum d^2)^1.5) of the deviations d of the leave-one-out figures from their mean,
 * sign as in Efron (1987), eq. 6.6. NaN where a figure is missing or nothing varies.
 */
static double acceleration(size_t n, pf_statistic statistic, const void *data, room *r)
{
  double *jackknife = r->uniform;
  double mean = 0.0;
  for (size_t leave = 0; leave < n; leave++) {
    for (size_t i = 0; i + 1 < n; i++) {
      r->index[i] = i < leave ? i : i + 1;
    }
    jackknife[leave] = statistic(r->index, n - 1, data);
    mean += jackknife[leave] / (double)n;
  }
  double squares = 0.0;
  double cubes = 0.0;
  for (size_t i = 0; i < n; i++) {
    const double d = mean - jackknife[i];
    squares += d * d;
    cubes += d * d * d;
  }
  return cubes / (6.0 * pow(squares, 1.5));
}

/** Which quantile of the resamples stands for that of a normal at z. */
static double corrected(double z, double bias, double a)
{
  return pf_stats_normal(bias + (bias + z) / (1.0 - a * (bias + z)));
}

/** Quantiles to take, corrected for bias and acceleration; as they were where that cannot be done.
 */
static void correct(double value, const double *sorted, size_t count, double a, double *low,
                    double *high)
{
  double below = 0.0;
  for (size_t b = 0; b < count; b++) {
    below += sorted[b] < value ? 1.0 : sorted[b] > value ? 0.0 : 0.5;
  }
  const double bias = pf_stats_normal_quantile(below / (double)count);
  const double from = corrected(pf_stats_normal_quantile(*low), bias, a);
  const double to = corrected(pf_stats_normal_quantile(*high), bias, a);
  if (isfinite(bias) && isfinite(a) && isfinite(from) && isfinite(to)) {
    *low = from;
    *high = to;
  }
}

static void interval_of(const pf_bootstrap *how, size_t n, pf_statistic statistic, const void *data,
                        size_t resamples, room *r, pf_interval *out)
{
  resample(how, n, resamples, statistic, data, r);
  const size_t count = pf_stats_sort(r->results, resamples);
  if (count == 0) {
    return;
  }
  const double level = how->level > 0.0 ? how->level : 0.95;
  double low = 0.5 * (1.0 - level);
  double high = 1.0 - low;
  if (how->kind == PF_BOOTSTRAP_BCA && r->results[0] < r->results[count - 1]) {
    const double a = acceleration(n, statistic, data, r);
    correct(out->value, r->results, count, a, &low, &high);
  }
  out->low = pf_stats_quantile(r->results, count, low);
  out->high = pf_stats_quantile(r->results, count, high);
}

pf_status pf_stats_bootstrap(const pf_bootstrap *how, size_t n, pf_statistic statistic,
                             const void *data, pf_interval *out, pf_error *error)
{
  const size_t resamples =
      how->resamples > 0 ? (size_t)how->resamples : (size_t)PF_BOOTSTRAP_RESAMPLES;
  room r = {0};
  *out = (pf_interval){NAN, NAN, NAN};
  const pf_status status = make_room(&r, n, resamples, error);
  if (status == PF_OK && n > 0) {
    for (size_t i = 0; i < n; i++) {
      r.index[i] = i;
    }
    out->value = statistic(r.index, n, data);
    if (n > 1 && !isnan(out->value)) {
      interval_of(how, n, statistic, data, resamples, &r, out);
    }
  }
  free_room(&r);
  return status;
}

/* ---- of a mean ---- */

static double mean_of(const size_t *index, size_t n, const void *data)
{
  const double *values = data;
  double sum = 0.0;
  for (size_t i = 0; i < n; i++) {
    sum += values[index[i]];
  }
  return sum / (double)n;
}

pf_status pf_stats_bootstrap_mean(const pf_bootstrap *how, const double *values, size_t n,
                                  pf_interval *out, pf_error *error)
{
  *out = (pf_interval){NAN, NAN, NAN};
  double *kept = pf_memory_need(n, sizeof *kept, error);
  if (kept == NULL) {
    return PF_STOP;
  }
  size_t count = 0;
  for (size_t i = 0; i < n; i++) {
    if (!isnan(values[i])) {
      kept[count++] = values[i];
    }
  }
  const pf_status status = pf_stats_bootstrap(how, count, mean_of, kept, out, error);
  pf_memory_free(kept);
  return status;
}
