/*
 * jsonl - your own recordings, as JSON lines: an object a step, its keys as columns.
 *
 * json_lines.c reads them (jansson); the rest is in ../common.
 */
#include "../common/experiments.h"
#include "json_lines.h"

TABLE_ARRAYS(jsonl, "column", "the file: an object a line; with * in its name: all files like it",
             "", )

static const char *const jsonl_aliases[] = {"ndjson"};

TABLE_SOURCE(jsonl, "your own recordings: JSON lines, an object a step", PF_NAMES_OF(jsonl_aliases))
