#include "core/evaluate/averages.h"

#include "core/base/memory.h"

#include <math.h>
#include <stddef.h>
#include <stdint.h>
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

bool pf_residuals_are_correlated(double correlation, int64_t n_cells)
{
  const double least = 0.2, deviations = 5.0;
  return correlation > least && correlation * sqrt((double)n_cells) > deviations;
}

pf_scores pf_scores_none(void)
{
  return (pf_scores){.no_plasticity = NAN,
                     .mean_rate = NAN,
                     .baselines = {NAN, NAN},
                     .at_stake_baselines = {NAN, NAN},
                     .r2_weights = NAN,
                     .r2_activity = NAN,
                     .residual_correlation = NAN,
                     .log_likelihood = NAN,
                     .monte_carlo_error = NAN,
                     .at_stake_no_plasticity = NAN,
                     .at_stake_mean_rate = NAN};
}

static const size_t by_cells = SIZE_MAX, by_none = SIZE_MAX - 1;

/** Figures, and what an animal weighs in the mean of all together. */
static const struct {
  size_t figure, weight; /**< offsets in pf_scores, or by_cells, by_none */
} figures[] = {{offsetof(pf_scores, no_plasticity), offsetof(pf_scores, at_stake_no_plasticity)},
               {offsetof(pf_scores, mean_rate), offsetof(pf_scores, at_stake_mean_rate)},
               {offsetof(pf_scores, baselines[PF_BASELINE_WIN_STAY]),
                offsetof(pf_scores, at_stake_baselines[PF_BASELINE_WIN_STAY])},
               {offsetof(pf_scores, baselines[PF_BASELINE_HISTORY]),
                offsetof(pf_scores, at_stake_baselines[PF_BASELINE_HISTORY])},
               {offsetof(pf_scores, r2_weights), by_cells},
               {offsetof(pf_scores, r2_activity), by_cells},
               {offsetof(pf_scores, residual_correlation), by_cells},
               {offsetof(pf_scores, log_likelihood), by_none}};

static double number_at(const pf_scores *scores, size_t offset)
{
  return *(const double *)((const char *)scores + offset);
}

static double weighted_mean(const pf_animal_result *animals, size_t n, size_t figure, size_t weight)
{
  double sum = 0.0, weights = 0.0;
  for (size_t i = 0; i < n; i++) {
    const pf_scores *scores = &animals[i].scores;
    const double value = number_at(scores, figure);
    const double w = weight == by_cells ? (double)scores->n_scored : number_at(scores, weight);
    if (!isnan(value) && w > 0.0) {
      sum += w * value;
      weights += w;
    }
  }
  return weights > 0.0 ? sum / weights : NAN;
}

/** Has an animal that was scored few cells, and are there others? */
static bool has_few_cells(const pf_animal_result *animals, size_t n)
{
  bool has_few = false;
  size_t n_scored = 0;
  for (size_t i = 0; i < n; i++) {
    const bool is_scored =
        !isnan(animals[i].scores.log_likelihood) || !isnan(animals[i].scores.no_plasticity);
    n_scored += is_scored ? 1 : 0;
    has_few = has_few || (is_scored && animals[i].scores.n_scored < PF_FEW_CELLS);
  }
  return has_few && n_scored > 1;
}

double pf_monte_carlo_percent(const pf_animal_result *animals, size_t n)
{
  double squares = 0.0;
  size_t n_animals = 0;
  for (size_t i = 0; i < n; i++) {
    const pf_scores *scores = &animals[i].scores;
    const double percent = 200.0 * scores->monte_carlo_error / scores->at_stake_no_plasticity;
    if (!isnan(percent)) {
      squares += percent * percent;
      n_animals++;
    }
  }
  return n_animals > 0 ? sqrt(squares) / (double)n_animals : (double)NAN;
}

/* Of the mean log likelihood over animals. */
static double mean_error(const pf_animal_result *animals, size_t n)
{
  double squares = 0.0;
  size_t n_animals = 0;
  for (size_t i = 0; i < n; i++) {
    const double error = animals[i].scores.monte_carlo_error;
    if (!isnan(error)) {
      squares += error * error;
      n_animals++;
    }
  }
  return n_animals > 0 ? sqrt(squares) / (double)n_animals : (double)NAN;
}

pf_status pf_scores_summarise(const pf_animal_result *animals, size_t n, pf_scores *mean,
                              pf_scores *median, bool *pooled, pf_error *error)
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
  mean->monte_carlo_error = mean_error(animals, n);
  *pooled = has_few_cells(animals, n);
  for (size_t f = 0; f < sizeof figures / sizeof figures[0]; f++) {
    for (size_t i = 0; i < n; i++) {
      values[i] = number_at(&animals[i].scores, figures[f].figure);
    }
    const bool is_weighted = *pooled && figures[f].weight != by_none;
    *(double *)((char *)mean + figures[f].figure) =
        is_weighted ? weighted_mean(animals, n, figures[f].figure, figures[f].weight)
                    : pf_mean(values, n);
    *(double *)((char *)median + figures[f].figure) = pf_median(values, n);
  }
  pf_memory_free(values);
  return PF_OK;
}
