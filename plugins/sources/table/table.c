/*
 * table - recordings as text: CSV in long form (one row a step, columns named in the config), or
 * matrices. See README.md; everything but the options is in ../common.
 */
#include "../common/experiments.h"

static const pf_option table_options[] = {
    {.name = "path",
     .type = PF_TYPE_PATH,
     .help = "the CSV file: a header, then one row a step; with * in its name: all files like it"},
    {.name = "names",
     .type = PF_TYPE_STRINGS,
     .help = "names of the columns of a file without a header; \"roi*\": roi1, roi2, ... for all "
             "that are left"},
    {.name = "matrices[].column",
     .type = PF_TYPE_STRING,
     .required = 1,
     .help = "instead of path: what the cells of a matrix are, as the name of a column"},
    {.name = "matrices[].path",
     .type = PF_TYPE_PATH,
     .required = 1,
     .help = "its file, without a header: a row an animal, a column a trial (one column: the same "
             "in all)"},
    {.name = "transposed",
     .type = PF_TYPE_BOOL,
     .fallback = "false",
     .help =
         "a row of the file is a column, and a column a step; the first cell of each row is its "
         "name, where there are no names"},
    {.name = "folder",
     .type = PF_TYPE_PATH,
     .help = "the folder of the matrices' files, where they are not at their paths"},
    TABLE_VALUE_OPTIONS("column"),
    TABLE_INPUT_OPTIONS("columns.", "column", "x1, x2, ... or input1, ...", "y1, y2, ..."),
    TABLE_ROLE_OPTIONS("columns.", "column"),
};

static const role_variables table_variables = {
    ROLE_KEYS("columns."),
    .targets = "targets[].columns",
    .usual_inputs = (const char *const[]){"x#", "input#", NULL},
    .usual_activities = (const char *const[]){"y#", NULL},
    .no_inputs = "no columns x1, x2, ... (or input1, ...)",
    .no_activities = "no y1, y2, ...",
};

static const table_kind table_kind_of_text = {.variables = &table_variables};

static pf_status create_table(const pf_host *host, const pf_options *options, void **self,
                              pf_error *error)
{
  return table_create(host, options, &table_kind_of_text, self, error);
}

static const pf_source_ops table_ops = {
    .size = sizeof(pf_source_ops),
    .create = create_table,
    .destroy = table_destroy,
    .declare = recording_declare,
    .read = table_read,
};

static const char *const table_aliases[] = {"csv"};

static const pf_plugin table_plugin = {
    PF_PLUGIN_HEAD(PF_KIND_SOURCE),
    .name = "table",
    .version = "1.0",
    .summary = "your own recordings: a CSV file with one row a step",
    .aliases = PF_NAMES_OF(table_aliases),
    .options = PF_TABLE_OF(table_options),
    .source = &table_ops,
};

PF_PLUGIN_ENTRY(table)
{
  return &table_plugin;
}
