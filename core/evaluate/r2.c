#include "core/evaluate/r2.h"
#include "core/base/memory.h"
#include "core/model/plastic.h"
#include <math.h>

double pf_r2(const double *truth, const double *model, int64_t n)
{
  double sum = 0.0;
  double first = NAN;
  int64_t count = 0;
  bool varies = false;
  for (int64_t i = 0; i < n; i++) {
    if (!isnan(truth[i]) && !isnan(model[i])) {
      varies = varies || (count > 0 && truth[i] != first);
      first = count == 0 ? truth[i] : first;
      sum += truth[i];
      count++;
    }
  }
  if (!varies) { /* asked of the values, as rounding of the mean may leave a tiny SST */
    return NAN;
  }
  const double mean = sum / (double)count;
  double sse = 0.0;
  double sst = 0.0;
  for (int64_t i = 0; i < n; i++) {
    if (!isnan(truth[i]) && !isnan(model[i])) {
      sse += (truth[i] - model[i]) * (truth[i] - model[i]);
      sst += (truth[i] - mean) * (truth[i] - mean);
    }
  }
  return sst > 0.0 ? 1.0 - sse / sst : NAN;
}

/* A block of rows of one projection through time: states of the truth and of the model, one after
 * the other. */
typedef struct row_block {
  int64_t n_rows, n_pre, ld, n_changes;
  const pf_real *truth, *run; /* [n_changes + 1][n_rows][ld] */
} row_block;

/* 1 - SSE/SST of one synapse over the states after each change; NaN where the truth never varies.
 */
static double r2_of_synapse(const row_block *rows, int64_t i, int64_t j)
{
  const int64_t next = rows->n_rows * rows->ld, at = i * rows->ld + j;
  const double n = (double)rows->n_changes, first = (double)rows->truth[next + at];
  double mean = 0.0, sse = 0.0, sst = 0.0;
  bool varies = false;
  for (int64_t k = 1; k <= rows->n_changes; k++) {
    const double value = (double)rows->truth[k * next + at];
    mean += value / n;
    varies = varies || value != first;
  }
  for (int64_t k = 1; k <= rows->n_changes; k++) {
    const double value = (double)rows->truth[k * next + at];
    const double error = value - (double)rows->run[k * next + at];
    sse += error * error;
    sst += (value - mean) * (value - mean);
  }
  return varies && sst > 0.0 ? 1.0 - sse / sst : NAN;
}

/* Over the synapses so far. */
typedef struct r2_sums {
  double sum;
  int64_t n, n_still;
} r2_sums;

static void add_row(const row_block *rows, int64_t i, r2_sums *sums)
{
  for (int64_t j = 0; j < rows->n_pre; j++) {
    const double r2 = r2_of_synapse(rows, i, j);
    if (isnan(r2)) {
      sums->n_still++;
    } else {
      sums->sum += r2;
      sums->n++;
    }
  }
}

/* The synapses of plastic projection p, a block of rows at a time so that memory stays small. */
static pf_status add_projection(size_t p, const pf_simulation *truth, const pf_simulation *run,
                                r2_sums *sums, pf_error *error)
{
  const pf_plastic *plastic = &run->model->plastic[p];
  const pf_workspace *workspace = truth->workspaces.items[0];
  const int64_t at_once = pf_workspace_rows_at_once(workspace, p);
  row_block rows = {.n_pre = plastic->n_pre,
                    .ld = pf_workspace_ld(workspace, p),
                    .n_changes = pf_workspace_n_changes(workspace)};
  const size_t cells = (size_t)(rows.n_changes + 1) * (size_t)(at_once * rows.ld);
  pf_real *memory = pf_memory_need(2 * cells, sizeof *memory, error);
  if (memory == NULL) {
    return PF_STOP;
  }
  pf_status status = PF_OK;
  rows.truth = memory;
  rows.run = memory + cells;
  for (int64_t row0 = 0; row0 < plastic->n_post; row0 += at_once) {
    rows.n_rows = plastic->n_post - row0 < at_once ? plastic->n_post - row0 : at_once;
    status = pf_simulation_rows(truth, p, row0, rows.n_rows, memory, error);
    if (status != PF_OK) {
      break;
    }
    status = pf_simulation_rows(run, p, row0, rows.n_rows, memory + cells, error);
    if (status != PF_OK) {
      break;
    }
    for (int64_t i = 0; i < rows.n_rows; i++) {
      if (pf_plastic_has_row(plastic, row0 + i)) {
        add_row(&rows, i, sums);
      }
    }
  }
  pf_memory_free(memory);
  return status;
}

