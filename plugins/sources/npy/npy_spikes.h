/* Spikes as sorters write them (Kilosort, phy): a time and a cluster of each, in bins. */
#ifndef PLASTFIT_PLUGINS_NPY_SPIKES_H
#define PLASTFIT_PLUGINS_NPY_SPIKES_H

#include "../common/container.h"

/** What the made arrays stand for, in container_array.at. */
enum { NPY_UNITS = -1, NPY_DT = -2 };

typedef struct npy_spikes {
  double bin;       /**< seconds */
  double rate;      /**< numbers of spike_times a second */
  double *clusters; /**< [n_clusters] those that have a spike, ascending */
  int64_t n_clusters, n_bins;
} npy_spikes;

/** The length of a bin in seconds, of "20 ms" or "0.1 s"; NaN: it is none. */
double npy_bin_length(const char *text);
/**
 * Where a folder has spike_times and spike_clusters and the option `steps` is a bin: the arrays
 * units [bins][clusters] and dt. whole: spike_times are whole numbers, samples.
 */
pf_status npy_add_spikes(container *of, npy_spikes *spikes, int whole, pf_error *error);
void npy_spikes_free(const pf_host *host, npy_spikes *spikes);
/** Numbers of one of these arrays. */
pf_status npy_spikes_read(const container *of, const npy_spikes *spikes, size_t i, double *out,
                          pf_error *error);

#endif
