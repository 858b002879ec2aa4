#include "npy_spikes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/** Times and clusters of all spikes. */
typedef struct spike_list {
  double *times, *clusters; /* [n] */
  int64_t n;
} spike_list;

double npy_bin_length(const char *text)
{
  double length = (double)NAN;
  char unit[8] = "", rest[2] = "";
  const int n = sscanf(text, "%lf %7[a-z] %1s", &length, unit, rest);
  if (n != 2 || !(length > 0.0) || isinf(length)) {
    return (double)NAN;
  }
  return strcmp(unit, "ms") == 0 ? length / 1000.0 : strcmp(unit, "s") == 0 ? length : (double)NAN;
}

/** `sample_rate = 30000.` of params.py, which Kilosort writes; 0: there is none. */
static double rate_beside(const char *folder)
{
  char path[4096], line[512];
  double rate = 0.0;
  (void)snprintf(path, sizeof path, "%.4000s/params.py", folder);
  FILE *in = fopen(path, "r");
  while (in != NULL && rate == 0.0 && fgets(line, sizeof line, in) != NULL) {
    double found = 0.0;
    if (sscanf(line, " sample_rate = %lf", &found) == 1 && found > 0.0 && !isinf(found)) {
      rate = found;
    }
  }
  if (in != NULL) {
    (void)fclose(in);
  }
  return rate;
}

static void free_list(const pf_host *host, spike_list *list)
{
  host->release(host, list->times);
  host->release(host, list->clusters);
  *list = (spike_list){0};
}

static pf_status no_memory(const container *of, pf_error *error)
{
  return pf_fail(error, PF_STOP, "%.300s: out of memory for its spikes", of->path);
}

/** Times in seconds. */
static pf_status read_spikes(const container *of, double rate, spike_list *out, pf_error *error)
{
  const size_t times = (size_t)container_index(of, "spike_times"),
               clusters = (size_t)container_index(of, "spike_clusters");
  out->n = of->arrays[times].rows;
  out->times = of->host->allocate(of->host, ((size_t)out->n + 1) * sizeof *out->times);
  out->clusters = of->host->allocate(of->host, ((size_t)out->n + 1) * sizeof *out->clusters);
  if (out->times == NULL || out->clusters == NULL) {
    return no_memory(of, error);
  }
  pf_status status = of->format->numbers(of, times, out->times, error);
  if (status != PF_OK) {
    return status;
  }
  status = of->format->numbers(of, clusters, out->clusters, error);
  if (status != PF_OK) {
    return status;
  }
  for (int64_t k = 0; k < out->n; k++) {
    const double cluster = out->clusters[k];
    out->times[k] /= rate;
    if (!(out->times[k] >= 0.0) || isinf(out->times[k]) || cluster != floor(cluster)) {
      return pf_fail(error, PF_STOP,
                     "%.300s: spike %lld: time %g s, cluster %g, expected a time from 0 on and a "
                     "whole number",
                     of->path, (long long)k, out->times[k], cluster);
    }
  }
  return PF_OK;
}