pf_status pf_r2_weights(const pf_simulation *truth, const pf_simulation *run, double *r2,
                        int64_t *n_still, pf_error *error)
{
  const pf_model *model = run->model;
  r2_sums sums = {0};
  for (size_t p = 0; p < model->n_plastic; p++) {
    const pf_plastic *plastic = &model->plastic[p];
    const int64_t n_changes = pf_workspace_n_changes(truth->workspaces.items[0]);
    if (n_changes != pf_workspace_n_changes(run->workspaces.items[0])) {
      return pf_fail(
          error, PF_STOP, "the truth changed its weights %lld times, the model %lld times",
          (long long)n_changes, (long long)pf_workspace_n_changes(run->workspaces.items[0]));
    }
    if (n_changes == 0) {
      for (size_t r = 0; r < plastic->n_ranges; r++) {
        sums.n_still += plastic->ranges[r].n * plastic->n_pre;
      }
      continue;
    }
    const pf_status status = add_projection(p, truth, run, &sums, error);
    if (status != PF_OK) {
      return status;
    }
  }
  *r2 = sums.n > 0 ? sums.sum / (double)sums.n : NAN;
  *n_still = sums.n_still;
  return PF_OK;
}

pf_status pf_r2_columns(const pf_column_pairs *of, double *r2, pf_error *error)
{
  double *memory = pf_memory_need(2 * (size_t)of->n_steps, sizeof *memory, error);
  if (memory == NULL) {
    return PF_STOP;
  }
  double *column_truth = memory;
  double *column_run = memory + of->n_steps;
  double sum = 0.0;
  int64_t count = 0;
  for (int64_t c = 0; c < of->n; c++) {
    int64_t m = 0;
    for (int64_t t = 0; t < of->n_steps; t++) {
      if (of->flags[t] & of->flag) {
        column_truth[m] = of->truth[t * of->ld_truth + c];
        column_run[m] = (double)of->run[t * of->ld_run + c];
        m++;
      }
    }
    const double one = pf_r2(column_truth, column_run, m);
    if (!isnan(one)) {
      sum += one;
      count++;
    }
  }
  pf_memory_free(memory);
  *r2 = count > 0 ? sum / (double)count : NAN;
  return PF_OK;
}

static double residual_at(const pf_column_pairs *of, int64_t t, int64_t c)
{
  return (of->flags[t] & of->flag) != 0
             ? of->truth[t * of->ld_truth + c] - (double)of->run[t * of->ld_run + c]
             : (double)NAN;
}

double pf_residual_correlation(const pf_column_pairs *of)
{
  double products = 0.0;
  double squares = 0.0;
  for (int64_t c = 0; c < of->n; c++) {
    double sum = 0.0;
    int64_t n = 0;
    for (int64_t t = 0; t < of->n_steps; t++) {
      const double e = residual_at(of, t, c);
      if (!isnan(e)) {
        sum += e;
        n++;
      }
    }
    const double mean = n > 0 ? sum / (double)n : 0.0;
    for (int64_t t = 0; t + 1 < of->n_steps; t++) {
      const double now = residual_at(of, t, c) - mean;
      const double next = residual_at(of, t + 1, c) - mean;
      if (!isnan(now) && !isnan(next)) {
        products += now * next;
        squares += 0.5 * (now * now + next * next);
      }
    }
  }
  return squares > 0.0 ? products / squares : (double)NAN;
}
