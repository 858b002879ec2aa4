/* The table of a recovery: each parameter over all data sets. */
#include "core/base/memory.h"
#include "core/recover/recover.h"

#include <math.h>

static void count_fits(pf_recovery *r)
{
  for (size_t d = 0; d < r->n_sets; d++) {
    for (size_t u = 0; u < r->n_groups; u++) {
      r->n_fits++;
      r->n_missed += r->sets[d].missed[u] ? 1 : 0;
      r->n_failed += r->sets[d].fitted[u] ? 0 : 1;
      r->n_unconverged += r->sets[d].fitted[u] && !r->sets[d].converged[u] ? 1 : 0;
    }
  }
}

/* Does an estimate count? Of an optimiser that does not stop by itself (adam) all that worked do.
 */
static bool counts(const pf_recovery *r, const pf_recover_set *set, size_t c)
{
  const size_t u = r->cells[c].group;
  const bool stops = r->n_unconverged < r->n_fits - r->n_failed;
  return set->fitted[u] && (set->converged[u] || !stops);
}

static void add_moments(const pf_recovery *r, pf_recover_line *line)
{
  double sum = 0.0, squares = 0.0;
  for (int pass = 0; pass < 2; pass++) {
    for (size_t d = 0; d < r->n_sets; d++) {
      for (size_t c = 0; c < r->n_cells; c++) {
        const double estimate = r->sets[d].estimates[c];
        if (r->cells[c].parameter == line->parameter && counts(r, &r->sets[d], c)) {
          line->n += pass == 0 ? 1 : 0;
          sum += pass == 0 ? estimate : 0.0;
          squares += pass == 0 ? 0.0 : (estimate - line->mean) * (estimate - line->mean);
        }
      }
    }
    line->mean = line->n > 0 ? sum / (double)line->n : (double)NAN;
  }
  line->sd = line->n > 1 ? sqrt(squares / (double)(line->n - 1)) : (double)NAN;
  line->bias = line->mean - line->truth;
  line->bias_se = line->n > 1 ? line->sd / sqrt((double)line->n) : (double)NAN;
}

static void add_coverage(const pf_recovery *r, size_t m, pf_recover_line *line)
{
  double sum = 0.0;
  size_t n_se = 0;
  for (size_t d = 0; d < r->n_sets; d++) {
    for (size_t c = 0; c < r->n_cells; c++) {
      if (r->cells[c].parameter != line->parameter || !counts(r, &r->sets[d], c)) {
        continue;
      }
      const double *interval = r->sets[d].intervals + (m * r->n_cells + c) * 3;
      if (!isnan(interval[0])) {
        n_se++;
        sum += interval[0];
      }
      if (!isnan(interval[1]) && !isnan(interval[2])) {
        line->methods[m].n++;
        line->methods[m].n_covering +=
            interval[1] <= line->truth && line->truth <= interval[2] ? 1 : 0;
      }
    }
  }
  const double n = (double)line->methods[m].n;
  const double level = r->problem->settings->intervals.level;
  const bool known = line->methods[m].n > 0 && !isnan(line->truth);
  line->methods[m].mean_se = n_se > 0 ? sum / (double)n_se : (double)NAN;
  line->methods[m].coverage = known ? (double)line->methods[m].n_covering / n : (double)NAN;
  line->methods[m].coverage_se = known ? sqrt(level * (1.0 - level) / n) : (double)NAN;
}

pf_status pf_recover_tabulate(pf_recovery *r, pf_error *error)
{
  const size_t n_parameters = r->problem->model->n_parameters;
  r->lines = pf_memory_need(n_parameters, sizeof *r->lines, error);
  if (r->lines == NULL) {
    return PF_STOP;
  }
  count_fits(r);
  for (size_t i = 0; i < n_parameters; i++) {
    bool fitted = false;
    for (size_t c = 0; c < r->n_cells; c++) {
      fitted = fitted || r->cells[c].parameter == i;
    }
    if (!fitted) {
      continue;
    }
    pf_recover_line *line = &r->lines[r->n_lines++];
    *line = (pf_recover_line){.parameter = i, .truth = r->truth[i]};
    add_moments(r, line);
    for (size_t m = 0; m < (size_t)PF_N_INTERVAL_METHODS; m++) {
      add_coverage(r, m, line);
    }
  }
  return PF_OK;
}
