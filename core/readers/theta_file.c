#include "core/readers/theta_file.h"
#include "core/base/memory.h"
#include <plastfit/author/csv.h>

#include <math.h>

enum {
  UNIT,
  OWNER,
  NAME,
  ESTIMATE,
  STATUS,
  ANIMAL,
  EXPERIMENT,
  SE,
  LOWER,
  UPPER,
  LEVEL,
  METHOD,
  VERDICT,
  NOTE,
  N_COLUMNS
};
static const char *const column_names[N_COLUMNS] = {
    "unit", "owner",    "name",     "estimate", "status",    "animal",  "experiment",
    "se",   "ci_lower", "ci_upper", "ci_level", "ci_method", "verdict", "note"};

typedef struct reader {
  pf_csv csv;
  size_t columns[N_COLUMNS];
  size_t width; /* of the header */
  pf_theta_file *file;
  size_t max_rows, max_texts, max_units;
} reader;

/** Room for one more in an array that doubles. */
static void *grow_rows(void *items, size_t n, size_t *most, size_t size, pf_error *error)
{
  if (n < *most) {
    return items;
  }
  const size_t larger = *most == 0 ? 64 : 2 * *most;
  void *moved = pf_memory_need(larger, size, error);
  if (moved != NULL && n > 0) {
    memcpy(moved, items, n * size);
  }
  if (moved != NULL) {
    pf_memory_free(items);
    *most = larger;
  }
  return moved;
}

/** The text among those kept, from the last: units and owners repeat row by row. */
static const char *keep_text(reader *read, const char *text, pf_error *error)
{
  pf_theta_file *file = read->file;
  for (size_t i = file->n_texts; i > 0; i--) {
    if (strcmp(file->texts[i - 1], text) == 0) {
      return file->texts[i - 1];
    }
  }
  char **texts = grow_rows(file->texts, file->n_texts, &read->max_texts, sizeof *texts, error);
  if (texts == NULL) {
    return NULL;
  }
  file->texts = texts;
  file->texts[file->n_texts] = pf_memory_string(text, error);
  return file->texts[file->n_texts] == NULL ? NULL : file->texts[file->n_texts++];
}

static pf_status read_header(reader *read, pf_error *error)
{
  int got = 0;
  const pf_status status = pf_csv_next(&read->csv, &got, error);
  if (status != PF_OK) {
    return status;
  }
  read->width = got ? read->csv.n_fields : 0;
  for (int k = 0; k < N_COLUMNS; k++) {
    size_t i = 0;
    while (i < read->width && strcmp(pf_csv_field(&read->csv, i), column_names[k]) != 0) {
      i++;
    }
    read->columns[k] = i;
    if (i == read->width && k < ANIMAL) {
      return pf_fail(error, PF_STOP,
                     "%.500s:1: has no column '%s'; expected a theta.csv as this version of "
                     "plastfit writes it",
                     read->csv.path, column_names[k]);
    }
  }
  return PF_OK;
}

static pf_status note_unit(reader *read, const char *unit, pf_error *error)
{
  pf_theta_file *file = read->file;
  for (size_t u = file->n_units; u > 0; u--) {
    if (file->units[u - 1] == unit) {
      return PF_OK;
    }
  }
  const char **units =
      grow_rows((void *)file->units, file->n_units, &read->max_units, sizeof *units, error);
  if (units == NULL) {
    return PF_STOP;
  }
  file->units = units;
  file->units[file->n_units++] = unit;
  return PF_OK;
}

/** The field of a column that may be absent, or empty. */
static const char *optional_column(const reader *read, int column)
{
  return read->columns[column] < read->width ? pf_csv_field(&read->csv, read->columns[column]) : "";
}

/** NaN where there is none. */
static double optional_number(const reader *read, int column)
{
  double value = NAN;
  return pf_csv_number(optional_column(read, column), &value) ? value : (double)NAN;
}

static pf_status read_inferred(reader *read, pf_theta_row *row, pf_error *error)
{
  row->status = keep_text(read, optional_column(read, STATUS), error);
  row->method = keep_text(read, optional_column(read, METHOD), error);
  row->verdict = keep_text(read, optional_column(read, VERDICT), error);
  row->note = keep_text(read, optional_column(read, NOTE), error);
  row->se = optional_number(read, SE);
  row->lower = optional_number(read, LOWER);
  row->upper = optional_number(read, UPPER);
  row->level = optional_number(read, LEVEL);
  return row->status == NULL || row->method == NULL || row->verdict == NULL || row->note == NULL
             ? PF_STOP
             : PF_OK;
}

/** Which value the row is of. */
static pf_status read_names(reader *read, pf_theta_row *row, pf_error *error)
{
  const pf_csv *csv = &read->csv;
  const char *experiment = optional_column(read, EXPERIMENT);
  double number = -1.0;
  row->unit = keep_text(read, pf_csv_field(csv, read->columns[UNIT]), error);
  row->owner = keep_text(read, pf_csv_field(csv, read->columns[OWNER]), error);
  row->name = keep_text(read, pf_csv_field(csv, read->columns[NAME]), error);
  row->animal = keep_text(read, optional_column(read, ANIMAL), error);
  if (row->unit == NULL || row->owner == NULL || row->name == NULL || row->animal == NULL) {
    return PF_STOP;
  }
  if (experiment[0] != '\0' &&
      (!pf_csv_number(experiment, &number) || !(number >= 0.0 && number < 1e15))) {
    return pf_fail(error, PF_STOP,
                   "%.500s:%lld: experiment: found '%.60s', expected a number from 0", csv->path,
                   (long long)csv->line, experiment);
  }
  row->experiment = (int64_t)number;
  return PF_OK;
}

