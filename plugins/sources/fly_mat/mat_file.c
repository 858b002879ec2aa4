#define _POSIX_C_SOURCE 200809L

#include "mat_file.h"

#include <errno.h>
#include <math.h>
#include <matio.h>
#include <string.h>

/* More cells than any recording has: a damaged header must not make us ask for terabytes. */
enum { FLY_MAT_MAX_CELLS = 100000000 };

/* ---- is the file whole? ---- */

/* matio reads what it can of a truncated file and says nothing, so the lengths that a v5 file
 * states are added up here first. A v7.3 file is HDF5, which checks its own end. Layout of v5: 128
 * bytes of header whose last two say the byte order, then elements of { type, bytes } (4 + 4 bytes)
 * and that many bytes. */
enum { MAT5_HEADER = 128, MAT5_TAG = 8, MAT5_MATRIX = 14 };

static uint32_t mat5_word(const unsigned char *bytes, int little)
{
  uint32_t word = 0;
  for (int k = 0; k < 4; k++) {
    word = word << 8 | bytes[little ? 3 - k : k];
  }
  return word;
}

/** Parts of a matrix end where it ends: matio allocates what a part says of itself before it reads,
 * so that a few bytes could ask for 4 GiB. A part of up to 4 bytes has them in its tag. */
static pf_status mat5_check_parts(FILE *file, int64_t at, int64_t end, int little, const char *path,
                                  pf_error *error)
{
  while (at < end) {
    unsigned char tag[MAT5_TAG];
    if (end - at < MAT5_TAG || fseek(file, (long)at, SEEK_SET) != 0 ||
        fread(tag, 1, MAT5_TAG, file) != MAT5_TAG) {
      return pf_fail(error, PF_STOP, "%s is damaged: a variable ends inside the head of a part",
                     path);
    }
    const int is_small = mat5_word(tag, little) >> 16 != 0;
    const int64_t bytes = is_small ? 0 : (int64_t)mat5_word(tag + 4, little);
    if (bytes > end - at - MAT5_TAG) {
      return pf_fail(error, PF_STOP,
                     "%s is damaged: a part of %lld bytes, in a variable that has %lld left", path,
                     (long long)bytes, (long long)(end - at - MAT5_TAG));
    }
    at += MAT5_TAG + (bytes + 7) / 8 * 8;
  }
  return PF_OK;
}

static pf_status mat5_check_length(FILE *file, const char *path, pf_error *error)
{
  unsigned char header[MAT5_HEADER];
  if (fseek(file, 0, SEEK_END) != 0) {
    return pf_fail(error, PF_STOP, "%s: %s", path, strerror(errno));
  }
  const int64_t size = ftell(file);
  rewind(file);
  if (size < MAT5_HEADER || fread(header, 1, MAT5_HEADER, file) != MAT5_HEADER) {
    return pf_fail(error, PF_STOP,
                   "%s is truncated: %lld bytes, and a .mat file's header alone has %d", path,
                   (long long)size, MAT5_HEADER);
  }
  const int little = header[126] == 'I';
  for (int64_t at = MAT5_HEADER; at < size;) {
    unsigned char tag[MAT5_TAG];
    if (fseek(file, (long)at, SEEK_SET) != 0 || fread(tag, 1, MAT5_TAG, file) != MAT5_TAG) {
      return pf_fail(error, PF_STOP,
                     "%s is truncated: it ends at byte %lld, inside the head of a variable", path,
                     (long long)size);
    }
    const int64_t end = at + MAT5_TAG + (int64_t)mat5_word(tag + 4, little);
    if (end > size) {
      return pf_fail(
          error, PF_STOP,
          "%s is truncated: it ends at byte %lld, inside a variable that goes on to byte %lld",
          path, (long long)size, (long long)end);
    }
    if (mat5_word(tag, little) == MAT5_MATRIX &&
        mat5_check_parts(file, at + MAT5_TAG, end, little, path, error) != PF_OK) {
      return PF_STOP;
    }
    at = end;
  }
  return PF_OK;
}

/* ---- opening ---- */

