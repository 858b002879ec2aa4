#define _POSIX_C_SOURCE 200809L

#include "mat_open.h"

#include <errno.h>
#include <string.h>

#include <math.h>

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

static void stay_silent(int level, char *message)
{
  (void)level;
  (void)message;
}

pf_status mat_open(const char *path, mat_t **out, pf_error *error)
{
  (void)Mat_LogInitFunc("plastfit",
                        stay_silent); /* matio would write to stderr beside our one line */
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

void mat_shut(mat_t *mat)
{
  if (mat != NULL) {
    (void)Mat_Close(mat);
  }
  (void)Mat_LogClose();
}

/* ---- cells ---- */

int mat_is_number(const matvar_t *variable)
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

double mat_cell(const matvar_t *variable, size_t k)
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
    return (double)NAN; /* not reached: mat_is_number came first */
  }
}

size_t mat_cell_bytes(const matvar_t *variable)
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
