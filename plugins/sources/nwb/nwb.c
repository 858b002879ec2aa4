/*
 * nwb - recordings in NWB 2 files: a table of trials or epochs, spikes of units, series.
 *
 * nwb_file.c makes arrays of one row a step of them, with nwb_times.c; the rest is in ../common.
 */
#include "../common/experiments.h"
#include "nwb_file.h"

static const pf_option nwb_options[] = {
    {.name = "path",
     .type = PF_TYPE_PATH,
     .required = 1,
     .help = "the NWB file; with * in its name: all files like it"},
    {.name = "steps",
     .type = PF_TYPE_STRING,
     .help = "what a step is: a row of a table of intervals (\"trials\", the default, \"epochs\"), "
             "a frame of a series (its name), a bin (\"20 ms\")"},
    TABLE_ARRAY_OPTIONS("column"),
    TABLE_VALUE_OPTIONS("column"),
    TABLE_INPUT_OPTIONS("columns.", "column", "inputs, input or x, else x1, x2, ...",
                        "activity, activities or y, else y1, y2, ..."),
    TABLE_ROLE_OPTIONS("columns.", "column"),
};

static const role_variables nwb_variables = {
    ROLE_KEYS("columns."),
    .targets = "targets[].columns",
    TABLE_ARRAY_NAMES,
    .no_inputs = "no column inputs, input or x, and no x1, x2, ...",
    .no_activities = "no activity, y, or y1, y2, ... (units and series by their names)",
    .one_role = 1,
};

static const table_kind nwb_kind = {.format = &nwb_format, .variables = &nwb_variables};

TABLE_SOURCE(nwb, "your own recordings: trials, units and series of NWB files", {0})
