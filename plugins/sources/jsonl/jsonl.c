/*
 * jsonl - your own recordings, as JSON lines: an object a step, its keys as columns.
 *
 * json_lines.c reads them (jansson); the rest is in ../common.
 */
#include "../common/experiments.h"
#include "json_lines.h"

static const pf_option jsonl_options[] = {
    {.name = "path",
     .type = PF_TYPE_PATH,
     .required = 1,
     .help = "the file: an object a line; with * in its name: all files like it"},
    TABLE_ARRAY_OPTIONS("column"),
    TABLE_VALUE_OPTIONS("column"),
    TABLE_INPUT_OPTIONS("columns.", "column", "inputs, input or x, else x1, x2, ...",
                        "activity, activities or y, else y1, y2, ..."),
    TABLE_ROLE_OPTIONS("columns.", "column"),
};

static const role_variables jsonl_variables = {
    ROLE_KEYS("columns."),
    .targets = "targets[].columns",
    TABLE_ARRAY_NAMES,
    .no_inputs = "no key inputs, input or x, and no x1, x2, ...",
    .no_activities = "no activity, y, or y1, y2, ...",
    .one_role = 1,
};

static const table_kind jsonl_kind = {.format = &jsonl_format, .variables = &jsonl_variables};

static const char *const jsonl_aliases[] = {"ndjson"};

TABLE_SOURCE(jsonl, "your own recordings: JSON lines, an object a step", PF_NAMES_OF(jsonl_aliases))