static pf_status read_estimate(const reader *read, pf_theta_row *row, pf_error *error)
{
  const pf_csv *csv = &read->csv;
  const char *estimate = pf_csv_field(csv, read->columns[ESTIMATE]);
  const char *word = pf_csv_field(csv, read->columns[STATUS]);
  row->failed = strcmp(word, "failed") == 0;
  if (!pf_csv_number(estimate, &row->estimate) || (!row->failed && !isfinite(row->estimate))) {
    return pf_fail(error, PF_STOP, "%.500s:%lld: estimate: found '%.60s', expected a finite number",
                   csv->path, (long long)csv->line, estimate);
  }
  return PF_OK;
}

/** Rows of a unit stand together: looking back to its first is enough. */
static pf_status check_stands_once(const reader *read, const pf_theta_row *row, pf_error *error)
{
  const pf_theta_file *file = read->file;
  for (size_t i = file->n_rows; i > 0 && file->rows[i - 1].unit == row->unit; i--) {
    const pf_theta_row *other = &file->rows[i - 1];
    if (other->owner == row->owner && other->name == row->name && other->animal == row->animal &&
        other->experiment == row->experiment) {
      return pf_fail(error, PF_STOP, "%.500s:%lld: '%s' of '%s' stands twice for '%s'",
                     read->csv.path, (long long)read->csv.line, row->name, row->owner, row->unit);
    }
  }
  return PF_OK;
}

static pf_status read_row(reader *read, pf_error *error)
{
  pf_theta_file *file = read->file;
  pf_theta_row row = {.experiment = -1};
  if (pf_csv_check_width(&read->csv, read->width, error) != PF_OK) {
    return PF_STOP;
  }
  pf_theta_row *rows = grow_rows(file->rows, file->n_rows, &read->max_rows, sizeof *rows, error);
  if (rows == NULL) {
    return PF_STOP;
  }
  file->rows = rows;
  if (read_names(read, &row, error) != PF_OK || read_estimate(read, &row, error) != PF_OK ||
      read_inferred(read, &row, error) != PF_OK || check_stands_once(read, &row, error) != PF_OK) {
    return PF_STOP;
  }
  file->rows[file->n_rows++] = row;
  return note_unit(read, row.unit, error);
}

static pf_status read_rows(reader *read, const char *path, pf_error *error)
{
  int got = 0;
  pf_status status = read_header(read, error);
  if (status != PF_OK) {
    return status;
  }
  read->file->path = pf_memory_string(path, error);
  if (read->file->path == NULL) {
    return PF_STOP;
  }
  for (;;) {
    status = pf_csv_next(&read->csv, &got, error);
    if (status != PF_OK) {
      return status;
    }
    if (!got) {
      break;
    }
    status = read_row(read, error);
    if (status != PF_OK) {
      return status;
    }
  }
  if (read->file->n_rows == 0) {
    return pf_fail(error, PF_STOP, "%.500s: has a header and no rows: nothing was fitted", path);
  }
  return PF_OK;
}

pf_status pf_theta_file_read(const char *path, pf_theta_file **out, pf_error *error)
{
  reader read = {0};
  pf_status status = pf_csv_open(&read.csv, path, error);
  if (status != PF_OK) {
    return status;
  }
  read.file = pf_memory_need(1, sizeof *read.file, error);
  status = read.file == NULL ? PF_STOP : read_rows(&read, path, error);
  pf_csv_close(&read.csv);
  if (status != PF_OK) {
    pf_theta_file_free(read.file);
    return status;
  }
  *out = read.file;
  return PF_OK;
}

void pf_theta_file_free(pf_theta_file *file)
{
  if (file == NULL) {
    return;
  }
  for (size_t i = 0; i < file->n_texts; i++) {
    pf_memory_free(file->texts[i]);
  }
  pf_memory_free(file->texts);
  pf_memory_free((void *)file->units);
  pf_memory_free(file->rows);
  pf_memory_free(file->path);
  pf_memory_free(file);
}

const pf_theta_row *pf_theta_file_find(const pf_theta_file *file, const char *unit,
                                       const char *owner, const char *name, const char *animal,
                                       int64_t experiment)
{
  for (size_t i = 0; i < file->n_rows; i++) {
    const pf_theta_row *row = &file->rows[i];
    if (row->experiment == experiment && strcmp(row->unit, unit) == 0 &&
        strcmp(row->owner, owner) == 0 && strcmp(row->name, name) == 0 &&
        strcmp(row->animal, animal) == 0) {
      return row;
    }
  }
  return NULL;
}

bool pf_theta_file_is_shared(const pf_theta_file *file)
{
  return file->n_units == 1 && strcmp(file->units[0], "all") == 0;
}
