/*
 * npz - your own recordings, from .npz files of numpy arrays with one row a step.
 *
 * zip_arrays.c reads the archive (libzip), ../common/npy.c an array; the rest is in ../common.
 */
#include "../common/experiments.h"
#include "zip_arrays.h"

static const pf_option npz_options[] = {
    {.name = "path",
     .type = PF_TYPE_PATH,
     .required = 1,
     .help = "the .npz file: arrays with one row a step; with * in its name: all files like it"},
    TABLE_ARRAY_OPTIONS("array"),
    TABLE_AXES_OPTION("array"),
    TABLE_VALUE_OPTIONS("array"),
    TABLE_INPUT_OPTIONS("arrays.", "array", "inputs, input or x, else x1, x2, ...",
                        "activity, activities or y, else y1, y2, ..."),
    TABLE_ROLE_OPTIONS("arrays.", "array"),
};

static const role_variables npz_variables = {
    ROLE_KEYS("arrays."),
    .targets = "targets[].arrays",
    TABLE_ARRAY_NAMES,
    .no_inputs = "no array inputs, input or x, and no x1, x2, ...",
    .no_activities = "no activity, y, or y1, y2, ...",
    .one_role = 1,
};

static const table_kind npz_kind = {.format = &npz_format, .variables = &npz_variables};

TABLE_SOURCE(npz, "your own recordings: .npz files of numpy arrays with one row a step", {0})
