#include "core/stats/stats.h"

#include <math.h>
#include <stdlib.h>

static int compare_ascending(const void *a, const void *b)
{
  const double x = *(const double *)a;
  const double y = *(const double *)b;
  return (x > y) - (x < y);
}

size_t pf_stats_sort(double *values, size_t n)
{
  size_t count = 0;
  for (size_t i = 0; i < n; i++) {
    if (!isnan(values[i])) {
      const double kept = values[i];
      values[i] = values[count];
      values[count++] = kept;
    }
  }
  qsort(values, count, sizeof *values, compare_ascending);
  return count;
}

double pf_stats_quantile(const double *sorted, size_t n, double q)
{
  if (n == 0 || isnan(q)) {
    return NAN;
  }
  const double at = fmin(fmax(q, 0.0), 1.0) * (double)(n - 1);
  const size_t below = (size_t)at;
  const double share = at - (double)below;
  /* equal neighbours need no arithmetic, and infinite ones would give NaN */
  if (below + 1 >= n || !(sorted[below] < sorted[below + 1]) || share <= 0.0) {
    return sorted[below];
  }
  return sorted[below] + share * (sorted[below + 1] - sorted[below]);
}
