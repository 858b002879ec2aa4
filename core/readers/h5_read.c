#include "core/readers/h5_read.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include <hdf5.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Read at once: 256 MiB of doubles, far above what a figure takes. */
static const size_t max_cells = (size_t)1 << 25;

struct pf_h5_reader {
  hid_t file;
  H5E_auto2_t printing; /* HDF5's, as it was */
  void *printing_data;
};

pf_status pf_h5_open(const char *path, pf_h5_reader **out, pf_error *error)
{
  pf_h5_reader *reader = pf_memory_need(1, sizeof *reader, error);
  if (reader == NULL) {
    return PF_STOP;
  }
  (void)H5Eget_auto2(H5E_DEFAULT, &reader->printing, &reader->printing_data);
  (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  reader->file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  if (reader->file < 0) {
    pf_h5_shut(reader);
    return pf_fail(error, PF_STOP, "'%s' is no HDF5 file that can be read", path);
  }
  *out = reader;
  return PF_OK;
}

void pf_h5_shut(pf_h5_reader *reader)
{
  if (reader == NULL) {
    return;
  }
  if (reader->file >= 0) {
    (void)H5Fclose(reader->file);
  }
  (void)H5Eset_auto2(H5E_DEFAULT, reader->printing, reader->printing_data);
  pf_memory_free(reader);
}

/* ---- names ---- */

typedef struct listing {
  char **names;
  size_t n, capacity;
  pf_error *error;
} listing;

static herr_t list_one(hid_t group, const char *name, const H5L_info_t *info, void *payload)
{
  listing *l = payload;
  (void)group;
  (void)info;
  if (l->n == l->capacity) {
    const size_t more = l->capacity == 0 ? 16 : 2 * l->capacity;
    char **names = pf_memory_need(more, sizeof *names, l->error);
    if (names == NULL) {
      return -1;
    }
    for (size_t i = 0; i < l->n; i++) {
      names[i] = l->names[i];
    }
    pf_memory_free(l->names);
    l->names = names;
    l->capacity = more;
  }
  l->names[l->n] = pf_memory_string(name, l->error);
  return l->names[l->n++] == NULL ? -1 : 0;
}

static int natural_order(const void *a, const void *b)
{
  return pf_text_natural_compare(*(char *const *)a, *(char *const *)b);
}

pf_status pf_h5_children(pf_h5_reader *reader, const char *path, char ***names, size_t *n,
                         pf_error *error)
{
  listing l = {.error = error};
  *names = NULL;
  *n = 0;
  if (strcmp(path, "/") != 0 && H5Lexists(reader->file, path, H5P_DEFAULT) <= 0) {
    return PF_OK;
  }
  if (H5Literate_by_name(reader->file, path, H5_INDEX_NAME, H5_ITER_INC, NULL, list_one, &l,
                         H5P_DEFAULT) < 0) {
    pf_h5_children_free(l.names, l.n);
    return pf_fail(error, PF_STOP, "group '%s' of a results file cannot be read", path);
  }
  if (l.n > 0) {
    qsort(l.names, l.n, sizeof *l.names, natural_order);
  }
  *names = l.names;
  *n = l.n;
  return PF_OK;
}

void pf_h5_children_free(char **names, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    pf_memory_free(names[i]);
  }
  pf_memory_free(names);
}

/* ---- arrays ---- */

/** Does every part of the path exist? (H5Lexists asks of the last only, and fails if one above is
 * missing) */
static bool link_exists(const pf_h5_reader *reader, const char *path)
{
  char part[1024];
  if (strlen(path) >= sizeof part) {
    return false;
  }
  for (size_t i = 1; i <= strlen(path); i++) {
    if (path[i] == '/' || path[i] == '\0') {
      (void)snprintf(part, sizeof part, "%.*s", (int)i, path);
      if (H5Lexists(reader->file, part, H5P_DEFAULT) <= 0) {
        return false;
      }
    }
  }
  return true;
}

/** Product of the sizes; false where it overflows, or is above `most`. */
static bool count_cells(const size_t n[3], size_t most, size_t *cells)
{
  *cells = 1;
  for (size_t k = 0; k < 3; k++) {
    if (n[k] != 0 && *cells > most / n[k]) {
      return false;
    }
    *cells *= n[k];
  }
  return true;
}

