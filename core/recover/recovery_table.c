#include "core/recover/recovery_table.h"

#include "core/base/memory.h"
#include "core/recover/missed.h"

#include <math.h>

static void count_fits(pf_recovery *r)
{
  for (size_t d = 0; d < r->n_sets; d++) {
    for (size_t g = 0; g < r->n_groups; g++) {
      const pf_recover_fit *fit = &r->sets[d].fits[g];
      r->n_fits++;
      r->n_missed += fit->missed ? 1 : 0;
      r->n_short += fit->short_by > pf_recover_least_2dl ? 1 : 0;
      r->n_failed += fit->fitted ? 0 : 1;
      r->n_passes_done += fit->passes_done ? 1 : 0;
      r->n_unconverged += fit->fitted && !fit->converged && !fit->passes_done ? 1 : 0;
    }
  }
}

/** Is cell c one of the parameter's, with an estimate that counts? Not of a fit that should have
 * converged and did not. */
static bool is_counted(const pf_recovery *r, const pf_recover_set *set, size_t c, size_t parameter)
{
  const pf_recover_fit *fit = &set->fits[r->cells[c].group];
  return r->cells[c].parameter == parameter && fit->fitted && (fit->converged || fit->passes_done);
}

/** The one truth of a parameter, or that it is another in every data set, or by animal. */
static void find_truth(const pf_recovery *r, pf_recover_line *line)
{
  bool is_first = true, is_one = true;
  line->is_known = true;
  for (size_t d = 0; d < r->n_sets; d++) {
    for (size_t c = 0; c < r->n_cells; c++) {
      const double truth = r->sets[d].truths[c];
      if (!is_counted(r, &r->sets[d], c, line->parameter)) {
        continue;
      }
      line->is_known = line->is_known && !isnan(truth);
      is_one = is_one && (is_first || truth == line->truth);
      line->truth = is_first ? truth : line->truth;
      is_first = false;
    }
  }
  line->truth = is_one && !is_first ? line->truth : (double)NAN;
  line->is_known = line->is_known && !is_first;
}

/** Where there is one truth, moments of the estimates; else of their distance from their own. */
static void add_moments(const pf_recovery *r, pf_recover_line *line)
{
  const bool is_off = line->is_known && isnan(line->truth);
  double sum = 0.0, squares = 0.0;
  for (int pass = 0; pass < 2; pass++) {
    for (size_t d = 0; d < r->n_sets; d++) {
      for (size_t c = 0; c < r->n_cells; c++) {
        const double estimate = r->sets[d].estimates[c] - (is_off ? r->sets[d].truths[c] : 0.0);
        if (is_counted(r, &r->sets[d], c, line->parameter)) {
          line->n += pass == 0 ? 1 : 0;
          sum += pass == 0 ? estimate : 0.0;
          squares += pass == 0 ? 0.0 : (estimate - line->mean) * (estimate - line->mean);
        }
      }
    }
    line->mean = line->n > 0 ? sum / (double)line->n : (double)NAN;
  }
  line->sd = line->n > 1 ? sqrt(squares / (double)(line->n - 1)) : (double)NAN;
  line->bias = is_off ? line->mean : line->mean - line->truth;
  line->mean = is_off ? (double)NAN : line->mean;
  line->bias_se = line->n > 1 ? line->sd / sqrt((double)line->n) : (double)NAN;
}

static void add_coverage(const pf_recovery *r, size_t m, pf_recover_line *line)
{
  double sum = 0.0;
  size_t n_se = 0;
  for (size_t d = 0; d < r->n_sets; d++) {
    for (size_t c = 0; c < r->n_cells; c++) {
      if (!is_counted(r, &r->sets[d], c, line->parameter)) {
        continue;
      }
      const pf_recover_interval *interval = pf_recovery_interval(r, &r->sets[d], m, c);
      if (!isnan(interval->se)) {
        n_se++;
        sum += interval->se;
      }
      if (!isnan(interval->lower) && !isnan(interval->upper)) {
        line->methods[m].n++;
        line->methods[m].n_covering +=
            interval->lower <= r->sets[d].truths[c] && r->sets[d].truths[c] <= interval->upper ? 1
                                                                                               : 0;
      }
    }
  }
  const double n = (double)line->methods[m].n;
  const double level = r->problem->settings->intervals.level;
  const bool known = line->methods[m].n > 0 && line->is_known;
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
    *line = (pf_recover_line){.parameter = i, .truth = NAN};
    find_truth(r, line);
    add_moments(r, line);
    for (size_t m = 0; m < (size_t)PF_N_INTERVAL_METHODS; m++) {
      add_coverage(r, m, line);
    }
  }
  return PF_OK;
}