static int compare_numbers(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/** Bins up to the last spike; clusters that have one. */
static pf_status take_extent(const container *of, spike_list *list, npy_spikes *spikes,
                             pf_error *error)
{
  const double most_bins = 1e9;
  double last = 0.0;
  for (int64_t k = 0; k < list->n; k++) {
    last = list->times[k] > last ? list->times[k] : last;
  }
  if (last / spikes->bin >= most_bins) {
    return pf_fail_key(error, PF_STOP, "steps",
                       "%.300s: the last spike is at %g s, which is more than %g bins; is "
                       "sample_rate right?",
                       of->path, last, most_bins);
  }
  if (list->n == 0) {
    return pf_fail(error, PF_STOP, "%.300s: there is no spike in it", of->path);
  }
  spikes->n_bins = (int64_t)(last / spikes->bin) + 1;
  qsort(list->clusters, (size_t)list->n, sizeof *list->clusters, compare_numbers);
  for (int64_t k = 0; k < list->n; k++) {
    if (k == 0 || list->clusters[k] != list->clusters[k - 1]) {
      list->clusters[spikes->n_clusters++] = list->clusters[k];
    }
  }
  spikes->clusters =
      of->host->allocate(of->host, ((size_t)spikes->n_clusters + 1) * sizeof *spikes->clusters);
  if (spikes->clusters == NULL) {
    return no_memory(of, error);
  }
  memcpy(spikes->clusters, list->clusters, (size_t)spikes->n_clusters * sizeof *spikes->clusters);
  return PF_OK;
}

/** May the two arrays be spikes? Each a column of numbers, as many. */
static int are_spikes(const container *of, int64_t times, int64_t clusters)
{
  if (times < 0 || clusters < 0) {
    return 0;
  }
  const container_array *t = &of->arrays[times], *c = &of->arrays[clusters];
  return t->why == NULL && c->why == NULL && !t->is_text && !c->is_text && t->columns == 1 &&
         c->columns == 1 && t->rows == c->rows && t->n_dims > 0;
}

static pf_status add_arrays(container *of, const npy_spikes *spikes, double stored, pf_error *error)
{
  container_array *units = container_add(of, "units", error);
  if (units == NULL) {
    return PF_STOP;
  }
  units->at = NPY_UNITS;
  units->n_dims = 2;
  units->rows = spikes->n_bins;
  units->columns = spikes->n_clusters;
  units->stored = stored;
  if (container_index(of, "dt") >= 0) {
    return PF_OK;
  }
  container_array *dt = container_add(of, "dt", error);
  if (dt == NULL) {
    return PF_STOP;
  }
  dt->at = NPY_DT;
  dt->rows = spikes->n_bins;
  return PF_OK;
}

pf_status npy_add_spikes(container *of, npy_spikes *spikes, int whole, pf_error *error)
{
  const char *steps = of->choices->steps;
  const int64_t times = container_index(of, "spike_times");
  if (steps[0] == '\0') {
    return PF_OK;
  }
  if (!are_spikes(of, times, container_index(of, "spike_clusters"))) {
    return pf_fail_key(error, PF_STOP, "steps",
                       "%.300s: needs spike_times and spike_clusters, a time and a cluster of each "
                       "spike, as many in both",
                       of->path);
  }
  spikes->bin = npy_bin_length(steps);
  if (isnan(spikes->bin)) {
    return pf_fail_key(error, PF_STOP, "steps", "found \"%.40s\", expected a bin, as \"20 ms\"",
                       steps);
  }
  spikes->rate = of->choices->sample_rate > 0.0 ? of->choices->sample_rate
                 : whole                        ? rate_beside(of->path)
                                                : 1.0;
  if (spikes->rate == 0.0) {
    return pf_fail_key(
        error, PF_STOP, "sample_rate",
        "%.300s: spike_times counts samples and there is no params.py beside it; say "
        "how many a second, as sample_rate = 30000",
        of->path);
  }
  const double stored = 2.0 * sizeof(double) * (double)of->arrays[times].rows;
  if (stored > of->choices->most_memory) {
    return pf_fail_key(error, PF_STOP, "most_memory",
                       "%.300s: its %lld spikes take more than most_memory", of->path,
                       (long long)of->arrays[times].rows);
  }
  spike_list list = {0};
  pf_status status = read_spikes(of, spikes->rate, &list, error);
  if (status == PF_OK) {
    status = take_extent(of, &list, spikes, error);
  }
  free_list(of->host, &list);
  return status == PF_OK ? add_arrays(of, spikes, stored, error) : status;
}

void npy_spikes_free(const pf_host *host, npy_spikes *spikes)
{
  host->release(host, spikes->clusters);
  *spikes = (npy_spikes){0};
}

pf_status npy_spikes_read(const container *of, const npy_spikes *spikes, size_t i, double *out,
                          pf_error *error)
{
  if (of->arrays[i].at == NPY_DT) {
    for (int64_t k = 0; k < spikes->n_bins; k++) {
      out[k] = 1000.0 * spikes->bin;
    }
    return PF_OK;
  }
  spike_list list = {0};
  const pf_status status = read_spikes(of, spikes->rate, &list, error);
  memset(out, 0, (size_t)(spikes->n_bins * spikes->n_clusters) * sizeof *out);
  for (int64_t k = 0; k < list.n && status == PF_OK; k++) {
    const int64_t bin = (int64_t)(list.times[k] / spikes->bin);
    const double *cluster = bsearch(&list.clusters[k], spikes->clusters, (size_t)spikes->n_clusters,
                                    sizeof *spikes->clusters, compare_numbers);
    if (cluster != NULL && bin < spikes->n_bins) {
      out[bin * spikes->n_clusters + (cluster - spikes->clusters)] += 1.0;
    }
  }
  free_list(of->host, &list);
  return status;
}
