#include "columns.h"

#include <plastfit/author/csv.h>

/* ---- the header and the first row ---- */

static pf_status no_memory(const pf_csv *csv, pf_error *error)
{
  return pf_fail(error, PF_STOP, "%.300s: out of memory for its columns", csv->path);
}

static int has_column(const table_columns *c, const char *name)
{
  for (size_t i = 0; i < c->width; i++) {
    if (strcmp(c->header[i], name) == 0) {
      return 1;
    }
  }
  return 0;
}

static pf_status take_header(const pf_host *host, const pf_csv *csv, table_columns *c,
                             pf_error *error)
{
  c->header = host->allocate(host, csv->n_fields * sizeof *c->header);
  c->numeric = host->allocate(host, csv->n_fields);
  if (c->header == NULL || c->numeric == NULL) {
    return no_memory(csv, error);
  }
  for (; c->width < csv->n_fields; c->width++) {
    const char *name = pf_csv_field(csv, c->width);
    if (name[0] != '\0' && has_column(c, name)) {
      return pf_fail(error, PF_STOP, "%.300s:1: there are two columns '%.60s'", csv->path, name);
    }
    c->header[c->width] = host->allocate(host, strlen(name) + 1);
    if (c->header[c->width] == NULL) {
      return no_memory(csv, error);
    }
    memcpy(c->header[c->width], name, strlen(name) + 1);
  }
  return PF_OK;
}

/** What was told from the first rows, and not by the config. */
static void note_format(const pf_host *host, const pf_csv *csv)
{
  char line[500];
  if (csv->separator != ',') {
    (void)snprintf(line, sizeof line, "%.300s: columns are separated by %s%s", csv->path,
                   csv->separator == '\t'  ? "tabs"
                   : csv->separator == ';' ? "semicolons"
                                           : "spaces",
                   csv->decimal == ',' ? ", numbers have a decimal comma" : "");
    host->warn(host, line);
  }
  if (csv->n_comments > 0) {
    (void)snprintf(line, sizeof line, "%.300s: %lld lines with # before the header are left out",
                   csv->path, (long long)csv->n_comments);
    host->warn(host, line);
  }
}

static pf_status read_first_rows(const pf_host *host, pf_csv *csv, table_columns *c,
                                 pf_error *error)
{
  int got = 0;
  pf_status status = pf_csv_next(csv, &got, error);
  if (status != PF_OK) {
    return status;
  }
  if (!got) {
    return pf_fail(error, PF_STOP,
                   "%.300s: is empty, expected a row of column names and rows of data", csv->path);
  }
  status = take_header(host, csv, c, error);
  if (status != PF_OK) {
    return status;
  }
  status = pf_csv_next(csv, &got, error);
  if (status == PF_OK && !got) {
    return pf_fail(error, PF_STOP, "%.300s: has a header and no rows: there is no trial in it",
                   csv->path);
  }
  if (status == PF_OK) {
    status = pf_csv_check_width(csv, c->width, error);
  }
  for (size_t i = 0; i < c->width && status == PF_OK; i++) {
    double value = 0.0;
    c->numeric[i] = pf_csv_number(pf_csv_field(csv, i), &value) != 0;
  }
  return status;
}

static pf_status look(const pf_host *host, const char *path, table_columns *c, pf_error *error)
{
  pf_csv csv;
  pf_status status = pf_csv_open(&csv, path, error);
  if (status != PF_OK) {
    return status;
  }
  note_format(host, &csv);
  status = read_first_rows(host, &csv, c, error);
  pf_csv_close(&csv);
  return status;
}

/* ---- which is what ---- */

static const char *name_of(const void *self, size_t i)
{
  return ((const table_columns *)self)->header[i];
}

static int may_be_channel(const void *self, size_t i)
{
  return ((const table_columns *)self)->numeric[i];
}

static const role_variables column_roles = {
    ROLE_KEYS("columns."),
    .single[ROLE_STEP] = "columns.step",
    .targets = "targets[].columns",
    .word = "column",
    .where = ":1",
    .has = "the header has",
    .usual_inputs = (const char *const[]){"x#", "input#", NULL},
    .usual_activities = (const char *const[]){"y#", NULL},
    .no_inputs = "no columns x1, x2, ... (or input1, ...)",
    .no_activities = "no y1, y2, ...",
    .name = name_of,
    .may_be_channel = may_be_channel,
};

pf_status table_find_columns(recording *of, const pf_options *options, table_columns *out,
                             pf_error *error)
{
  const pf_status status = look(of->host, of->path, out, error);
  return status == PF_OK ? roles_find(of->host, of->path, &column_roles, out, out->width, options,
                                      &of->roles, error)
                         : status;
}

void table_free_columns(const pf_host *host, table_columns *columns)
{
  for (size_t i = 0; i < columns->width; i++) {
    host->release(host, columns->header[i]);
  }
  host->release(host, columns->header);
  host->release(host, columns->numeric);
}
