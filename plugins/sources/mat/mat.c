/*
 * mat - your own recordings, from .mat files of version 5 to 7.3: variables and fields of structs.
 *
 * mat_arrays.c lists and reads them (matio); the rest is in ../common.
 */
#include "../common/experiments.h"
#include "mat_arrays.h"

static const pf_option mat_options[] = {
    {.name = "path",
     .type = PF_TYPE_PATH,
     .required = 1,
     .help = "the .mat file: arrays with one row a step; with * in its name: all files like it"},
    TABLE_ARRAY_OPTIONS("array"),
    TABLE_VALUE_OPTIONS("array"),
    TABLE_INPUT_OPTIONS("arrays.", "array", "inputs, input or x, else x1, x2, ...",
                        "activity, activities or y, else y1, y2, ..."),
    TABLE_ROLE_OPTIONS("arrays.", "array"),
};

static const role_variables mat_variables = {
    ROLE_KEYS("arrays."),
    .targets = "targets[].arrays",
    TABLE_ARRAY_NAMES,
    .no_inputs = "no array inputs, input or x, and no x1, x2, ...",
    .no_activities = "no activity, y, or y1, y2, ...",
    .one_role = 1,
};

static const table_kind mat_kind = {.format = &mat_format, .variables = &mat_variables};

TABLE_SOURCE(mat, "your own recordings: arrays of MATLAB files with one row a step", {0})
