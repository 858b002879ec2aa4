#define _POSIX_C_SOURCE 200809L /* glob */

#include "rows.h"

#include <glob.h>

static pf_status no_memory(pf_error *error)
{
  return pf_fail(error, PF_STOP, "out of memory for a table");
}

static char *copy_text(const pf_host *host, const char *text)
{
  char *copy = host->allocate(host, strlen(text) + 1);
  if (copy != NULL) {
    memcpy(copy, text, strlen(text) + 1);
  }
  return copy;
}

/* ---- which files ---- */

/** Room in a list of n texts: the next power of two, so that a million of them are copied a few
 * times, not each time. */
static size_t room_for(size_t n)
{
  size_t room = 16;
  while (room < n) {
    room *= 2;
  }
  return room;
}

pf_status table_add_texts(const pf_host *host, char ***list, size_t *n, const char *const *texts,
                          size_t n_texts, pf_error *error)
{
  char **larger = *list;
  if (larger == NULL || room_for(*n + n_texts) > room_for(*n)) {
    larger = host->allocate(host, room_for(*n + n_texts) * sizeof *larger);
    if (larger == NULL) {
      return no_memory(error);
    }
    if (*n > 0) {
      memcpy(larger, *list, *n * sizeof *larger);
    }
    host->release(host, *list);
    *list = larger;
  }
  for (size_t i = 0; i < n_texts; i++) {
    larger[*n] = copy_text(host, texts[i]);
    if (larger[*n] == NULL) {
      return no_memory(error);
    }
    (*n)++;
  }
  return PF_OK;
}

static pf_status find_by_pattern(const pf_host *host, const char *pattern, table_files *out,
                                 pf_error *error)
{
  glob_t found;
  const int failed = glob(pattern, 0, NULL, &found);
  if (failed == GLOB_NOMATCH) {
    return pf_fail(error, PF_STOP, "%.500s: no file has a name like this", pattern);
  }
  if (failed != 0) {
    return pf_fail(error, PF_STOP, "%.500s: the folder cannot be read", pattern);
  }
  const pf_status status = table_add_texts(
      host, &out->paths, &out->n, (const char *const *)found.gl_pathv, found.gl_pathc, error);
  globfree(&found);
  return status;
}

pf_status table_find_paths(const pf_host *host, const char *path, table_files *out, pf_error *error)
{
  FILE *file = fopen(path, "rb"); /* a name with * in it may be a file's own */
  if (file != NULL) {
    (void)fclose(file);
  }
  return file == NULL && strpbrk(path, "*?[") != NULL
             ? find_by_pattern(host, path, out, error)
             : table_add_texts(host, &out->paths, &out->n, &path, 1, error);
}

/** The path of matrix i: of its name in `folder` where that is given. */
static void matrix_path(const pf_options *options, int64_t i, char *path, size_t capacity)
{
  char key[64];
  (void)snprintf(key, sizeof key, "matrices[%lld].path", (long long)i);
  const char *own = options->string(options, key);
  if (!options->present(options, "folder")) {
    (void)snprintf(path, capacity, "%s", own);
    return;
  }
  const char *slash = strrchr(own, '/');
  (void)snprintf(path, capacity, "%s/%s", options->string(options, "folder"),
                 slash == NULL ? own : slash + 1);
}

