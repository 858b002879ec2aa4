#include "core/hdf5/packed.h"

#include "core/base/array.h"
#include "core/base/memory.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { MAX_NAME = 300 };

typedef struct packed_table {
  char name[MAX_NAME];
  int64_t before, n; /* rows before those that are being filled, and with them */
} packed_table;

typedef struct packed_column {
  size_t table;
  char name[MAX_NAME];
  char written[MAX_NAME + 32]; /* the name in the file */
  bool is_text;
  enum pf_h5_type type;
  int rank;              /* 1: numbers, 2: rows of `columns`, 3: matrices of `rows` x `columns` */
  int64_t rows, columns; /* of a cell */
  pf_array cells;        /* of a cell each: numbers, or char * */
} packed_column;

struct pf_packed {
  pf_array tables, columns;
  size_t next; /* column that is probably asked for next: experiments are filled in one order */
  int64_t size;
  bool failed;
  pf_error error;
};

pf_status pf_packed_create(pf_packed **out, pf_error *error)
{
  *out = pf_memory_need(1, sizeof **out, error);
  if (*out == NULL) {
    return PF_STOP;
  }
  (*out)->tables = pf_array_of(sizeof(packed_table));
  (*out)->columns = pf_array_of(sizeof(packed_column));
  (*out)->error = pf_error_none();
  return PF_OK;
}

static void free_cells(packed_column *column)
{
  char **texts = column->cells.items;
  for (size_t i = 0; column->is_text && i < column->cells.n; i++) {
    pf_memory_free(texts[i]);
  }
  pf_array_free(&column->cells);
}

void pf_packed_free(pf_packed *packed)
{
  if (packed == NULL) {
    return;
  }
  packed_column *columns = packed->columns.items;
  for (size_t c = 0; c < packed->columns.n; c++) {
    free_cells(&columns[c]);
  }
  pf_array_free(&packed->tables);
  pf_array_free(&packed->columns);
  pf_memory_free(packed);
}

int64_t pf_packed_size(const pf_packed *packed)
{
  return packed->size;
}

static void note_failure(pf_packed *packed)
{
  packed->failed = true;
}

/* ---- tables and columns ---- */

static packed_table *table_at(const pf_packed *packed, size_t table)
{
  return (packed_table *)packed->tables.items + table;
}

/* Index of the table, which is new if its name is; SIZE_MAX after a failure. */
static size_t find_table(pf_packed *packed, const char *name)
{
  for (size_t t = 0; t < packed->tables.n; t++) {
    if (strcmp(table_at(packed, t)->name, name) == 0) {
      return t;
    }
  }
  packed_table *table = pf_array_append(&packed->tables, &packed->error);
  if (table == NULL) {
    note_failure(packed);
    return SIZE_MAX;
  }
  (void)snprintf(table->name, sizeof table->name, "%.*s", MAX_NAME - 1, name);
  return packed->tables.n - 1;
}

int64_t pf_packed_extend(pf_packed *packed, const char *table, int64_t n)
{
  const size_t index = packed->failed ? SIZE_MAX : find_table(packed, table);
  if (index == SIZE_MAX) {
    return 0;
  }
  packed_table *of = table_at(packed, index);
  of->before = of->n;
  of->n += n;
  return of->before;
}

static bool has_name(const pf_packed *packed, const packed_column *column, pf_packed_place at)
{
  return strcmp(column->name, at.column) == 0 &&
         strcmp(table_at(packed, column->table)->name, at.table) == 0;
}

static bool has_form(const packed_column *column, const packed_column *like)
{
  return column->is_text == like->is_text && column->type == like->type &&
         column->rank == like->rank && column->rows == like->rows &&
         column->columns == like->columns;
}

/* The column of a name and form, NULL where there is none yet. Experiments have the same columns in
 * the same order, so the one behind the last that was found is looked at first. *n_others: those of
 * the same name and another form. */
static packed_column *find_column(pf_packed *packed, pf_packed_place at, const packed_column *like,
                                  size_t *n_others)
{
  packed_column *columns = packed->columns.items;
  const size_t n = packed->columns.n;
  *n_others = 0;
  for (size_t k = 0; k < n; k++) {
    const size_t c = (packed->next + k) % n;
    if (!has_name(packed, &columns[c], at)) {
      continue;
    }
    if (has_form(&columns[c], like)) {
      packed->next = c + 1;
      return &columns[c];
    }
    (*n_others)++;
  }
  return NULL;
}

static size_t number_size(enum pf_h5_type type)
{
  switch (type) {
  case PF_H5_REAL:
    return sizeof(pf_real);
  case PF_H5_UINT32:
    return sizeof(uint32_t);
  case PF_H5_INT64:
    return sizeof(int64_t);
  case PF_H5_DOUBLE:
  default:
    return sizeof(double);
  }
}

static size_t cell_size(const packed_column *column)
{
  return column->is_text
             ? sizeof(char *)
             : (size_t)column->rows * (size_t)column->columns * number_size(column->type);
}

/* The column as `like` says; NULL: memory is out. */
static packed_column *open_column(pf_packed *packed, pf_packed_place at, packed_column like)
{
  size_t n_others = 0;
  packed_column *column = packed->failed ? NULL : find_column(packed, at, &like, &n_others);
  if (packed->failed || column != NULL) {
    return column;
  }
  like.table = find_table(packed, at.table);
  column = like.table == SIZE_MAX ? NULL : pf_array_append(&packed->columns, &packed->error);
  if (column == NULL) {
    note_failure(packed);
    return NULL;
  }
  *column = like;
  column->cells = pf_array_of(cell_size(&like));
  (void)snprintf(column->name, sizeof column->name, "%.*s", MAX_NAME - 1, at.column);
  (void)snprintf(column->written, sizeof column->written, "%s", column->name);
  if (n_others > 0) {
    (void)snprintf(column->written, sizeof column->written, "%s_x%lld", column->name,
                   (long long)like.columns);
  }
  return column;
}

