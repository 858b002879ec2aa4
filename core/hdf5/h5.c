#include "core/hdf5/h5.h"
#include "core/base/memory.h"
#include <errno.h>
#include <hdf5.h>
#include <stdbool.h>
#include <string.h>

/* By how much the file in memory grows at a time. */
static const size_t increment = (size_t)4 << 20;
/* Bytes of an attribute: HDF5 takes less than 64 KiB. Of a longer text the beginning is kept. */
static const size_t max_text = 32768;

struct pf_h5 {
  hid_t file;
  hid_t link_options; /* makes groups on the way */
  char *path;
  bool failed;
  pf_error error;
  H5E_auto2_t printing; /* HDF5's, as it was */
  void *printing_data;
};

static hid_t h5_type(enum pf_h5_type type)
{
  switch (type) {
  case PF_H5_INT64:
    return H5T_NATIVE_INT64;
  case PF_H5_UINT32:
    return H5T_NATIVE_UINT32;
  case PF_H5_REAL:
    return sizeof(pf_real) == sizeof(double) ? H5T_NATIVE_DOUBLE : H5T_NATIVE_FLOAT;
  case PF_H5_DOUBLE:
  default:
    return H5T_NATIVE_DOUBLE;
  }
}

/* The innermost message of HDF5's stack: what the system said. */
static herr_t innermost_error(unsigned n, const H5E_error2_t *entry, void *text)
{
  if (n == 0 && entry->desc != NULL) {
    (void)snprintf(text, 256, "%s", entry->desc);
  }
  return 0;
}

static void fail_call(pf_h5 *h5, const char *what)
{
  char reason[256] = "";
  (void)H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, innermost_error, reason);
  for (char *c = reason; *c != '\0'; c++) {
    *c = *c == '\n' ? ' ' : *c;
  }
  h5->failed = true;
  (void)pf_fail(&h5->error, PF_STOP, "cannot make '%s' of '%s' in memory: HDF5 says: %s", what,
                h5->path, reason);
}

/* A file that lives in memory: HDF5 (1.10) cannot close a file that the disk has no room for, and
 * its exit handler crashes over it. So HDF5 never sees the disk, and the bytes are written here. */
static hid_t create_in_memory(const char *path)
{
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  hid_t file = -1;
  if (access >= 0 && H5Pset_fapl_core(access, increment, 0) >= 0) {
    file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, access);
  }
  if (access >= 0) {
    (void)H5Pclose(access);
  }
  return file;
}