static pf_status find_matrices(const pf_host *host, const pf_options *options, table_files *out,
                               pf_error *error)
{
  const int64_t n = options->length(options, "matrices");
  out->matrices = 1;
  for (int64_t i = 0; i < n; i++) {
    char key[64];
    (void)snprintf(key, sizeof key, "matrices[%lld].column", (long long)i);
    const char *name = options->string(options, key);
    char place[4096];
    matrix_path(options, i, place, sizeof place);
    const char *path = place;
    if (table_add_texts(host, &out->header, &out->width, &name, 1, error) != PF_OK ||
        table_add_texts(host, &out->paths, &out->n, &path, 1, error) != PF_OK) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

/* ---- the header ---- */

static int compare_texts(const void *a, const void *b)
{
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static pf_status refuse_twins(const pf_host *host, const table_files *files, const char *path,
                              pf_error *error)
{
  const char **sorted = host->allocate(host, (files->width + 1) * sizeof *sorted);
  if (sorted == NULL) {
    return no_memory(error);
  }
  for (size_t i = 0; i < files->width; i++) {
    sorted[i] = files->header[i];
  }
  qsort(sorted, files->width, sizeof *sorted, compare_texts);
  pf_status status = PF_OK;
  for (size_t i = 1; i < files->width && status == PF_OK; i++) {
    if (sorted[i][0] != '\0' && strcmp(sorted[i - 1], sorted[i]) == 0) {
      status = pf_fail(error, PF_STOP, "%.300s:1: there are two columns '%.60s'", path, sorted[i]);
    }
  }
  host->release(host, sorted);
  return status;
}

/** Names from the config: one that ends in * names all columns that are left, by number. */
static pf_status take_given_names(const pf_host *host, const pf_options *options, size_t n_columns,
                                  table_files *files, pf_error *error)
{
  const char *path = files->paths[0];
  const int64_t n = options->length(options, "names");
  files->headerless = 1;
  for (int64_t i = 0; i < n; i++) {
    const char *name = options->string_at(options, "names", i);
    const size_t stem = strcspn(name, "*");
    const size_t left = n_columns - files->width;
    const size_t behind = (size_t)(n - i - 1);
    const size_t many = name[stem] != '*' ? 1 : left > behind ? left - behind : 0;
    for (size_t k = 1; k <= many; k++) {
      char numbered[100];
      (void)snprintf(numbered, sizeof numbered, "%.*s%zu", (int)(stem < 60 ? stem : 60), name, k);
      const char *one = name[stem] == '*' ? numbered : name;
      if (table_add_texts(host, &files->header, &files->width, &one, 1, error) != PF_OK) {
        return PF_STOP;
      }
    }
  }
  if (files->width != n_columns) {
    return pf_fail_key(error, PF_STOP, "names", "%.300s: found %zu columns, but %zu names", path,
                       n_columns, files->width);
  }
  return refuse_twins(host, files, path, error);
}

/** A header of numbers is the first row of a table that has none. */
static pf_status check_header(const pf_csv *csv, pf_error *error)
{
  for (size_t i = 0; i < csv->n_fields; i++) {
    double value = 0.0;
    if (pf_csv_field(csv, i)[0] == '\0' || !pf_csv_number(pf_csv_field(csv, i), &value)) {
      return PF_OK;
    }
  }
  return pf_fail(error, PF_STOP,
                 "%.300s:%lld: found a row of %zu numbers, expected names of columns; for a file "
                 "without a header give names = [\"...\", ...]",
                 csv->path, (long long)csv->line, csv->n_fields);
}

static pf_status take_header(const pf_host *host, const pf_options *options, pf_csv *csv,
                             table_files *files, pf_error *error)
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
  if (options->length(options, "names") > 0) {
    return take_given_names(host, options, csv->n_fields, files, error);
  }
  if (check_header(csv, error) != PF_OK) {
    return PF_STOP;
  }
  for (size_t i = 0; i < csv->n_fields; i++) {
    const char *name = pf_csv_field(csv, i);
    if (table_add_texts(host, &files->header, &files->width, &name, 1, error) != PF_OK) {
      return PF_STOP;
    }
  }
  if (refuse_twins(host, files, csv->path, error) != PF_OK) {
    return PF_STOP;
  }
  status = pf_csv_next(csv, &got, error);
  if (status == PF_OK && !got) {
    return pf_fail(error, PF_STOP, "%.300s: has a header and no rows: there is no trial in it",
                   csv->path);
  }
  return status == PF_OK ? pf_csv_check_width(csv, files->width, error) : status;
}

/** Is it one of several by number, as roi12 is: a cell that another animal may not have? */
static int is_numbered(const char *name)
{
  const size_t n = strlen(name);
  return n > 1 && name[n - 1] >= '0' && name[n - 1] <= '9';
}

static int has_column(const table_files *files, const char *name)
{
  for (size_t i = 0; i < files->width; i++) {
    if (roles_same_word(files->header[i], name)) {
      return 1;
    }
  }
  return 0;
}

/** Numbered columns of a further file that the files before have not: another animal has more
 * cells. */
static pf_status add_numbered_columns(const pf_host *host, const char *path, table_files *files,
                                      pf_error *error)
{
  pf_csv csv;
  int got = 0;
  pf_status status = pf_csv_open(&csv, path, error);
  if (status != PF_OK) {
    return status;
  }
  status = pf_csv_next(&csv, &got, error);
  for (size_t i = 0; i < csv.n_fields; i++) {
    const char *name = pf_csv_field(&csv, i);
    if (status == PF_OK && is_numbered(name) && !has_column(files, name)) {
      status = table_add_texts(host, &files->header, &files->width, &name, 1, error);
    }
  }
  pf_csv_close(&csv);
  return status;
}

/* ---- a row of the file is a column ---- */

/** Room for one more row of the file. */
static pf_status add_kept_row(const pf_host *host, table_files *files, size_t n, size_t *capacity,
                              pf_error *error)
{
  if (n < *capacity) {
    return PF_OK;
  }
  const size_t larger = *capacity == 0 ? 64 : 2 * *capacity;
  char ***cells = host->allocate(host, larger * sizeof *cells);
  int64_t *lines = host->allocate(host, larger * sizeof *lines);
  if (cells == NULL || lines == NULL) {
    host->release(host, cells);
    host->release(host, lines);
    return no_memory(error);
  }
  if (n > 0) {
    memcpy(cells, files->cells, n * sizeof *cells);
    memcpy(lines, files->lines, n * sizeof *lines);
  }
  host->release(host, files->cells);
  host->release(host, files->lines);
  files->cells = cells;
  files->lines = lines;
  *capacity = larger;
  return PF_OK;
}

/** The fields of the current row from `first` on: pointers and text in one block. */
static char **keep_fields(const pf_host *host, const pf_csv *csv, size_t first)
{
  const size_t n = csv->n_fields - first;
  char **fields = host->allocate(host, n * sizeof *fields + csv->length + 1);
  if (fields == NULL) {
    return NULL;
  }
  char *text = (char *)(fields + n);
  memcpy(text, csv->row, csv->length);
  for (size_t k = 0; k < n; k++) {
    fields[k] = text + csv->starts[first + k];
  }
  return fields;
}

/** Keep the current row, whose cells are steps from the field `first` on. */
static pf_status keep_row(const pf_host *host, const pf_csv *csv, size_t first, size_t *capacity,
                          table_files *files, pf_error *error)
{
  const size_t n = files->n_kept;
  if (csv->n_fields <= first) {
    return pf_fail(error, PF_STOP, "%.300s:%lld: found %zu cells, expected a name and values",
                   csv->path, (long long)csv->line, csv->n_fields);
  }
  files->n_steps = n == 0 ? csv->n_fields - first : files->n_steps;
  if (pf_csv_check_width(csv, files->n_steps + first, error) != PF_OK ||
      add_kept_row(host, files, n, capacity, error) != PF_OK) {
    return PF_STOP;
  }
  files->lines[n] = csv->line;
  files->cells[n] = keep_fields(host, csv, first);
  if (files->cells[n] == NULL) {
    return no_memory(error);
  }
  files->n_kept++;
  if (first == 0) {
    return PF_OK;
  }
  const char *name = pf_csv_field(csv, 0);
  return table_add_texts(host, &files->header, &files->width, &name, 1, error);
}

static pf_status find_transposed(const pf_host *host, const pf_options *options, table_files *out,
                                 pf_error *error)
{
  pf_csv csv;
  size_t capacity = 0;
  int got = 0;
  const int is_named = options->length(options, "names") > 0;
  if (out->n > 1) {
    return pf_fail_key(error, PF_STOP, "transposed",
                       "found %zu files, expected one: only a single file can be transposed",
                       out->n);
  }
  pf_status status = pf_csv_open(&csv, out->paths[0], error);
  if (status != PF_OK) {
    return status;
  }
  out->transposed = 1;
  status = pf_csv_next(&csv, &got, error);
  while (status == PF_OK && got) {
    status = keep_row(host, &csv, is_named ? 0 : 1, &capacity, out, error);
    if (status == PF_OK) {
      status = pf_csv_next(&csv, &got, error);
    }
  }
  if (status == PF_OK && is_named) {
    status = take_given_names(host, options, out->n_kept, out, error);
  } else if (status == PF_OK) {
    status = refuse_twins(host, out, out->paths[0], error);
  }
  pf_csv_close(&csv);
  return status;
}

pf_status table_files_find(const pf_host *host, const pf_options *options, table_files *out,
                           pf_error *error)
{
  const int has_path = options->present(options, "path");
  out->word = "column";
  out->where = ":1";
  out->has = "the header has";
  const int has_matrices = options->length(options, "matrices") > 0;
  if (has_path == has_matrices) {
    return pf_fail_key(error, PF_STOP, "path",
                       "found %s, expected either path or matrices: where the recordings are",
                       has_path ? "both path and matrices" : "neither path nor matrices");
  }
  if (has_matrices) {
    return find_matrices(host, options, out, error);
  }
  pf_status status = table_find_paths(host, options->string(options, "path"), out, error);
  if (status != PF_OK) {
    return status;
  }
  if (options->boolean(options, "transposed")) {
    return find_transposed(host, options, out, error);
  }
  pf_csv csv;
  status = pf_csv_open(&csv, out->paths[0], error);
  if (status != PF_OK) {
    return status;
  }
  status = take_header(host, options, &csv, out, error);
  pf_csv_close(&csv);
  for (size_t k = 1; k < out->n; k++) {
    if (status == PF_OK && !out->headerless) {
      status = add_numbered_columns(host, out->paths[k], out, error);
    }
  }
  return status;
}

static void free_texts(const pf_host *host, char **texts, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    host->release(host, texts[i]);
  }
  host->release(host, texts);
}

void table_files_free(const pf_host *host, table_files *files)
{
  free_texts(host, files->paths, files->n);
  free_texts(host, files->header, files->width);
  for (size_t i = 0; i < files->n_kept; i++) {
    host->release(host, files->cells[i]);
  }
  host->release(host, files->cells);
  host->release(host, files->lines);
  table_arrays_free(host, files);
  *files = (table_files){0};
}

pf_status table_files_note(const pf_host *host, const table_files *files, pf_error *error)
{
  char line[500];
  pf_csv csv;
  if (files->format != NULL) {
    return PF_OK;
  }
  const pf_status status = pf_csv_open(&csv, files->paths[0], error);
  if (status != PF_OK) {
    return status;
  }
  if (csv.separator != ',') {
    (void)snprintf(line, sizeof line, "%.300s: columns are separated by %s%s", csv.path,
                   csv.separator == '\t'  ? "tabs"
                   : csv.separator == ';' ? "semicolons"
                                          : "spaces",
                   csv.decimal == ',' ? ", numbers have a decimal comma" : "");
    host->warn(host, line);
  }
  if (csv.n_comments > 0) {
    (void)snprintf(line, sizeof line, "%.300s: %lld lines with # before the header are left out",
                   csv.path, (long long)csv.n_comments);
    host->warn(host, line);
  }
  pf_csv_close(&csv);
  return PF_OK;
}

/* ---- rows of a file ---- */

static int64_t field_named(const pf_csv *csv, const char *name)
{
  for (size_t i = 0; i < csv->n_fields; i++) {
    if (roles_same_word(pf_csv_field(csv, i), name)) {
      return (int64_t)i;
    }
  }
  return -1;
}

static pf_status other_columns(const table_rows *rows, const char *name, pf_error *error)
{
  return pf_fail(
      error, PF_STOP,
      "%.300s:%lld: found other columns than in %.300s ('%.60s' is not in both), expected "
      "the same header in all files of a pattern; only numbered ones (roi12) may be "
      "missing",
      rows->open->path, (long long)rows->open->line, rows->files->paths[0], name);
}

/** Where the columns stand in this file: in any order, and numbered ones may be missing. */
static pf_status find_order(table_rows *rows, pf_error *error)
{
  const pf_csv *csv = rows->open;
  const table_files *files = rows->files;
  size_t found = 0;
  if (rows->order == NULL) {
    rows->order = rows->host->allocate(rows->host, (files->width + 1) * sizeof *rows->order);
    if (rows->order == NULL) {
      return no_memory(error);
    }
  }
  for (size_t i = 0; i < files->width; i++) {
    rows->order[i] = field_named(csv, files->header[i]);
    found += rows->order[i] >= 0 ? 1U : 0U;
    if (rows->order[i] < 0 && !is_numbered(files->header[i])) {
      return other_columns(rows, files->header[i], error);
    }
  }
  rows->n_fields = csv->n_fields;
  return found == csv->n_fields ? PF_OK : other_columns(rows, pf_csv_field(csv, 0), error);
}

static pf_status open_file(table_rows *rows, pf_error *error)
{
  int got = 0;
  pf_status status = pf_csv_open(rows->open, rows->files->paths[rows->file], error);
  if (status != PF_OK) {
    return status;
  }
  rows->is_open = 1;
  rows->n_fields = rows->files->width;
  if (rows->files->headerless) {
    return PF_OK;
  }
  status = pf_csv_next(rows->open, &got, error);
  rows->n_fields = rows->open->n_fields;
  return status == PF_OK && rows->files->n > 1 ? find_order(rows, error) : status;
}

/** A row of empty cells, as spreadsheets leave behind the last one. */
static int is_blank(const pf_csv *csv)
{
  for (size_t i = 0; i < csv->n_fields; i++) {
    if (pf_csv_field(csv, i)[0] != '\0') {
      return 0;
    }
  }
  return csv->n_fields > 1;
}

/** Behind a row of empty cells: only such rows follow, or they are in the middle of the data. */
static pf_status skip_blank(pf_csv *csv, int *got, pf_error *error)
{
  const int64_t line = csv->line;
  pf_status status = pf_csv_next(csv, got, error);
  while (status == PF_OK && *got && is_blank(csv)) {
    status = pf_csv_next(csv, got, error);
  }
  if (status == PF_OK && *got) {
    return pf_fail(error, PF_STOP,
                   "%.300s:%lld: every cell of this row is empty, and more rows follow; expected "
                   "such rows only at the end of the file",
                   csv->path, (long long)line);
  }
  return status;
}

static pf_status next_of_file(table_rows *rows, int *got, pf_error *error)
{
  *got = 0;
  while (rows->file < rows->files->n) {
    if (!rows->is_open && open_file(rows, error) != PF_OK) {
      return PF_STOP;
    }
    pf_status status = pf_csv_next(rows->open, got, error);
    if (status == PF_OK && *got && is_blank(rows->open)) {
      status = skip_blank(rows->open, got, error);
    }
    if (status != PF_OK || *got) {
      return status == PF_OK ? pf_csv_check_width(rows->open, rows->n_fields, error) : status;
    }
    pf_csv_close(rows->open);
    rows->is_open = 0;
    rows->file++;
  }
  return PF_OK;
}

/* ---- rows of matrices ---- */

static pf_status open_matrices(table_rows *rows, pf_error *error)
{
  for (; rows->is_open < (int)rows->files->n; rows->is_open++) {
    const size_t k = (size_t)rows->is_open;
    const pf_status status = pf_csv_open(&rows->open[k], rows->files->paths[k], error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

/** The next animal: a row of every matrix. */
static pf_status next_of_matrices(table_rows *rows, int *got, pf_error *error)
{
  const table_files *files = rows->files;
  rows->n_trials = 1;
  rows->trial = 0;
  rows->row++;
  for (size_t k = 0; k < files->n; k++) {
    int one = 0;
    pf_csv *csv = &rows->open[k];
    const pf_status status = pf_csv_next(csv, &one, error);
    if (status != PF_OK) {
      return status;
    }
    if (k > 0 && one != *got) {
      return pf_fail(error, PF_STOP, "%.300s has %s rows than %.300s, expected a row an animal",
                     files->paths[k], one ? "more" : "fewer", files->paths[0]);
    }
    *got = one;
    if (one && csv->n_fields > 1 && rows->n_trials > 1 && csv->n_fields != rows->n_trials) {
      return pf_fail(error, PF_STOP, "%.300s:%lld: found %zu cells, expected %zu as in %.300s",
                     csv->path, (long long)csv->line, csv->n_fields, rows->n_trials,
                     files->paths[0]);
    }
    if (one && csv->n_fields > 1) {
      rows->n_trials = csv->n_fields;
    }
  }
  return PF_OK;
}

static pf_status next_trial_of_matrices(table_rows *rows, int *got, pf_error *error)
{
  if (open_matrices(rows, error) != PF_OK) {
    return PF_STOP;
  }
  if (rows->n_trials > 0 && rows->trial + 1 < rows->n_trials) {
    rows->trial++;
    *got = 1;
    return PF_OK;
  }
  return next_of_matrices(rows, got, error);
}

pf_status table_rows_next(table_rows *rows, int *got, pf_error *error)
{
  if (rows->files->format != NULL) {
    return table_arrays_next(rows, got, error);
  }
  if (rows->open == NULL) {
    const size_t n = rows->files->matrices ? rows->files->n : 1;
    rows->open = rows->host->allocate(rows->host, n * sizeof *rows->open);
    if (rows->open == NULL) {
      return no_memory(error);
    }
  }
  if (rows->files->transposed) {
    rows->trial += rows->open->path != NULL ? 1 : 0;
    rows->open->path = rows->files->paths[0];
    rows->open->line = (int64_t)rows->trial + 1;
    *got = rows->trial < rows->files->n_steps;
    return PF_OK;
  }
  return rows->files->matrices ? next_trial_of_matrices(rows, got, error)
                               : next_of_file(rows, got, error);
}

void table_rows_end(table_rows *rows)
{
  if (rows->files->format != NULL) {
    table_arrays_end(rows);
    return;
  }
  for (int k = 0; k < rows->is_open; k++) {
    pf_csv_close(&rows->open[k]);
  }
  rows->host->release(rows->host, rows->open);
  rows->host->release(rows->host, rows->order);
  rows->order = NULL;
  rows->open = NULL;
  rows->is_open = 0;
}