static void fly_mat_silent(int level, char *message)
{
  (void)level;
  (void)message;
}

static pf_status fly_mat_open(const char *path, mat_t **out, pf_error *error)
{
  FILE *file = fopen(path, "rb");
  if (file == NULL) {
    return pf_fail(error, PF_STOP, "%s: %s", path, strerror(errno));
  }
  errno = 0;
  if (fgetc(file) == EOF) {
    const int reason = errno; /* EISDIR where the path is a folder */
    (void)fclose(file);
    return pf_fail(error, PF_STOP, "%s %s", path, reason != 0 ? strerror(reason) : "is empty");
  }
  mat_t *mat = Mat_Open(path, MAT_ACC_RDONLY);
  const enum mat_ft version = mat != NULL ? Mat_GetVersion(mat) : MAT_FT_UNDEFINED;
  pf_status status = PF_OK;
  if (version == MAT_FT_MAT5) {
    status = mat5_check_length(file, path, error);
  } else if (version != MAT_FT_MAT73) {
    /* matio takes what it does not know for v4, which has no mark of its own */
    status =
        pf_fail(error, PF_STOP,
                "%s is not a .mat file of version 5 to 7.3, or is damaged at its beginning", path);
  }
  (void)fclose(file);
  if (status != PF_OK) {
    if (mat != NULL) {
      (void)Mat_Close(mat);
    }
    return status;
  }
  *out = mat;
  return PF_OK;
}

/* ---- one variable ---- */

static pf_status fly_mat_no_such(mat_t *mat, const char *path, const char *name, pf_error *error)
{
  char list[256] = "";
  size_t used = 0;
  size_t n = 0;
  char *const *names = Mat_GetDir(mat, &n);
  for (size_t i = 0; names != NULL && i < n; i++) {
    if (names[i] != NULL && used + strlen(names[i]) + 6 < sizeof list) {
      used +=
          (size_t)snprintf(list + used, sizeof list - used, "%s%s", used > 0 ? ", " : "", names[i]);
    } else if (names[i] != NULL) {
      (void)snprintf(list + used, sizeof list - used, " ...");
      break;
    }
  }
  return pf_fail(error, PF_STOP, "%s has no variable %s; it has %s", path, name,
                 list[0] != '\0' ? list : "none that can be read");
}

static int fly_mat_is_number(const matvar_t *variable)
{
  switch (variable->class_type) {
  case MAT_C_DOUBLE:
  case MAT_C_SINGLE:
  case MAT_C_INT8:
  case MAT_C_UINT8:
  case MAT_C_INT16:
  case MAT_C_UINT16:
  case MAT_C_INT32:
  case MAT_C_UINT32:
  case MAT_C_INT64:
  case MAT_C_UINT64:
    return !variable->isComplex;
  default:
    return 0;
  }
}

static double fly_mat_cell(const matvar_t *variable, size_t k)
{
  const void *data = variable->data;
  switch (variable->class_type) {
  case MAT_C_DOUBLE:
    return ((const double *)data)[k];
  case MAT_C_SINGLE:
    return (double)((const float *)data)[k];
  case MAT_C_INT8:
    return (double)((const int8_t *)data)[k];
  case MAT_C_UINT8:
    return (double)((const uint8_t *)data)[k];
  case MAT_C_INT16:
    return (double)((const int16_t *)data)[k];
  case MAT_C_UINT16:
    return (double)((const uint16_t *)data)[k];
  case MAT_C_INT32:
    return (double)((const int32_t *)data)[k];
  case MAT_C_UINT32:
    return (double)((const uint32_t *)data)[k];
  case MAT_C_INT64:
    return (double)((const int64_t *)data)[k];
  case MAT_C_UINT64:
    return (double)((const uint64_t *)data)[k];
  default:
    return (double)NAN; /* not reached: fly_mat_is_number came first */
  }
}

