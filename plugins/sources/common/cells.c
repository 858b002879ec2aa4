#include "rows.h"

/** The open file that a column's cell stands in. */
static const pf_csv *csv_of(const table_rows *rows, size_t column)
{
  return &rows->open[rows->files->matrices ? column : 0];
}

/** The array that a column is part of, and where the cell stands in it. */
static const table_values *array_cell(const table_rows *rows, size_t column, size_t *at)
{
  const table_files *files = rows->files;
  const table_place place = files->places[column];
  const table_values *values = &rows->values[place.array];
  int64_t row = rows->row, part = place.part;
  if (files->by_animal) {
    row = rows->row / (int64_t)rows->n_trials;
    part = values->columns == 1 ? 0 : rows->row % (int64_t)rows->n_trials;
  }
  if (values->n_dims == 0) {
    row = part = 0;
  }
  if (part >= values->columns) { /* other files have more columns */
    *at = SIZE_MAX;
    return values;
  }
  *at = (size_t)(files->turned[place.array] ? part * values->rows + row
                                            : row * values->columns + part);
  return values;
}

int table_cell_is_number(const table_rows *rows, size_t column, double *value)
{
  size_t at = 0;
  if (rows->files->format == NULL) {
    return 0;
  }
  const table_values *values = array_cell(rows, column, &at);
  if (values->numbers == NULL) {
    return 0;
  }
  *value = at == SIZE_MAX ? (double)NAN : values->numbers[at];
  return 1;
}

static const char *array_text(const table_rows *rows, size_t column)
{
  size_t at = 0;
  const table_values *values = array_cell(rows, column, &at);
  if (at == SIZE_MAX) {
    return "";
  }
  if (values->numbers == NULL) {
    return values->texts[at] == NULL ? "" : values->texts[at];
  }
  const double value = values->numbers[at];
  if (isnan(value)) {
    return "";
  }
  const int whole = floor(value) == value && fabs(value) < 9e15;
  (void)snprintf(rows->scratch, TABLE_SCRATCH, whole ? "%.0f" : "%.17g", value);
  return rows->scratch;
}

const char *table_cell(const table_rows *rows, size_t column)
{
  const table_files *files = rows->files;
  if (files->format != NULL) {
    return array_text(rows, column);
  }
  if (files->transposed) {
    return files->cells[column][rows->trial];
  }
  const pf_csv *csv = csv_of(rows, column);
  if (!files->matrices && rows->order != NULL) {
    return rows->order[column] < 0 ? "" : pf_csv_field(csv, (size_t)rows->order[column]);
  }
  if (!files->matrices) {
    return pf_csv_field(csv, column);
  }
  return pf_csv_field(csv, csv->n_fields == 1 ? 0 : rows->trial);
}

const char *table_path(const table_rows *rows)
{
  return rows->files->format != NULL ? rows->files->paths[rows->file] : rows->open[0].path;
}

int64_t table_line(const table_rows *rows)
{
  return rows->files->format != NULL ? rows->row + rows->files->format->first : rows->open[0].line;
}

table_where table_where_is(const table_rows *rows, size_t column)
{
  const table_files *files = rows->files;
  table_where where;
  if (files->format != NULL) {
    (void)snprintf(where.text, sizeof where.text, "%.300s: row %lld", table_path(rows),
                   (long long)table_line(rows));
    return where;
  }
  const long long line =
      files->transposed ? (long long)files->lines[column] : (long long)csv_of(rows, column)->line;
  (void)snprintf(where.text, sizeof where.text, "%.300s:%lld", csv_of(rows, column)->path, line);
  return where;
}
