#include "core/readers/sheet.h"
#include "core/base/memory.h"
#include <math.h>
#include <plastfit/author/csv.h>
#include <stdbool.h>
#include <string.h>

static bool is_wanted(const pf_names *wanted, const char *name)
{
  bool found = wanted == NULL;
  for (size_t i = 0; !found && i < wanted->count; i++) {
    found = strcmp(wanted->items[i], name) == 0;
  }
  return found;
}

/** `places`: where in the file each kept column stands. */
static pf_status keep_header(pf_sheet *sheet, const pf_csv *csv, const pf_names *wanted,
                             size_t **places, pf_error *error)
{
  sheet->columns = pf_memory_need(csv->n_fields, sizeof *sheet->columns, error);
  *places = pf_memory_need(csv->n_fields, sizeof **places, error);
  if (sheet->columns == NULL || *places == NULL) {
    return PF_STOP;
  }
  for (size_t c = 0; c < csv->n_fields; c++) {
    if (is_wanted(wanted, pf_csv_field(csv, c))) {
      (*places)[sheet->n_columns] = c;
      sheet->columns[sheet->n_columns] = pf_memory_string(pf_csv_field(csv, c), error);
      if (sheet->columns[sheet->n_columns++] == NULL) {
        return PF_STOP;
      }
    }
  }
  return PF_OK;
}

static pf_status keep_row(pf_sheet *sheet, const pf_csv *csv, const size_t *places, pf_error *error)
{
  const size_t width = sheet->n_columns;
  if (sheet->n_rows == sheet->capacity) {
    const size_t more = sheet->capacity == 0 ? 64 : 2 * sheet->capacity;
    char **cells = pf_memory_need(more * width, sizeof *cells, error);
    if (cells == NULL) {
      return PF_STOP;
    }
    if (sheet->n_rows > 0) {
      memcpy(cells, sheet->cells, sheet->n_rows * width * sizeof *cells);
    }
    pf_memory_free(sheet->cells);
    sheet->cells = cells;
    sheet->capacity = more;
  }
  /* counted first, so that a row cut short by a failure is freed */
  char **row = &sheet->cells[sheet->n_rows++ * width];
  for (size_t c = 0; c < width; c++) {
    row[c] = pf_memory_string(pf_csv_field(csv, places[c]), error);
    if (row[c] == NULL) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

pf_status pf_sheet_read(const char *path, const pf_names *wanted, pf_sheet **out, pf_error *error)
{
  pf_csv csv;
  int got = 0;
  size_t *places = NULL;
  size_t width = 0;
  pf_sheet *sheet = pf_memory_need(1, sizeof *sheet, error);
  if (sheet == NULL) {
    return PF_STOP;
  }
  pf_status status = pf_csv_open(&csv, path, error);
  if (status != PF_OK) {
    pf_sheet_free(sheet);
    return status;
  }
  status = pf_csv_next(&csv, &got, error);
  if (status == PF_OK) {
    status = got ? keep_header(sheet, &csv, wanted, &places, error)
                 : pf_fail(error, PF_STOP, "%.500s: has no header", path);
  }
  width = csv.n_fields;
  while (status == PF_OK) {
    status = pf_csv_next(&csv, &got, error);
    if (status != PF_OK || !got) {
      break;
    }
    status = pf_csv_check_width(&csv, width, error);
    if (status != PF_OK) {
      break;
    }
    status = keep_row(sheet, &csv, places, error);
  }
  pf_memory_free(places);
  pf_csv_close(&csv);
  if (status != PF_OK) {
    pf_sheet_free(sheet);
    return status;
  }
  *out = sheet;
  return PF_OK;
}

void pf_sheet_free(pf_sheet *sheet)
{
  if (sheet == NULL) {
    return;
  }
  for (size_t i = 0; i < sheet->n_rows * sheet->n_columns; i++) {
    pf_memory_free(sheet->cells[i]);
  }
  for (size_t c = 0; c < sheet->n_columns; c++) {
    pf_memory_free(sheet->columns[c]);
  }
  pf_memory_free(sheet->cells);
  pf_memory_free(sheet->columns);
  pf_memory_free(sheet);
}

size_t pf_sheet_column(const pf_sheet *sheet, const char *name)
{
  size_t c = 0;
  while (c < sheet->n_columns && strcmp(sheet->columns[c], name) != 0) {
    c++;
  }
  return c;
}

const char *pf_sheet_text(const pf_sheet *sheet, size_t row, size_t column)
{
  return column < sheet->n_columns ? sheet->cells[row * sheet->n_columns + column] : "";
}

double pf_sheet_number(const pf_sheet *sheet, size_t row, size_t column)
{
  double value = NAN;
  return pf_csv_number(pf_sheet_text(sheet, row, column), &value) ? value : NAN;
}