pf_status pf_h5_create(const char *path, pf_h5 **out, pf_error *error)
{
  pf_h5 *h5 = pf_memory_need(1, sizeof *h5, error);
  if (h5 == NULL) {
    return PF_STOP;
  }
  h5->error = pf_error_none();
  h5->file = -1;
  h5->link_options = -1;
  h5->path = pf_memory_string(path, error);
  if (h5->path == NULL) {
    pf_memory_free(h5);
    return PF_STOP;
  }
  (void)H5Eget_auto2(H5E_DEFAULT, &h5->printing, &h5->printing_data);
  (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  h5->file = create_in_memory(path);
  h5->link_options = H5Pcreate(H5P_LINK_CREATE);
  if (h5->file < 0 || h5->link_options < 0 ||
      H5Pset_create_intermediate_group(h5->link_options, 1) < 0) {
    fail_call(h5, "/");
    return pf_h5_close(h5, error);
  }
  *out = h5;
  return PF_OK;
}

int64_t pf_h5_size(pf_h5 *h5)
{
  const ssize_t size =
      h5->failed ? 0 : H5Fget_file_image(h5->file, NULL, 0); /* no buffer: only the size */
  return size > 0 ? (int64_t)size : 0;
}

/* The bytes of the file as it stands in memory, to the disk. */
static void write_out(pf_h5 *h5)
{
  void **image = NULL; /* the driver's own buffer: no copy */
  if (H5Fflush(h5->file, H5F_SCOPE_GLOBAL) < 0 ||
      H5Fget_vfd_handle(h5->file, H5P_DEFAULT, (void **)&image) < 0 || image == NULL ||
      *image == NULL) {
    fail_call(h5, "/");
    return;
  }
  const size_t size = (size_t)pf_h5_size(h5);
  FILE *file = fopen(h5->path, "wb");
  errno = file == NULL ? errno : 0;
  const bool written = file != NULL && fwrite(*image, 1, size, file) == size && fflush(file) == 0;
  int reason = errno;
  const bool closed = file == NULL || fclose(file) == 0;
  reason = closed ? reason : errno;
  if (!written || !closed) {
    h5->failed = true;
    (void)pf_fail(&h5->error, PF_STOP, "cannot write '%s': %s", h5->path, strerror(reason));
  }
}

pf_status pf_h5_close(pf_h5 *h5, pf_error *error)
{
  if (h5 == NULL) {
    return PF_OK;
  }
  if (h5->file >= 0) {
    if (!h5->failed) {
      write_out(h5);
    }
    (void)H5Fclose(h5->file);
  }
  if (h5->link_options >= 0) {
    (void)H5Pclose(h5->link_options);
  }
  (void)H5Eset_auto2(H5E_DEFAULT, h5->printing, h5->printing_data);
  const pf_status status = h5->failed ? pf_fail(error, PF_STOP, "%s", h5->error.text) : PF_OK;
  pf_memory_free(h5->path);
  pf_memory_free(h5);
  return status;
}

void pf_h5_group(pf_h5 *h5, const char *path)
{
  if (h5->failed || H5Lexists(h5->file, path, H5P_DEFAULT) > 0) {
    return;
  }
  const hid_t group = H5Gcreate2(h5->file, path, h5->link_options, H5P_DEFAULT, H5P_DEFAULT);
  if (group < 0) {
    fail_call(h5, path);
    return;
  }
  (void)H5Gclose(group);
}

static void create_dataset(pf_h5 *h5, const char *path, hid_t type, int rank, const hsize_t *size)
{
  const hid_t space = H5Screate_simple(rank, size, NULL);
  const hid_t options = H5Pcreate(H5P_DATASET_CREATE);
  hid_t dataset = -1;
  if (space >= 0 && options >= 0 &&
      H5Pset_obj_track_times(options, 0) >= 0) { /* so that equal runs give equal files */
    dataset = H5Dcreate2(h5->file, path, type, space, h5->link_options, options, H5P_DEFAULT);
  }
  if (dataset < 0) {
    fail_call(h5, path);
  } else {
    (void)H5Dclose(dataset);
  }
  if (options >= 0) {
    (void)H5Pclose(options);
  }
  if (space >= 0) {
    (void)H5Sclose(space);
  }
}

/* Write the block at `start` of `count` (as many numbers as the dataset has dimensions) from rows
 * of length ld. */
static void write_block(pf_h5 *h5, const char *path, const hsize_t *start, const hsize_t *count,
                        pf_h5_rows from)
{
  if (h5->failed || from.rows <= 0 || from.columns <= 0) {
    return;
  }
  const hsize_t memory_size[2] = {(hsize_t)from.rows, (hsize_t)from.ld};
  const hsize_t memory_start[2] = {0, 0};
  const hsize_t memory_count[2] = {(hsize_t)from.rows, (hsize_t)from.columns};
  const hid_t dataset = H5Dopen2(h5->file, path, H5P_DEFAULT);
  const hid_t memory = H5Screate_simple(2, memory_size, NULL);
  const hid_t space = dataset >= 0 ? H5Dget_space(dataset) : -1;
  if (dataset < 0 || memory < 0 || space < 0 ||
      H5Sselect_hyperslab(memory, H5S_SELECT_SET, memory_start, NULL, memory_count, NULL) < 0 ||
      H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) < 0 ||
      H5Dwrite(dataset, h5_type(from.type), memory, space, H5P_DEFAULT, from.data) < 0) {
    fail_call(h5, path);
  }
  if (space >= 0) {
    (void)H5Sclose(space);
  }
  if (memory >= 0) {
    (void)H5Sclose(memory);
  }
  if (dataset >= 0) {
    (void)H5Dclose(dataset);
  }
}

void pf_h5_matrix(pf_h5 *h5, const char *path, pf_h5_rows from)
{
  if (h5->failed) {
    return;
  }
  const int rank = from.columns < 0 ? 1 : 2;
  if (rank == 1) {
    from.columns = from.ld = 1;
  }
  const hsize_t size[2] = {(hsize_t)from.rows, (hsize_t)from.columns};
  const hsize_t start[2] = {0, 0};
  create_dataset(h5, path, h5_type(from.type), rank, size);
  write_block(h5, path, start, size, from);
}

void pf_h5_cube(pf_h5 *h5, const char *path, enum pf_h5_type type, int64_t n, int64_t rows,
                int64_t columns)
{
  if (!h5->failed) {
    const hsize_t size[3] = {(hsize_t)n, (hsize_t)rows, (hsize_t)columns};
    create_dataset(h5, path, h5_type(type), 3, size);
  }
}