/** Is it stored in pieces, which may be packed? */
static bool is_chunked(hid_t set)
{
  const hid_t options = H5Dget_create_plist(set);
  const bool chunked = options >= 0 && H5Pget_layout(options) == H5D_CHUNKED;
  if (options >= 0) {
    (void)H5Pclose(options);
  }
  return chunked;
}

/** Do the bits of a number lie within its bytes? HDF5 does not ask, and reads beyond them. */
static bool has_bits_within(hid_t type, H5T_class_t what, size_t size)
{
  const size_t precision = H5Tget_precision(type);
  const int offset = H5Tget_offset(type);
  size_t sign = 0, exponent = 0, n_exponent = 0, mantissa = 0, n_mantissa = 0;
  if (size > 16 || precision == 0 || precision > 8 * size || offset < 0 ||
      (size_t)offset > 8 * size - precision) {
    return false;
  }
  if (what == H5T_INTEGER) {
    return true;
  }
  return H5Tget_fields(type, &sign, &exponent, &n_exponent, &mantissa, &n_mantissa) >= 0 &&
         sign < precision && n_exponent <= precision && exponent <= precision - n_exponent &&
         n_mantissa <= precision && mantissa <= precision - n_mantissa;
}

/** Bytes of a cell; 0 where the cells are no numbers. */
static size_t number_size(hid_t set)
{
  const hid_t type = H5Dget_type(set);
  if (type < 0) {
    return 0;
  }
  const H5T_class_t what = H5Tget_class(type);
  size_t size = what == H5T_INTEGER || what == H5T_FLOAT ? H5Tget_size(type) : 0;
  if (size > 0 && !has_bits_within(type, what, size)) {
    size = 0;
  }
  (void)H5Tclose(type);
  return size;
}

/**
 * Can the bytes that the file has for a dataset hold that many cells? A few bytes of a file can
 * claim any size, and HDF5 itself reads beyond a dataset that stands in its header. Deflate shrinks
 * by a factor of 1032 at most.
 */
static bool has_bytes_for(hid_t set, size_t size, size_t cells)
{
  const hsize_t stored = H5Dget_storage_size(set);
  if (size == 0 || (cells > 0 && stored == 0)) {
    return false;
  }
  return is_chunked(set) ? cells / 1032 <= stored / size : cells <= stored / size;
}

static bool read_extent(hid_t space, pf_h5_array *out)
{
  hsize_t n[3] = {1, 1, 1};
  const int rank = space < 0 ? -1 : H5Sget_simple_extent_ndims(space);
  if (rank < 1 || rank > 3 || H5Sget_simple_extent_dims(space, n, NULL) < 0) {
    return false;
  }
  out->rank = rank;
  for (size_t k = 0; k < 3; k++) {
    out->n[k] = k < (size_t)rank ? (size_t)n[k] : 1;
  }
  return true;
}

static bool shape_of(hid_t set, hid_t space, pf_h5_array *out)
{
  size_t cells = 0;
  if (read_extent(space, out) && count_cells(out->n, SIZE_MAX, &cells) &&
      has_bytes_for(set, number_size(set), cells)) {
    return true;
  }
  *out = (pf_h5_array){.n = {0, 1, 1}};
  return false;
}

bool pf_h5_shape(pf_h5_reader *reader, const char *path, pf_h5_array *out)
{
  *out = (pf_h5_array){.n = {0, 1, 1}};
  const hid_t set = link_exists(reader, path) ? H5Dopen2(reader->file, path, H5P_DEFAULT) : -1;
  const hid_t space = set < 0 ? -1 : H5Dget_space(set);
  const bool found = shape_of(set, space, out);
  if (space >= 0) {
    (void)H5Sclose(space);
  }
  if (set >= 0) {
    (void)H5Dclose(set);
  }
  return found;
}

/** Every step[k]-th of the rows of `span` of what `space` has, into *out, which has its shape. */
static bool read_part(hid_t set, hid_t space, pf_h5_span span, const size_t *step, pf_h5_array *out)
{
  hsize_t start[3] = {span.first, 0, 0};
  hsize_t stride[3];
  hsize_t count[3];
  size_t cells = 0;
  if (span.first > out->n[0] || span.n > out->n[0] - span.first) {
    return false;
  }
  out->n[0] = span.n;
  for (size_t k = 0; k < 3; k++) {
    const size_t by = step != NULL && k < (size_t)out->rank ? step[k] : 1;
    out->n[k] = out->n[k] == 0 ? 0 : (out->n[k] - 1) / by + 1;
    stride[k] = by;
    count[k] = out->n[k];
  }
  if (!count_cells(out->n, max_cells, &cells)) {
    return false;
  }
  out->values = pf_memory_new(cells, sizeof *out->values);
  if (out->values == NULL || cells == 0) {
    return out->values != NULL;
  }
  const hid_t memory = H5Screate_simple(out->rank, count, NULL);
  const bool done = memory >= 0 &&
                    H5Sselect_hyperslab(space, H5S_SELECT_SET, start, stride, count, NULL) >= 0 &&
                    H5Dread(set, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, out->values) >= 0;
  if (memory >= 0) {
    (void)H5Sclose(memory);
  }
  return done;
}

