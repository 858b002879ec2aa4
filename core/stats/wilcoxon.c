#include "core/base/memory.h"
#include "core/stats/stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/** A difference's size, its sign and, once sorted, twice its mid-rank: a whole number, whatever the
 * ties. */
typedef struct ranked {
  double size;
  bool is_plus;
  size_t doubled;
} ranked;

static int by_size(const void *a, const void *b)
{
  const double x = ((const ranked *)a)->size;
  const double y = ((const ranked *)b)->size;
  return (x > y) - (x < y);
}

static void rank_all(ranked *items, size_t n)
{
  qsort(items, n, sizeof *items, by_size);
  for (size_t i = 0; i < n;) {
    size_t end = i + 1;
    while (end < n && !(items[end].size > items[i].size)) {
      end++;
    }
    for (size_t k = i; k < end; k++) {
      items[k].doubled = i + 1 + end; /* the mean of ranks i + 1 .. end, doubled */
    }
    i = end;
  }
}

/**
 * P(plus >= at least), with plus in doubled ranks. chance[s] is P(the sum over the first k ranks is
 * s); each further rank is in the sum with probability 1/2. Probabilities rather than counts: they
 * cannot overflow, and as multiples of 2^-n they are exact up to n = 53.
 */
static pf_status upper_tail(const ranked *items, size_t n, size_t at_least, double *out,
                            pf_error *error)
{
  const size_t largest = n * (n + 1);
  double *chance = pf_memory_need(largest + 1, sizeof *chance, error);
  if (chance == NULL) {
    return PF_STOP;
  }
  chance[0] = 1.0;
  size_t reached = 0;
  for (size_t k = 0; k < n; k++) {
    const size_t r = items[k].doubled;
    reached += r;
    for (size_t s = reached + 1;
         s-- > 0;) { /* downwards, so that chance[s - r] is still without rank k */
      chance[s] = 0.5 * chance[s] + (s >= r ? 0.5 * chance[s - r] : 0.0);
    }
  }
  double tail = 0.0;
  for (size_t s = largest + 1; s-- > at_least;) { /* the smallest terms first */
    tail += chance[s];
  }
  pf_memory_free(chance);
  *out = tail;
  return PF_OK;
}

static double approximate_p(const ranked *items, size_t n, double larger)
{
  double variance = 0.0;
  for (size_t k = 0; k < n; k++) {
    const double rank = 0.5 * (double)items[k].doubled;
    variance += 0.25 * rank * rank;
  }
  const double mean = 0.25 * (double)n * ((double)n + 1.0);
  return fmin(1.0, 2.0 * pf_stats_normal(-fmax(larger - mean - 0.5, 0.0) / sqrt(variance)));
}

pf_status pf_stats_wilcoxon(const double *differences, size_t n, pf_wilcoxon *out, pf_error *error)
{
  *out = (pf_wilcoxon){.p = 1.0, .is_exact = true};
  ranked *items = pf_memory_need(n, sizeof *items, error);
  if (items == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; i < n; i++) {
    const double d = differences[i];
    if (d > 0.0 || d < 0.0) {
      items[out->n++] = (ranked){.size = fabs(d), .is_plus = d > 0.0};
    } else if (!isnan(d)) {
      out->n_zero++;
    }
  }
  rank_all(items, out->n);
  size_t plus = 0;
  for (size_t i = 0; i < out->n; i++) {
    plus += items[i].is_plus ? items[i].doubled : 0;
  }
  const size_t all = out->n * (out->n + 1);
  const size_t larger = plus > all - plus ? plus : all - plus;
  out->plus = 0.5 * (double)plus;
  out->minus = 0.5 * (double)(all - plus);
  out->is_exact = out->n <= PF_WILCOXON_EXACT;
  pf_status status = PF_OK;
  if (out->n > 0 && out->is_exact) {
    double tail = 1.0;
    status = upper_tail(items, out->n, larger, &tail, error);
    out->p = fmin(1.0, 2.0 * tail);
  } else if (out->n > 0) {
    out->p = approximate_p(items, out->n, 0.5 * (double)larger);
  }
  pf_memory_free(items);
  return status;
}
