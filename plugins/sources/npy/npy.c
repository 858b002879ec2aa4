/*
 * npy - recordings in bare .npy files, as suite2p writes them: arrays named as their files are.
 *
 * npy_files.c finds the files, npy_spikes.c puts spike times into bins, ../common/npy.c reads an
 * array; the rest is in ../common.
 */
#include "../common/experiments.h"
#include "npy_files.h"

TABLE_ARRAYS(
    npy, "array",
    "the .npy files: one, all of a folder, or all like a name with *: arrays with one row a "
    "step, named as their files",
    "",
    {.name = "steps",
     .type = PF_TYPE_STRING,
     .help = "bins of spikes, \"20 ms\": of spike_times and spike_clusters (Kilosort, phy) the "
             "array units is made, the spikes of each cluster in each bin, and dt"},
    {.name = "sample_rate",
     .type = PF_TYPE_REAL,
     .unit = "Hz",
     .lower = 1e-9,
     .upper = 1e12,
     .help = "what spike_times counts, where these are whole numbers; default: that of params.py "
             "beside it"},
    TABLE_AXES_OPTION("array"), )

TABLE_SOURCE(npy, "your own recordings: bare .npy files, each an array with one row a step", {0})
