#include "core/evaluate/averages.h"

#include "core/base/memory.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>

double pf_mean(const double *values, size_t n)
{
  double sum = 0.0;
  size_t count = 0;
  for (size_t i = 0; i < n; i++) {
    if (!isnan(values[i])) {
      sum += values[i];
      count++;
    }
  }
  return count > 0 ? sum / (double)count : NAN;
}

static int compare_values(const void *a, const void *b)
{
  const double x = *(const double *)a;
  const double y = *(const double *)b;
  return (x > y) - (x < y);
}

double pf_median(double *values, size_t n)
{
  size_t count = 0;
  for (size_t i = 0; i < n; i++) {
    if (!isnan(values[i])) {
      values[count++] = values[i];
    }
  }
  if (count == 0) {
    return NAN;
  }
  qsort(values, count, sizeof *values, compare_values);
  return count % 2 == 1 ? values[count / 2] : 0.5 * (values[count / 2 - 1] + values[count / 2]);
}

pf_scores pf_scores_none(void)
{
  return (pf_scores){.no_plasticity = NAN,
                     .mean_rate = NAN,
                     .r2_weights = NAN,
                     .r2_activity = NAN,
                     .log_likelihood = NAN};
}

static const size_t figures[] = {offsetof(pf_scores, no_plasticity), offsetof(pf_scores, mean_rate),
                                 offsetof(pf_scores, r2_weights), offsetof(pf_scores, r2_activity),
                                 offsetof(pf_scores, log_likelihood)};

pf_status pf_scores_summarise(const pf_animal_result *animals, size_t n, pf_scores *mean,
                              pf_scores *median, pf_error *error)
{
  double *values = pf_memory_need(n, sizeof *values, error);
  if (values == NULL) {
    return PF_STOP;
  }
  *mean = pf_scores_none();
  for (size_t i = 0; i < n; i++) {
    mean->n_scored += animals[i].scores.n_scored;
    mean->n_still += animals[i].scores.n_still;
  }
  *median = *mean;
  for (size_t f = 0; f < sizeof figures / sizeof figures[0]; f++) {
    for (size_t i = 0; i < n; i++) {
      values[i] = *(const double *)((const char *)&animals[i].scores + figures[f]);
    }
    *(double *)((char *)mean + figures[f]) = pf_mean(values, n);
    *(double *)((char *)median + figures[f]) = pf_median(values, n);
  }
  pf_memory_free(values);
  return PF_OK;
}
