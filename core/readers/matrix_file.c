#include "core/readers/matrix_file.h"

#include "core/base/memory.h"

#include <math.h>
#include <plastfit/author/csv.h>
#include <string.h>

/** The cells as they are read. */
typedef struct matrix_reading {
  pf_csv csv;
  pf_matrix *out;
  size_t capacity; /* values */
} matrix_reading;

static bool is_number(const char *text)
{
  double value = 0.0;
  return pf_csv_number(text, &value) != 0;
}

/** Numbers that count: 0, 1, 2, ... or 1, 2, 3, ..., as tables without names are exported. */
static bool counts_up(const pf_csv *csv)
{
  double first = 0.0, value = 0.0;
  if (csv->n_fields < 3 || pf_csv_field(csv, 0)[0] != '\0' ||
      !pf_csv_number(pf_csv_field(csv, 1), &first) || (first != 0.0 && first != 1.0)) {
    return false;
  }
  for (size_t i = 2; i < csv->n_fields; i++) {
    if (!pf_csv_number(pf_csv_field(csv, i), &value) || value != first + (double)(i - 1)) {
      return false;
    }
  }
  return true;
}

/** Is the first row one of names? */
static bool is_header(const pf_csv *csv)
{
  for (size_t i = 0; i < csv->n_fields; i++) {
    if (!is_number(pf_csv_field(csv, i))) {
      return csv->n_fields > 1 && (i > 0 || !is_number(pf_csv_field(csv, 1)));
    }
  }
  return counts_up(csv);
}

static pf_status reserve_row(matrix_reading *r, pf_error *error)
{
  pf_matrix *m = r->out;
  const size_t used = (size_t)(m->n_rows * m->n_columns), needed = used + (size_t)m->n_columns;
  if (needed <= r->capacity) {
    return PF_OK;
  }
  const size_t larger = 2 * needed;
  double *values = pf_memory_need(larger, sizeof *values, error);
  if (values == NULL) {
    return PF_STOP;
  }
  if (used > 0) {
    memcpy(values, m->values, used * sizeof *values);
  }
  pf_memory_free(m->values);
  m->values = values;
  r->capacity = larger;
  return PF_OK;
}

static pf_status take_row(matrix_reading *r, pf_error *error)
{
  pf_matrix *m = r->out;
  const pf_csv *csv = &r->csv;
  const size_t before = m->has_names ? 1 : 0;
  if (csv->n_fields != (size_t)m->n_columns + before) {
    return pf_fail(error, PF_STOP,
                   "%.500s:%lld: found %zu cells, expected %lld as in the rows above", csv->path,
                   (long long)csv->line, csv->n_fields,
                   (long long)m->n_columns + (long long)before);
  }
  if (reserve_row(r, error) != PF_OK) {
    return PF_STOP;
  }
  for (int64_t j = 0; j < m->n_columns; j++) {
    const char *text = pf_csv_field(csv, (size_t)j + before);
    double value = 0.0;
    if (text[0] != '\0' && (!pf_csv_number(text, &value) || !isfinite(value))) {
      return pf_fail(error, PF_STOP,
                     "%.500s:%lld: column %lld: found '%.60s', expected a number, or nothing for 0",
                     csv->path, (long long)csv->line, (long long)j + 1, text);
    }
    m->values[m->n_rows * m->n_columns + j] = value;
  }
  m->n_rows++;
  return PF_OK;
}

/** The first row of numbers: does a name stand before it? */
static void settle_width(matrix_reading *r, size_t n_header)
{
  pf_matrix *m = r->out;
  const pf_csv *csv = &r->csv;
  const bool is_short = m->has_header && n_header + 1 == csv->n_fields; /* no name for the names */
  m->has_names =
      csv->n_fields > 1 && (!is_number(pf_csv_field(csv, 0)) || is_short || m->has_names);
  m->n_columns = (int64_t)csv->n_fields - (m->has_names ? 1 : 0);
}