/** `span` NULL: all rows. */
static bool read_rows(pf_h5_reader *reader, const char *path, const pf_h5_span *span,
                      const size_t *step, pf_h5_array *out)
{
  *out = (pf_h5_array){.n = {0, 1, 1}};
  const hid_t set = link_exists(reader, path) ? H5Dopen2(reader->file, path, H5P_DEFAULT) : -1;
  const hid_t space = set < 0 ? -1 : H5Dget_space(set);
  bool done = shape_of(set, space, out);
  if (done) {
    const pf_h5_span rows = span != NULL ? *span : (pf_h5_span){0, out->n[0]};
    done = read_part(set, space, rows, step, out);
  }
  if (!done) {
    pf_memory_free(out->values);
    out->values = NULL;
  }
  if (space >= 0) {
    (void)H5Sclose(space);
  }
  if (set >= 0) {
    (void)H5Dclose(set);
  }
  return done;
}

bool pf_h5_read(pf_h5_reader *reader, const char *path, const size_t *step, pf_h5_array *out)
{
  return read_rows(reader, path, NULL, step, out);
}

bool pf_h5_read_span(pf_h5_reader *reader, const char *path, pf_h5_span span, const size_t *step,
                     pf_h5_array *out)
{
  return read_rows(reader, path, &span, step, out);
}

/* ---- texts ---- */

enum { MAX_TEXT = 256 };

/** Bytes of a text, all of one length; 0 where they are none, or too long. */
static size_t text_size(hid_t type)
{
  if (type < 0 || H5Tget_class(type) != H5T_STRING || H5Tis_variable_str(type) != 0) {
    return 0;
  }
  const size_t size = H5Tget_size(type);
  return size <= MAX_TEXT ? size : 0;
}

/** [n] texts of `size` bytes, taken apart. */
static bool split_texts(const char *all, size_t n, size_t size, char ***texts)
{
  pf_error error = pf_error_none();
  char **each = pf_memory_new(n, sizeof *each);
  for (size_t i = 0; each != NULL && i < n; i++) {
    char text[MAX_TEXT + 1] = "";
    memcpy(text, all + i * size, size);
    each[i] = pf_memory_string(text, &error);
    if (each[i] == NULL) {
      pf_h5_children_free(each, i);
      return false;
    }
  }
  *texts = each;
  return each != NULL;
}

static bool read_texts_of(hid_t set, hid_t space, hid_t type, char ***texts, size_t *n)
{
  pf_h5_array shape = {.n = {0, 1, 1}};
  const size_t size = text_size(type);
  if (size == 0 || !read_extent(space, &shape) || shape.rank != 1 || shape.n[0] > max_cells ||
      !has_bytes_for(set, size, shape.n[0])) {
    return false;
  }
  char *all = pf_memory_new(shape.n[0], size);
  const bool done = all != NULL && H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, all) >= 0 &&
                    split_texts(all, shape.n[0], size, texts);
  pf_memory_free(all);
  *n = done ? shape.n[0] : 0;
  return done;
}

bool pf_h5_read_texts(pf_h5_reader *reader, const char *path, char ***texts, size_t *n)
{
  *texts = NULL;
  *n = 0;
  const hid_t set = link_exists(reader, path) ? H5Dopen2(reader->file, path, H5P_DEFAULT) : -1;
  const hid_t space = set < 0 ? -1 : H5Dget_space(set);
  const hid_t type = set < 0 ? -1 : H5Dget_type(set);
  const bool done = space >= 0 && type >= 0 && read_texts_of(set, space, type, texts, n);
  if (type >= 0) {
    (void)H5Tclose(type);
  }
  if (space >= 0) {
    (void)H5Sclose(space);
  }
  if (set >= 0) {
    (void)H5Dclose(set);
  }
  return done;
}
