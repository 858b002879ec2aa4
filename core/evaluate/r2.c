#include "core/evaluate/r2.h"
#include "core/base/memory.h"
#include "core/evaluate/evaluate.h"
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

/* Sums over time for every synapse of one projection; time is the outer loop, as the workspace keeps whole matrices. */
typedef struct synapse_sums {
  double *first, *mean, *sse, *sst; /* [n_post * n_pre] */
  unsigned char *varies;
} synapse_sums;

static void add_to_means(synapse_sums *sums, const pf_plastic *p, const pf_workspace *truth, size_t index, int64_t n)
{
  int64_t ld = 0;
  for (int64_t k = 1; k <= n; k++) {
    const pf_real *w = pf_workspace_weights(truth, index, k, &ld);
    for (int64_t i = 0; i < p->n_post; i++) {
      for (int64_t j = 0; j < p->n_pre; j++) {
        const int64_t s = i * p->n_pre + j;
        const double value = (double)w[i * ld + j];
        sums->first[s] = k == 1 ? value : sums->first[s];
        sums->mean[s] += value / (double)n;
        sums->varies[s] |= value != sums->first[s];
      }
    }
  }
}

static void add_to_squares(synapse_sums *sums, const pf_plastic *p, const pf_workspace *truth, const pf_workspace *run,
                           size_t index, int64_t n)
{
  int64_t ld_truth = 0;
  int64_t ld_run = 0;
  for (int64_t k = 1; k <= n; k++) {
    const pf_real *a = pf_workspace_weights(truth, index, k, &ld_truth);
    const pf_real *b = pf_workspace_weights(run, index, k, &ld_run);
    for (int64_t i = 0; i < p->n_post; i++) {
      for (int64_t j = 0; j < p->n_pre; j++) {
        const int64_t s = i * p->n_pre + j;
        const double error = (double)a[i * ld_truth + j] - (double)b[i * ld_run + j];
        const double spread = (double)a[i * ld_truth + j] - sums->mean[s];
        sums->sse[s] += error * error;
        sums->sst[s] += spread * spread;
      }
    }
  }
}

pf_status pf_r2_weights(const pf_model *model, const pf_workspace *truth, const pf_workspace *run, double *r2,
                        int64_t *n_still, pf_error *error)
{
  double sum = 0.0;
  int64_t count = 0;
  *n_still = 0;
  for (size_t p = 0; p < model->n_plastic; p++) {
    const pf_plastic *plastic = &model->plastic[p];
    const size_t n_synapses = (size_t)plastic->n_post * (size_t)plastic->n_pre;
    const int64_t n_changes = pf_workspace_n_changes(truth, p);
    if (n_changes != pf_workspace_n_changes(run, p)) {
      return pf_fail(error, PF_STOP, "the truth changed its weights %lld times, the model %lld times",
                     (long long)n_changes, (long long)pf_workspace_n_changes(run, p));
    }
    if (n_changes == 0 || n_synapses == 0) {
      *n_still += (int64_t)n_synapses;
      continue;
    }
    double *memory = pf_memory_need(4 * n_synapses, sizeof *memory, error);
    unsigned char *varies = pf_memory_need(n_synapses, 1, error);
    if (memory == NULL || varies == NULL) {
      pf_memory_free(memory);
      pf_memory_free(varies);
      return PF_STOP;
    }
    synapse_sums sums = {.first = memory,
                         .mean = memory + n_synapses,
                         .sse = memory + 2 * n_synapses,
                         .sst = memory + 3 * n_synapses,
                         .varies = varies};
    add_to_means(&sums, plastic, truth, p, n_changes);
    add_to_squares(&sums, plastic, truth, run, p, n_changes);
    for (size_t s = 0; s < n_synapses; s++) {
      if (varies[s] && sums.sst[s] > 0.0) {
        sum += 1.0 - sums.sse[s] / sums.sst[s];
        count++;
      } else {
        (*n_still)++;
      }
    }
    pf_memory_free(memory);
    pf_memory_free(varies);
  }
  *r2 = count > 0 ? sum / (double)count : NAN;
  return PF_OK;
}

pf_status pf_r2_columns(const double *truth, int64_t ld_truth, const pf_real *run, int64_t ld_run,
                        const uint32_t *flags, uint32_t flag, int64_t n_steps, int64_t n, double *r2, pf_error *error)
{
  double *memory = pf_memory_need(2 * (size_t)n_steps, sizeof *memory, error);
  if (memory == NULL) {
    return PF_STOP;
  }
  double *column_truth = memory;
  double *column_run = memory + n_steps;
  double sum = 0.0;
  int64_t count = 0;
  for (int64_t c = 0; c < n; c++) {
    int64_t m = 0;
    for (int64_t t = 0; t < n_steps; t++) {
      if (flags[t] & flag) {
        column_truth[m] = truth[t * ld_truth + c];
        column_run[m] = (double)run[t * ld_run + c];
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
