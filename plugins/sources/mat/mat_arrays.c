#include "mat_arrays.h"

#include "../common/h5_arrays.h"
#include "../common/mat_open.h"
#include "mat_walk.h"

#include <math.h>
#include <string.h>

enum { MAT_MOST_ARRAYS = 10000 };

/** What the reader knows of an array beside its shape. */
typedef struct mat_leaf {
  char *variable; /**< that it is in */
  char *outer;    /**< the struct or cell array whose elements its pieces are, or NULL */
  char *dataset;  /**< its path where HDF5 reads it and not matio, or NULL */
  int64_t n_pieces;
  uint64_t lengths; /**< a code of the rows of its pieces, in order */
  int is_number_of; /**< it counts the elements of a struct or cell array */
  int is_repeated;  /**< one value an element, where others have several rows */
} mat_leaf;

typedef struct mat_file {
  mat_t *mat;
  mat_leaf *leaves; /**< of the arrays that are in the file */
  size_t n, capacity;
  h5_file h5; /**< the same file where it is of version 7.3 */
  int is_hdf5;
  matvar_t *kept; /**< the variable read last, with its data */
} mat_file;

/* ---- pieces ---- */

static int is_text(const matvar_t *v)
{
  return v->class_type == MAT_C_CHAR;
}

/** Rows and columns of a piece; a row vector inside of an array of elements is a column. */
static void sizes_of(const mat_piece *piece, int64_t *rows, int64_t *columns)
{
  const matvar_t *v = piece->variable;
  *rows = (int64_t)v->dims[0];
  *columns = is_text(v) ? 1 : (int64_t)v->dims[1];
  if (piece->element >= 0 && *rows == 1 && !is_text(v)) {
    *rows = *columns;
    *columns = 1;
  }
}

/** Three dimensions of numbers, which the option `axes` explains; not as elements of an array. */
static int is_folded(const mat_piece *piece)
{
  const matvar_t *v = piece->variable;
  return v->rank == 3 && piece->element < 0 && !is_text(v) && mat_is_number(v);
}

static const char *why_not(const mat_piece *piece)
{
  const matvar_t *v = piece->variable;
  if (v->class_type == MAT_C_SPARSE) {
    return "is sparse; expected a full array (full(x))";
  }
  if (v->class_type == MAT_C_OPAQUE || v->class_type == MAT_C_OBJECT ||
      v->class_type == MAT_C_FUNCTION) {
    return "is a table, string, category or object, which MATLAB alone can read; save plain arrays "
           "(x = t.x), texts as cellstr(s)";
  }
  if (v->rank != 2 && !is_folded(piece)) {
    return "has more than two dimensions; expected steps below one another, or a row an animal "
           "(three dimensions: of numbers alone, and outside of arrays of structs and cells)";
  }
  return is_text(v) || mat_is_number(v) ? NULL : "is no array of real numbers or text";
}

/* ---- listing ---- */

/** Axes of MATLAB's arrays, the slowest first. */
static const int column_major[] = {2, 1, 0};

typedef struct mat_listing {
  container *of;
  const char *variable;
  size_t first; /**< array of this variable */
  double bytes; /**< of the variable */
} mat_listing;

/** Most rows of a piece of each element of one struct or cell array. */
typedef struct mat_elements {
  const container *of;
  const char *outer;
  int64_t *rows; /**< [n] */
  int64_t n, capacity;
} mat_elements;

static pf_status no_memory(const container *of, pf_error *error)
{
  return pf_fail(error, PF_STOP, "%.300s: out of memory for its variables", of->path);
}