/* ---- cells ---- */

static void set_missing(const packed_column *column, char *cells, size_t n)
{
  const size_t count = column->is_text ? 0 : n * (size_t)column->rows * (size_t)column->columns;
  if (column->type == PF_H5_DOUBLE) {
    double *values = (double *)(void *)cells;
    for (size_t i = 0; i < count; i++) {
      values[i] = NAN;
    }
  } else if (column->type == PF_H5_REAL) {
    pf_real *values = (pf_real *)(void *)cells;
    for (size_t i = 0; i < count; i++) {
      values[i] = (pf_real)NAN;
    }
  }
}

/* Cells up to row `n`, those that are new missing. */
static bool fill_up_to(pf_packed *packed, packed_column *column, int64_t n)
{
  pf_array *cells = &column->cells;
  const size_t wanted = (size_t)n;
  if (wanted <= cells->n) {
    return true;
  }
  if (pf_array_reserve(cells, wanted, &packed->error) != PF_OK) {
    note_failure(packed);
    return false;
  }
  char *from = (char *)cells->items + cells->n * cells->size;
  memset(from, 0, (wanted - cells->n) * cells->size);
  set_missing(column, from, wanted - cells->n);
  packed->size += (int64_t)((wanted - cells->n) * cells->size);
  cells->n = wanted;
  return true;
}

/* The cells that are being filled; NULL: memory is out, or there are none. */
static char *current_cells(pf_packed *packed, packed_column *column)
{
  const packed_table *table = table_at(packed, column->table);
  if (!fill_up_to(packed, column, table->n) || table->n == table->before ||
      column->cells.size == 0) {
    return NULL;
  }
  return (char *)column->cells.items + (size_t)table->before * column->cells.size;
}

void pf_packed_rows(pf_packed *packed, pf_packed_place at, pf_h5_rows from)
{
  const bool vector = from.columns < 0;
  const packed_column like = {
      .type = from.type, .rank = vector ? 1 : 2, .rows = 1, .columns = vector ? 1 : from.columns};
  packed_column *column = open_column(packed, at, like);
  char *cells = column == NULL ? NULL : current_cells(packed, column);
  if (cells == NULL) {
    return;
  }
  const size_t size = column->cells.size;
  const size_t step = (size_t)(vector ? 1 : from.ld) * number_size(from.type);
  for (size_t t = 0; t < (size_t)from.rows; t++) {
    memcpy(cells + t * size, (const char *)from.data + t * step, size);
  }
}

void pf_packed_integer(pf_packed *packed, pf_packed_place at, int64_t value)
{
  pf_packed_rows(packed, at, (pf_h5_rows){PF_H5_INT64, &value, 1, -1, 1});
}

void pf_packed_text(pf_packed *packed, pf_packed_place at, const char *value)
{
  packed_column *column =
      open_column(packed, at, (packed_column){.is_text = true, .rank = 1, .rows = 1, .columns = 1});
  char **cell = column == NULL ? NULL : (char **)(void *)current_cells(packed, column);
  if (cell == NULL) {
    return;
  }
  *cell = pf_memory_string(value, &packed->error);
  packed->size += (int64_t)strlen(value);
  if (*cell == NULL) {
    note_failure(packed);
  }
}

void pf_packed_matrices(pf_packed *packed, pf_packed_place at, int64_t n_rows, int64_t row0,
                        pf_h5_rows from)
{
  const packed_column like = {
      .type = from.type, .rank = 3, .rows = n_rows, .columns = from.columns};
  packed_column *column = open_column(packed, at, like);
  char *cells = column == NULL ? NULL : current_cells(packed, column);
  if (cells == NULL) {
    return;
  }
  const packed_table *table = table_at(packed, column->table);
  const size_t row = (size_t)from.columns * number_size(from.type);
  const size_t part = (size_t)from.rows * row;
  for (size_t k = 0; k < (size_t)(table->n - table->before); k++) {
    memcpy(cells + k * column->cells.size + (size_t)row0 * row, (const char *)from.data + k * part,
           part);
  }
}

/* ---- into the file ---- */

static void write_column(pf_packed *packed, packed_column *column, pf_h5 *h5)
{
  char path[2 * MAX_NAME + 8];
  const packed_table *table = table_at(packed, column->table);
  if (!fill_up_to(packed, column, table->n)) {
    return;
  }
  (void)snprintf(path, sizeof path, "/%s/%s", table->name, column->written);
  if (column->is_text) {
    pf_h5_texts(h5, path, column->cells.items, table->n);
  } else if (column->rank == 3) {
    pf_h5_cube(h5, path, column->type, table->n, column->rows, column->columns);
    pf_h5_slices(h5, path, 0, table->n,
                 (pf_h5_rows){column->type, column->cells.items, column->rows, column->columns,
                              column->columns});
  } else {
    pf_h5_matrix(h5, path,
                 (pf_h5_rows){column->type, column->cells.items, table->n,
                              column->rank == 1 ? -1 : column->columns, column->columns});
  }
  free_cells(column);
}

pf_status pf_packed_write(pf_packed *packed, pf_h5 *h5, pf_error *error)
{
  packed_column *columns = packed->columns.items;
  for (size_t c = 0; c < packed->columns.n && !packed->failed; c++) {
    write_column(packed, &columns[c], h5);
  }
  return packed->failed ? pf_fail(error, PF_STOP, "%s", packed->error.text) : PF_OK;
}
