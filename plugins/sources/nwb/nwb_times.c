#include "nwb_times.h"

#include <math.h>
#include <stdlib.h>

int nwb_is_in_order(const double *times, int64_t n)
{
  for (int64_t k = 0; k < n; k++) {
    if (!isfinite(times[k]) || (k > 0 && times[k] < times[k - 1])) {
      return 0;
    }
  }
  return 1;
}

static int compare_times(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

void nwb_sort(double *times, int64_t n)
{
  if (!nwb_is_in_order(times, n)) {
    qsort(times, (size_t)n, sizeof *times, compare_times);
  }
}

int64_t nwb_before(const double *times, int64_t n, double t)
{
  int64_t low = 0, high = n;
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if (times[middle] < t) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

void nwb_frames(const double *times, nwb_clock *clock)
{
  const int64_t n = clock->n;
  for (int64_t k = 0; k < n; k++) {
    clock->start[k] = times[k];
    clock->stop[k] = k + 1 < n ? times[k + 1]
                     : n > 1   ? times[k] + (times[k] - times[k - 1])
                               : (double)INFINITY;
  }
}

void nwb_mend_stops(nwb_clock *clock)
{
  for (int64_t k = 0; k < clock->n; k++) {
    if (isnan(clock->stop[k])) {
      clock->stop[k] = k + 1 < clock->n ? clock->start[k + 1] : (double)INFINITY;
    }
  }
}

void nwb_count_spikes(const nwb_clock *clock, const double *spikes, int64_t n, double *out,
                      int64_t stride)
{
  for (int64_t k = 0; k < clock->n; k++) {
    const int64_t from = nwb_before(spikes, n, clock->start[k]);
    const int64_t to = nwb_before(spikes, n, clock->stop[k]);
    out[k * stride] = to > from ? (double)(to - from) : 0.0;
  }
}

void nwb_average(const nwb_clock *clock, const nwb_samples *samples, double *out)
{
  const int64_t width = samples->columns;
  for (int64_t k = 0; k < clock->n; k++) {
    const int64_t from = nwb_before(samples->times, samples->n, clock->start[k]);
    const int64_t to = nwb_before(samples->times, samples->n, clock->stop[k]);
    for (int64_t j = 0; j < width; j++) {
      double sum = 0.0;
      int64_t n = 0;
      for (int64_t i = from; i < to; i++) {
        const double value = samples->values[i * width + j];
        sum += isnan(value) ? 0.0 : value;
        n += !isnan(value);
      }
      out[k * width + j] = n > 0 ? sum / (double)n : (double)NAN;
    }
  }
}

void nwb_rows_at(const nwb_clock *clock, const nwb_clock *table, int64_t *out)
{
  for (int64_t k = 0; k < clock->n; k++) {
    out[k] = -1;
    const double t = clock->start[k];
    for (int64_t i = nwb_before(table->start, table->n, nextafter(t, (double)INFINITY)); i > 0;
         i--) {
      if (t < table->stop[i - 1]) {
        out[k] = i - 1;
        break;
      }
      if (t - table->stop[i - 1] > 1e6) {
        break;
      }
    }
  }
}