void pf_h5_slices(pf_h5 *h5, const char *path, int64_t row0, int64_t n, pf_h5_rows from)
{
  const hsize_t start[3] = {0, (hsize_t)row0, 0};
  const hsize_t count[3] = {(hsize_t)n, (hsize_t)from.rows, (hsize_t)from.columns};
  from.rows *= n;
  write_block(h5, path, start, count, from);
}

/* ---- texts ---- */

/* A type for UTF-8 texts of `length` bytes, or H5T_VARIABLE; -1 after a failure. */
static hid_t text_type(size_t length)
{
  const hid_t type = H5Tcopy(H5T_C_S1);
  if (type >= 0 && (H5Tset_size(type, length) < 0 || H5Tset_cset(type, H5T_CSET_UTF8) < 0)) {
    (void)H5Tclose(type);
    return -1;
  }
  return type;
}

static void write_all(pf_h5 *h5, const char *path, hid_t type, int64_t n, const void *data)
{
  const hsize_t size = (hsize_t)n;
  create_dataset(h5, path, type, 1, &size);
  const hid_t dataset = h5->failed ? -1 : H5Dopen2(h5->file, path, H5P_DEFAULT);
  if (dataset < 0 || H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0) {
    fail_call(h5, path);
  }
  if (dataset >= 0) {
    (void)H5Dclose(dataset);
  }
}

static void write_equal_texts(pf_h5 *h5, const char *path, hid_t type, size_t length,
                              char *const *texts, int64_t n)
{
  char *all = pf_memory_need((size_t)n, length, &h5->error);
  if (all == NULL) {
    h5->failed = true;
    return;
  }
  for (int64_t i = 0; i < n; i++) {
    (void)snprintf(all + (size_t)i * length, length, "%s", texts[i] != NULL ? texts[i] : "");
  }
  write_all(h5, path, type, n, all);
  pf_memory_free(all);
}

static void write_any_texts(pf_h5 *h5, const char *path, hid_t type, char *const *texts, int64_t n)
{
  const char **all = pf_memory_need((size_t)n, sizeof *all, &h5->error);
  if (all == NULL) {
    h5->failed = true;
    return;
  }
  for (int64_t i = 0; i < n; i++) {
    all[i] = texts[i] != NULL ? texts[i] : "";
  }
  write_all(h5, path, type, n, all);
  pf_memory_free(all);
}

void pf_h5_texts(pf_h5 *h5, const char *path, char *const *texts, int64_t n)
{
  size_t longest = 0;
  for (int64_t i = 0; i < n && !h5->failed; i++) {
    const size_t length = texts[i] != NULL ? strlen(texts[i]) : 0;
    longest = length > longest ? length : longest;
  }
  if (h5->failed) {
    return;
  }
  const bool equal = longest < 256;
  const hid_t type = text_type(equal ? longest + 1 : H5T_VARIABLE);
  if (type < 0) {
    fail_call(h5, path);
  } else if (equal) {
    write_equal_texts(h5, path, type, longest + 1, texts, n);
  } else {
    write_any_texts(h5, path, type, texts, n);
  }
  if (type >= 0) {
    (void)H5Tclose(type);
  }
}

/* ---- attributes ---- */

static void write_attribute(pf_h5 *h5, const char *path, const char *name, hid_t type,
                            const void *value)
{
  const hid_t space = H5Screate(H5S_SCALAR);
  const hid_t attribute =
      H5Acreate_by_name(h5->file, path, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  if (attribute < 0 || H5Awrite(attribute, type, value) < 0) {
    fail_call(h5, path);
  }
  if (attribute >= 0) {
    (void)H5Aclose(attribute);
  }
  if (space >= 0) {
    (void)H5Sclose(space);
  }
}

void pf_h5_text(pf_h5 *h5, const char *path, const char *name, const char *value)
{
  if (h5->failed) {
    return;
  }
  const hid_t type = text_type(strlen(value) < max_text ? strlen(value) + 1 : max_text);
  if (type < 0) {
    fail_call(h5, path);
    return;
  }
  write_attribute(h5, path, name, type, value);
  (void)H5Tclose(type);
}

void pf_h5_integer(pf_h5 *h5, const char *path, const char *name, int64_t value)
{
  if (!h5->failed) {
    write_attribute(h5, path, name, H5T_NATIVE_INT64, &value);
  }
}