/** Another array with its leaf. */
static container_array *add_array(mat_listing *l, const char *name, const char *outer,
                                  mat_leaf **leaf, pf_error *error)
{
  container *of = l->of;
  mat_file *file = of->file;
  const pf_host *host = of->host;
  if (of->n >= MAT_MOST_ARRAYS) {
    (void)pf_fail(error, PF_STOP, "%.300s: has more than %d variables and fields", of->path,
                  (int)MAT_MOST_ARRAYS);
    return NULL;
  }
  if (of->n == file->capacity) {
    const size_t larger = file->capacity == 0 ? 16 : 2 * file->capacity;
    mat_leaf *leaves = host->allocate(host, larger * sizeof *leaves);
    if (leaves == NULL) {
      (void)no_memory(of, error);
      return NULL;
    }
    if (of->n > 0) {
      memcpy(leaves, file->leaves, of->n * sizeof *leaves);
    }
    host->release(host, file->leaves);
    file->leaves = leaves;
    file->capacity = larger;
  }
  *leaf = &file->leaves[of->n];
  **leaf = (mat_leaf){.variable = container_text(host, l->variable, strlen(l->variable))};
  (*leaf)->outer = outer == NULL ? NULL : container_text(host, outer, strlen(outer));
  container_array *array = NULL;
  if ((*leaf)->variable == NULL || (outer != NULL && (*leaf)->outer == NULL)) {
    (void)no_memory(of, error);
  } else {
    array = container_add(of, name, error);
  }
  if (array == NULL) {
    host->release(host, (*leaf)->variable);
    host->release(host, (*leaf)->outer);
    return NULL;
  }
  array->columns = 0;
  file->n = of->n;
  return array;
}

static pf_status count_piece(void *context, const mat_piece *piece, pf_error *error)
{
  mat_elements *e = context;
  const pf_host *host = e->of->host;
  int64_t rows = 0, columns = 0;
  if (piece->element < 0 || strcmp(piece->outer, e->outer) != 0 || why_not(piece) != NULL) {
    return PF_OK;
  }
  sizes_of(piece, &rows, &columns);
  if (piece->element >= e->capacity) {
    const int64_t larger = 2 * piece->element + 16;
    int64_t *moved = host->allocate(host, (size_t)larger * sizeof *moved);
    if (moved == NULL) {
      return no_memory(e->of, error);
    }
    if (e->n > 0) {
      memcpy(moved, e->rows, (size_t)e->n * sizeof *moved);
    }
    host->release(host, e->rows);
    e->rows = moved;
    e->capacity = larger;
  }
  e->n = piece->element + 1 > e->n ? piece->element + 1 : e->n;
  if (rows > e->rows[piece->element]) {
    e->rows[piece->element] = rows;
  }
  return PF_OK;
}

/** The rows of each element of `outer` in a variable; release `rows` in any case. */
static pf_status count_elements(const container *of, matvar_t *variable, const char *outer,
                                mat_elements *out, pf_error *error)
{
  const mat_visitor visitor = {.take = count_piece, .context = out};
  *out = (mat_elements){.of = of, .outer = outer};
  return mat_walk(variable, &visitor, error);
}

/** The array of this path in the variable being listed: the last ones first. */
static int64_t find_array(const mat_listing *l, const char *path)
{
  for (size_t i = l->of->n; i > l->first; i--) {
    if (strcmp(l->of->arrays[i - 1].name, path) == 0) {
      return (int64_t)i - 1;
    }
  }
  return -1;
}

/** The last array has the dimensions of `v`, of which the first is the fastest in the file. */
static pf_status fold_array(mat_listing *l, const matvar_t *v, pf_error *error)
{
  const int64_t sizes[] = {(int64_t)v->dims[2], (int64_t)v->dims[1], (int64_t)v->dims[0]};
  l->bytes += (double)mat_count(v) * (double)mat_cell_bytes(v) + 256.0;
  return container_fold(l->of, sizes, column_major, error);
}