static size_t fly_mat_cell_bytes(const matvar_t *variable)
{
  switch (variable->class_type) {
  case MAT_C_DOUBLE:
  case MAT_C_INT64:
  case MAT_C_UINT64:
    return 8;
  case MAT_C_SINGLE:
  case MAT_C_INT32:
  case MAT_C_UINT32:
    return 4;
  case MAT_C_INT16:
  case MAT_C_UINT16:
    return 2;
  default:
    return 1;
  }
}

/** Column-major numbers of any class to row-major doubles. */
static pf_status fly_mat_convert(const pf_host *host, const char *path, const char *name,
                                 const matvar_t *variable, fly_mat_matrix *out, pf_error *error)
{
  const size_t n_rows = variable->dims[0];
  const size_t n_columns = variable->dims[1];
  const size_t cells = n_rows * n_columns;
  if (cells > 0 &&
      (variable->data == NULL || variable->nbytes < cells * fly_mat_cell_bytes(variable))) {
    return pf_fail(error, PF_STOP, "%s: variable %s cannot be read; the file is damaged", path,
                   name);
  }
  out->values = host->allocate(host, cells * sizeof *out->values);
  if (out->values == NULL) {
    return pf_fail(error, PF_STOP, "%s: out of memory for variable %s", path, name);
  }
  out->n_rows = (int64_t)n_rows;
  out->n_columns = (int64_t)n_columns;
  for (size_t i = 0; i < n_rows; i++) {
    for (size_t j = 0; j < n_columns; j++) {
      out->values[i * n_columns + j] = fly_mat_cell(variable, j * n_rows + i);
    }
  }
  return PF_OK;
}

static pf_status fly_mat_read_one(const pf_host *host, mat_t *mat, const char *path,
                                  const char *name, fly_mat_matrix *out, pf_error *error)
{
  matvar_t *variable = Mat_VarReadInfo(mat, name);
  if (variable == NULL) {
    return fly_mat_no_such(mat, path, name, error);
  }
  pf_status status = PF_OK;
  if (!fly_mat_is_number(variable)) {
    status =
        pf_fail(error, PF_STOP, "%s: variable %s is not a full matrix of real numbers", path, name);
  } else if (variable->rank != 2) {
    status = pf_fail(error, PF_STOP, "%s: variable %s has %d dimensions; expected 2", path, name,
                     variable->rank);
  } else if (variable->dims[0] > FLY_MAT_MAX_CELLS || variable->dims[1] > FLY_MAT_MAX_CELLS ||
             variable->dims[0] * variable->dims[1] > FLY_MAT_MAX_CELLS) {
    status =
        pf_fail(error, PF_STOP, "%s: variable %s is said to be %zu x %zu, more than can be meant",
                path, name, variable->dims[0], variable->dims[1]);
  } else if (variable->dims[0] * variable->dims[1] > 0 && Mat_VarReadDataAll(mat, variable) != 0) {
    status =
        pf_fail(error, PF_STOP, "%s: variable %s cannot be read; the file is damaged", path, name);
  } else {
    status = fly_mat_convert(host, path, name, variable, out, error);
  }
  Mat_VarFree(variable);
  return status;
}

/* ---- all of them ---- */

void fly_mat_free_matrices(const pf_host *host, fly_mat_matrix *matrices, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    host->release(host, matrices[i].values);
    matrices[i] = (fly_mat_matrix){0};
  }
}

pf_status fly_mat_read_matrices(const pf_host *host, const char *path, const char *const *names,
                                size_t n, fly_mat_matrix *out, pf_error *error)
{
  for (size_t i = 0; i < n; i++) {
    out[i] = (fly_mat_matrix){0};
  }
  (void)Mat_LogInitFunc("plastfit",
                        fly_mat_silent); /* matio would write to stderr beside our one line */
  mat_t *mat = NULL;
  pf_status status = fly_mat_open(path, &mat, error);
  for (size_t i = 0; i < n; i++) {
    if (status != PF_OK) {
      break;
    }
    status = fly_mat_read_one(host, mat, path, names[i], &out[i], error);
  }
  if (mat != NULL) {
    (void)Mat_Close(mat);
  }
  (void)Mat_LogClose();
  if (status != PF_OK) {
    fly_mat_free_matrices(host, out, n);
  }
  return status;
}
