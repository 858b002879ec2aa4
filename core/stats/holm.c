#include "core/base/memory.h"
#include "core/stats/stats.h"

#include <math.h>
#include <stdlib.h>

typedef struct hypothesis {
  double p;
  size_t index;
} hypothesis;

static int by_p(const void *a, const void *b)
{
  const hypothesis *x = a;
  const hypothesis *y = b;
  return x->p != y->p ? (x->p > y->p) - (x->p < y->p)
                      : (x->index > y->index) - (x->index < y->index);
}

pf_status pf_stats_holm(const double *p, size_t n, double *adjusted, pf_error *error)
{
  hypothesis *items = pf_memory_need(n, sizeof *items, error);
  if (items == NULL) {
    return PF_STOP;
  }
  size_t count = 0;
  for (size_t i = 0; i < n; i++) {
    if (!isnan(p[i])) {
      items[count++] = (hypothesis){p[i], i};
    }
    adjusted[i] = p[i];
  }
  qsort(items, count, sizeof *items, by_p);
  double largest = 0.0; /* no adjusted p may be below that of a smaller p */
  for (size_t k = 0; k < count; k++) {
    largest = fmax(largest, fmin(1.0, (double)(count - k) * items[k].p));
    adjusted[items[k].index] = largest;
  }
  pf_memory_free(items);
  return PF_OK;
}