static pf_status list_piece(void *context, const mat_piece *piece, pf_error *error)
{
  mat_listing *l = context;
  mat_file *file = l->of->file;
  const matvar_t *v = piece->variable;
  if (v->class_type == MAT_C_EMPTY && file->is_hdf5) {
    return PF_OK; /* without MATLAB's note of its class: HDF5 knows its type */
  }
  const char *why = why_not(piece);
  int64_t index = find_array(l, piece->path);
  mat_leaf *leaf = index < 0 ? NULL : &file->leaves[index];
  container_array *array =
      index < 0 ? add_array(l, piece->path, piece->outer, &leaf, error) : &l->of->arrays[index];
  if (array == NULL) {
    return PF_STOP;
  }
  if (why != NULL) {
    return array->why != NULL ? PF_OK
                              : container_refuse_array(l->of, (size_t)(array - l->of->arrays),
                                                       error, "%.300s: variable '%.100s' %s",
                                                       l->of->path, piece->path, why);
  }
  if (is_folded(piece)) {
    leaf->n_pieces++;
    return fold_array(l, v, error);
  }
  int64_t rows = 0, columns = 0;
  sizes_of(piece, &rows, &columns);
  const int is_single = piece->element < 0 && rows == 1 && columns == 1;
  l->bytes += (double)mat_count(v) * (is_text(v) ? 2.0 : (double)mat_cell_bytes(v)) + 256.0;
  if (leaf->n_pieces > 0 && rows > 0 && array->rows > 0 &&
      (array->columns != columns || array->is_text != is_text(v))) {
    return container_refuse_array(l->of, (size_t)(array - l->of->arrays), error,
                                  "%.300s: variable '%.100s': its elements differ in columns or "
                                  "type, so that they are no steps below one another",
                                  l->of->path, piece->path);
  }
  array->is_text = is_text(v);
  array->n_dims = is_single ? 0 : columns > 1 ? 2 : 1;
  array->rows += rows;
  array->columns = rows > 0 || array->columns == 0 ? columns : array->columns;
  leaf->n_pieces++;
  leaf->lengths = leaf->lengths * 1099511628211ULL + (uint64_t)rows + 1;
  return PF_OK;
}

/** An array of elements is steps below one another where its fields have as many rows in each
 * element, or one. */
static pf_status settle_leaf(container *of, size_t i, const mat_elements *e, int64_t rows,
                             uint64_t lengths, pf_error *error)
{
  const mat_file *file = of->file;
  mat_leaf *leaf = &file->leaves[i];
  container_array *array = &of->arrays[i];
  if (array->why != NULL || leaf->lengths == lengths) {
    return PF_OK;
  }
  leaf->is_repeated = leaf->n_pieces == e->n && array->rows == e->n;
  if (leaf->is_repeated) {
    array->rows = rows;
    return PF_OK;
  }
  return container_refuse_array(of, i, error,
                                "%.300s: variable '%.100s': has other numbers of rows in the "
                                "elements of %.100s than its other fields",
                                of->path, array->name, e->outer);
}

/** Arrays [first, n) that are of elements of e->outer; and one that numbers these. */
static pf_status settle_elements(mat_listing *l, const mat_elements *e, pf_error *error)
{
  container *of = l->of;
  mat_leaf *counter = NULL;
  char name[310];
  int64_t rows = 0;
  uint64_t lengths = 0;
  const size_t n = of->n;
  for (int64_t k = 0; k < e->n; k++) {
    rows += e->rows[k];
    lengths = lengths * 1099511628211ULL + (uint64_t)e->rows[k] + 1;
  }
  for (size_t i = l->first; i < n; i++) {
    const mat_leaf *leaf = &((const mat_file *)of->file)->leaves[i];
    if (leaf->outer != NULL && strcmp(leaf->outer, e->outer) == 0 &&
        settle_leaf(of, i, e, rows, lengths, error) != PF_OK) {
      return PF_STOP;
    }
  }
  if (rows == e->n) {
    return PF_OK; /* an element is a step: nothing to tell apart */
  }
  (void)snprintf(name, sizeof name, "%.300s#", e->outer);
  container_array *array = add_array(l, name, e->outer, &counter, error);
  if (array == NULL) {
    return PF_STOP;
  }
  counter->is_number_of = 1;
  array->rows = rows;
  array->columns = 1;
  return PF_OK;
}

