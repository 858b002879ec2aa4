/*
 * nwb - recordings in NWB 2 files: a table of trials or epochs, spikes of units, series.
 *
 * nwb_file.c makes arrays of one row a step of them, with nwb_times.c; the rest is in ../common.
 */
#include "../common/experiments.h"
#include "nwb_file.h"

TABLE_ARRAYS(
    nwb, "column", "the NWB file; with * in its name: all files like it",
    " (units and series by their names)",
    {.name = "steps",
     .type = PF_TYPE_STRING,
     .help = "what a step is: a row of a table of intervals (\"trials\", the default, \"epochs\"), "
             "a frame of a series (its name), a bin (\"20 ms\")"}, )

TABLE_SOURCE(nwb, "your own recordings: trials, units and series of NWB files", {0})