static pf_status read_rows(matrix_reading *r, pf_error *error)
{
  int got = 0;
  size_t n_header = 0;
  if (pf_csv_next(&r->csv, &got, error) != PF_OK) {
    return PF_STOP;
  }
  if (got && is_header(&r->csv)) {
    r->out->has_header = true;
    r->out->has_names = pf_csv_field(&r->csv, 0)[0] == '\0'; /* nothing above the names */
    n_header = r->csv.n_fields;
    if (pf_csv_next(&r->csv, &got, error) != PF_OK) {
      return PF_STOP;
    }
  }
  if (!got) {
    return pf_fail(error, PF_STOP, "%.500s: has no row of numbers", r->csv.path);
  }
  settle_width(r, n_header);
  while (got) {
    if (take_row(r, error) != PF_OK || pf_csv_next(&r->csv, &got, error) != PF_OK) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

pf_status pf_matrix_read(const char *path, pf_matrix *out, pf_error *error)
{
  matrix_reading r = {.out = out};
  *out = (pf_matrix){0};
  if (pf_csv_open(&r.csv, path, error) != PF_OK) {
    return PF_STOP;
  }
  const pf_status status = read_rows(&r, error);
  pf_csv_close(&r.csv);
  if (status != PF_OK) {
    pf_matrix_free(out);
  }
  return status;
}

void pf_matrix_free(pf_matrix *matrix)
{
  pf_memory_free(matrix->values);
  *matrix = (pf_matrix){0};
}

/* ---- between units ---- */

static pf_status exchange_sides(pf_matrix *m, pf_error *error)
{
  const int64_t rows = m->n_rows, columns = m->n_columns;
  double *values = pf_memory_need((size_t)(rows * columns), sizeof *values, error);
  if (values == NULL) {
    return PF_STOP;
  }
  for (int64_t i = 0; i < rows; i++) {
    for (int64_t j = 0; j < columns; j++) {
      values[j * rows + i] = m->values[i * columns + j];
    }
  }
  pf_memory_free(m->values);
  m->values = values;
  m->n_rows = columns;
  m->n_columns = rows;
  return PF_OK;
}

static pf_status wrong_shape(const char *path, pf_matrix_shape shape, const pf_matrix *m,
                             pf_error *error)
{
  const bool is_pre = shape.rows != NULL && strcmp(shape.rows, "pre") == 0;
  const int64_t rows = is_pre ? shape.n_pre : shape.n_post;
  const int64_t columns = is_pre ? shape.n_post : shape.n_pre;
  const bool fits_other = m->n_rows == columns && m->n_columns == rows;
  return pf_fail(error, PF_STOP,
                 "%.400s: found %lld rows of %lld numbers, expected %lld rows (%s units) of %lld "
                 "(%s)%s%s%s%s%s",
                 path, (long long)m->n_rows, (long long)m->n_columns, (long long)rows,
                 is_pre ? "presynaptic" : "postsynaptic", (long long)columns,
                 is_pre ? "postsynaptic" : "presynaptic",
                 fits_other ? "; it fits the other way round: " : "", fits_other ? shape.key : "",
                 fits_other ? " = \"" : "", fits_other ? (is_pre ? "post" : "pre") : "",
                 fits_other ? "\"" : "");
}

pf_status pf_matrix_read_synapses(const char *path, pf_matrix_shape shape, pf_matrix *out,
                                  pf_error *error)
{
  const bool is_pre = shape.rows != NULL && strcmp(shape.rows, "pre") == 0;
  pf_status status = pf_matrix_read(path, out, error);
  if (status != PF_OK) {
    return status;
  }
  if (out->n_rows != (is_pre ? shape.n_pre : shape.n_post) ||
      out->n_columns != (is_pre ? shape.n_post : shape.n_pre)) {
    status = wrong_shape(path, shape, out, error);
  } else if (is_pre) {
    status = exchange_sides(out, error);
  }
  if (status != PF_OK) {
    pf_matrix_free(out);
  }
  return status;
}