/** Was `outer` of array i that of one before? */
static int is_settled(const mat_file *file, size_t first, size_t i)
{
  for (size_t k = first; k < i; k++) {
    if (file->leaves[k].outer != NULL &&
        strcmp(file->leaves[k].outer, file->leaves[i].outer) == 0) {
      return 1;
    }
  }
  return 0;
}

static pf_status settle_variable(mat_listing *l, matvar_t *variable, pf_error *error)
{
  container *of = l->of;
  const mat_file *file = of->file;
  const size_t n = of->n;
  for (size_t i = l->first; i < n; i++) {
    mat_elements elements;
    char outer[300];
    if (file->leaves[i].outer == NULL || is_settled(file, l->first, i)) {
      continue;
    }
    (void)snprintf(outer, sizeof outer, "%s", file->leaves[i].outer);
    pf_status status = count_elements(of, variable, outer, &elements, error);
    if (status == PF_OK) {
      status = settle_elements(l, &elements, error);
    }
    of->host->release(of->host, elements.rows);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

static pf_status list_variable(container *of, matvar_t *variable, pf_error *error)
{
  mat_listing l = {.of = of, .variable = variable->name, .first = of->n};
  const mat_visitor visitor = {.take = list_piece, .context = &l};
  pf_status status = mat_walk(variable, &visitor, error);
  if (status != PF_OK) {
    return status;
  }
  status = settle_variable(&l, variable, error);
  for (size_t i = l.first; i < of->n; i++) {
    of->arrays[i].stored += l.bytes;
  }
  return status;
}

static pf_status list_variables(container *of, pf_error *error)
{
  const mat_file *file = of->file;
  for (;;) {
    matvar_t *variable = Mat_VarReadNextInfo(file->mat);
    if (variable == NULL) {
      return PF_OK;
    }
    pf_status status = PF_OK;
    if (variable->name != NULL && variable->name[0] != '\0' && variable->name[0] != '#') {
      status = list_variable(of, variable, error);
    }
    Mat_VarFree(variable);
    if (status != PF_OK) {
      return status;
    }
  }
}

/* ---- what matio does not know, of version 7.3 ---- */

/** "lab/choice" as "lab.choice". */
static void name_of_dataset(const char *path, char *name, size_t capacity)
{
  (void)snprintf(name, capacity, "%s", path);
  for (char *c = name; *c != '\0'; c++) {
    *c = *c == '/' ? '.' : *c;
  }
}

/** Is there an array of this name, or one of elements of it? */
static int is_listed(const container *of, const char *name)
{
  const size_t n = strlen(name);
  for (size_t i = 0; i < of->n; i++) {
    const char *other = of->arrays[i].name;
    if (strncmp(other, name, n) == 0 && (other[n] == '\0' || other[n] == '.' || other[n] == '#')) {
      return 1;
    }
  }
  return 0;
}

/** Files that others than MATLAB wrote say nothing of classes: datasets of numbers are arrays as
 * MATLAB would show them, with rows and columns exchanged. */
static pf_status list_dataset(void *context, const char *path, pf_error *error)
{
  container *of = context;
  mat_file *file = of->file;
  mat_leaf *leaf = NULL;
  char name[300], label[300];
  mat_listing l = {.of = of, .variable = ""};
  name_of_dataset(path, name, sizeof name);
  if (path[0] == '#' || is_listed(of, name)) {
    return PF_OK;
  }
  (void)snprintf(label, sizeof label, "%.150s: variable '%.60s'", of->path, name);
  const h5_shape shape = h5_shape_of(file->h5.file, path, label, of->choices->most_memory);
  container_array *array = add_array(&l, name, NULL, &leaf, error);
  if (array == NULL) {
    return PF_STOP;
  }
  leaf->dataset = container_text(of->host, path, strlen(path));
  if (leaf->dataset == NULL) {
    return no_memory(of, error);
  }
  array->is_text = shape.is_text;
  if (shape.sizes[0] > 0 && !shape.is_text) {
    return container_fold(of, shape.sizes, column_major, error);
  }
  array->n_dims = shape.rows * shape.columns == 1 ? 0 : shape.n_dims;
  array->rows = shape.n_dims == 2 ? shape.columns : shape.rows;
  array->columns = shape.n_dims == 2 ? shape.rows : 1;
  array->stored = 8.0 * (double)shape.rows * (double)shape.columns;
  return shape.why[0] == '\0' ? PF_OK : container_refuse(of, error, "%s", shape.why);
}

static pf_status list_datasets(container *of, pf_error *error)
{
  mat_file *file = of->file;
  const pf_status status = h5_open(of->path, "MATLAB 7.3", &file->h5, error);
  return status == PF_OK ? h5_each_dataset(of->path, file->h5.file, list_dataset, of, error)
                         : status;
}

/** Numbers that lie column by column. */
static pf_status read_dataset(const container *of, size_t i, double *out, pf_error *error)
{
  const mat_file *file = of->file;
  const container_array *array = &of->arrays[i];
  const size_t rows = (size_t)array->rows, columns = (size_t)array->columns;
  if (array->axes[CONTAINER_STEPS] > 0) {
    return h5_numbers(of, file->h5.file, file->leaves[i].dataset, out, error);
  }
  double *cells = of->host->allocate(of->host, (rows * columns + 1) * sizeof *cells);
  if (cells == NULL) {
    return no_memory(of, error);
  }
  const pf_status status = h5_numbers(of, file->h5.file, file->leaves[i].dataset, cells, error);
  for (size_t r = 0; r < rows; r++) {
    for (size_t c = 0; c < columns; c++) {
      out[r * columns + c] = cells[c * rows + r];
    }
  }
  of->host->release(of->host, cells);
  return status;
}

/* ---- the file ---- */

static pf_status open_mat(container *of, pf_error *error)
{
  mat_file *file = of->file = of->host->allocate(of->host, sizeof *file);
  if (file == NULL) {
    return no_memory(of, error);
  }
  pf_status status = mat_open(of->path, &file->mat, error);
  if (status != PF_OK) {
    return status;
  }
  file->is_hdf5 = Mat_GetVersion(file->mat) == MAT_FT_MAT73;
  file->h5.file = -1;
  if (file->is_hdf5) {
    (void)H5Eget_auto2(H5E_DEFAULT, &file->h5.printing, &file->h5.printing_data);
    (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  }
  status = list_variables(of, error);
  if (status == PF_OK && file->is_hdf5) {
    status = list_datasets(of, error);
  }
  if (status != PF_OK) {
    return status;
  }
  return of->n > 0 ? PF_OK
                   : pf_fail(error, PF_STOP, "%.300s: has no variable that can be read", of->path);
}

static void close_mat(container *of)
{
  mat_file *file = of->file;
  if (file == NULL) {
    return;
  }
  for (size_t i = 0; i < file->n; i++) {
    of->host->release(of->host, file->leaves[i].variable);
    of->host->release(of->host, file->leaves[i].outer);
    of->host->release(of->host, file->leaves[i].dataset);
  }
  of->host->release(of->host, file->leaves);
  Mat_VarFree(file->kept);
  if (file->is_hdf5) {
    h5_close(&file->h5);
  }
  mat_shut(file->mat);
  of->host->release(of->host, file);
}

/* ---- reading ---- */

typedef struct mat_reading {
  const container *of;
  size_t index;
  double *numbers;
  char **texts;
  int64_t row; /**< filled so far */
  const int64_t *element_rows;
} mat_reading;

static pf_status is_damaged(const mat_reading *r, pf_error *error)
{
  return pf_fail(error, PF_STOP,
                 "%.300s: variable '%.100s' cannot be read; the file is damaged, or memory is out",
                 r->of->path, r->of->arrays[r->index].name);
}

static uint64_t character_at(const matvar_t *v, size_t k)
{
  if (v->data_size == 1) {
    return ((const unsigned char *)v->data)[k];
  }
  return v->data_size == 2 ? ((const uint16_t *)v->data)[k] : ((const uint32_t *)v->data)[k];
}

/** Row i of a matrix of characters as UTF-8, without the spaces at its end. */
static char *text_of_row(const pf_host *host, const matvar_t *v, size_t i)
{
  const size_t rows = v->dims[0], columns = v->dims[1];
  char *text = host->allocate(host, 4 * columns + 1);
  size_t n = 0;
  for (size_t j = 0; text != NULL && j < columns; j++) {
    const uint64_t c = character_at(v, j * rows + i);
    if (c < 0x80 || v->data_type == MAT_T_UTF8) {
      text[n++] = (char)c;
    } else if (c < 0x800) {
      text[n++] = (char)(0xC0 | (c >> 6));
      text[n++] = (char)(0x80 | (c & 0x3F));
    } else {
      text[n++] = (char)(0xE0 | ((c >> 12) & 0x0F));
      text[n++] = (char)(0x80 | ((c >> 6) & 0x3F));
      text[n++] = (char)(0x80 | (c & 0x3F));
    }
  }
  while (n > 0 && text[n - 1] == ' ') {
    text[--n] = '\0';
  }
  return text;
}

static pf_status take_texts(mat_reading *r, const mat_piece *piece, int64_t times, pf_error *error)
{
  const matvar_t *v = piece->variable;
  const int64_t n = (int64_t)v->dims[0];
  if (v->data_size < 1 || v->data_size > 4 || v->data_size == 3 ||
      v->nbytes < (size_t)mat_count(v) * (size_t)v->data_size) {
    return is_damaged(r, error);
  }
  for (int64_t t = 0; t < times; t++) {
    for (int64_t i = 0; i < n; i++) {
      if (r->row >= r->of->arrays[r->index].rows) {
        return is_damaged(r, error);
      }
      r->texts[r->row] = text_of_row(r->of->host, v, (size_t)i);
      if (r->texts[r->row++] == NULL) {
        return no_memory(r->of, error);
      }
    }
  }
  return PF_OK;
}

/** As they lie in the file: what reads on puts them in order. */
static pf_status take_folded(mat_reading *r, const matvar_t *v, pf_error *error)
{
  const container_array *array = &r->of->arrays[r->index];
  const int64_t n = mat_count(v);
  if (r->row != 0 || v->nbytes < (size_t)n * mat_cell_bytes(v) ||
      n != array->rows * array->columns) {
    return is_damaged(r, error);
  }
  for (int64_t k = 0; k < n; k++) {
    r->numbers[k] = mat_cell(v, (size_t)k);
  }
  r->row = array->rows;
  return PF_OK;
}

static pf_status take_numbers(mat_reading *r, const mat_piece *piece, int64_t times,
                              pf_error *error)
{
  const matvar_t *v = piece->variable;
  const int64_t width = r->of->arrays[r->index].columns;
  int64_t rows = 0, columns = 0;
  sizes_of(piece, &rows, &columns);
  if (rows == 1 && width == 1) { /* a row vector is taken for a column */
    rows = columns;
    columns = 1;
  }
  const int is_turned = rows != (int64_t)v->dims[0];
  if (v->nbytes < (size_t)mat_count(v) * mat_cell_bytes(v) || columns != width) {
    return is_damaged(r, error);
  }
  for (int64_t t = 0; t < times; t++) {
    for (int64_t i = 0; i < rows; i++, r->row++) {
      if (r->row >= r->of->arrays[r->index].rows) {
        return is_damaged(r, error);
      }
      for (int64_t j = 0; j < columns; j++) {
        const int64_t k = is_turned ? i : j * rows + i;
        r->numbers[r->row * width + j] = mat_cell(v, (size_t)k);
      }
    }
  }
  return PF_OK;
}

static pf_status read_piece(void *context, const mat_piece *piece, pf_error *error)
{
  mat_reading *r = context;
  const mat_file *file = r->of->file;
  const mat_leaf *leaf = &file->leaves[r->index];
  if (strcmp(piece->path, r->of->arrays[r->index].name) != 0 || mat_count(piece->variable) == 0) {
    return PF_OK;
  }
  if (piece->variable->data == NULL || why_not(piece) != NULL ||
      is_text(piece->variable) != (r->texts != NULL)) {
    return is_damaged(r, error);
  }
  if (is_folded(piece) != (r->of->arrays[r->index].axes[CONTAINER_STEPS] > 0)) {
    return is_damaged(r, error);
  }
  if (is_folded(piece)) {
    return take_folded(r, piece->variable, error);
  }
  const int64_t times = leaf->is_repeated ? r->element_rows[piece->element] : 1;
  return r->texts != NULL ? take_texts(r, piece, times, error)
                          : take_numbers(r, piece, times, error);
}

/** The variable of array i with its data; the last one is kept, since fields of a struct are asked
 * for one after the other. */
static pf_status keep_variable(const container *of, size_t i, pf_error *error)
{
  mat_file *file = of->file;
  const char *name = file->leaves[i].variable;
  if (file->kept != NULL && file->kept->name != NULL && strcmp(file->kept->name, name) == 0) {
    return PF_OK;
  }
  Mat_VarFree(file->kept);
  file->kept = Mat_VarRead(file->mat, name);
  return file->kept != NULL ? PF_OK
                            : pf_fail(error, PF_STOP,
                                      "%.300s: variable '%.100s' cannot be read; the file is "
                                      "damaged, or memory is out",
                                      of->path, name);
}

static pf_status number_elements(mat_reading *r, const mat_elements *e, pf_error *error)
{
  for (int64_t k = 0; k < e->n; k++) {
    for (int64_t t = 0; t < e->rows[k]; t++) {
      if (r->row >= r->of->arrays[r->index].rows) {
        return is_damaged(r, error);
      }
      r->numbers[r->row++] = (double)k + 1.0;
    }
  }
  return PF_OK;
}

static pf_status fill_array(mat_reading *r, const mat_elements *e, pf_error *error)
{
  const mat_file *file = r->of->file;
  if (file->leaves[r->index].is_number_of) {
    return number_elements(r, e, error);
  }
  const mat_visitor visitor = {.take = read_piece, .context = r};
  r->element_rows = e->rows;
  return mat_walk(file->kept, &visitor, error);
}

static pf_status read_array(mat_reading *r, pf_error *error)
{
  const mat_file *file = r->of->file;
  mat_elements elements = {.n = 0};
  pf_status status = keep_variable(r->of, r->index, error);
  if (status == PF_OK && file->leaves[r->index].outer != NULL) {
    status = count_elements(r->of, file->kept, file->leaves[r->index].outer, &elements, error);
  }
  if (status == PF_OK) {
    status = fill_array(r, &elements, error);
  }
  r->of->host->release(r->of->host, elements.rows);
  if (status != PF_OK) {
    return status;
  }
  return r->row == r->of->arrays[r->index].rows ? PF_OK : is_damaged(r, error);
}

static pf_status read_numbers(const container *of, size_t i, double *out, pf_error *error)
{
  const mat_file *file = of->file;
  if (file->leaves[i].dataset != NULL) {
    return read_dataset(of, i, out, error);
  }
  mat_reading r = {.of = of, .index = i, .numbers = out};
  return read_array(&r, error);
}

static pf_status read_texts(const container *of, size_t i, char **out, pf_error *error)
{
  const mat_file *file = of->file;
  if (file->leaves[i].dataset != NULL) {
    return h5_texts(of, file->h5.file, file->leaves[i].dataset,
                    of->arrays[i].rows * of->arrays[i].columns, out, error);
  }
  mat_reading r = {.of = of, .index = i, .texts = out};
  return read_array(&r, error);
}

const container_format mat_format = {.word = "array",
                                     .has = "it has",
                                     .first = 1,
                                     .row_vectors = 1,
                                     .has_axes = 1,
                                     .open = open_mat,
                                     .close = close_mat,
                                     .numbers = read_numbers,
                                     .texts = read_texts};
