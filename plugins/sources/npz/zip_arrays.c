#include "zip_arrays.h"

#include <string.h>
#include <zip.h>

enum { MAX_ARRAYS = 10000 };

/** An array in the archive. */
typedef struct npz_array {
  uint64_t entry;
  uint64_t size; /**< bytes, unpacked */
  npy_header header;
} npz_array;

typedef struct npz_file {
  zip_t *archive;
  npz_array *arrays;
} npz_file;

/* ---- bytes ---- */

/** What to unpack, and how messages call it: "own.npz: array 'x'". */
typedef struct npz_piece {
  zip_t *archive;
  uint64_t entry, size;
  char name[400];
} npz_piece;

static npz_piece piece_of(const container *of, uint64_t entry, uint64_t size, const char *name)
{
  const npz_file *file = of->file;
  npz_piece piece = {.archive = file->archive, .entry = entry, .size = size};
  (void)snprintf(piece.name, sizeof piece.name, "%.300s: array '%.60s'", of->path, name);
  return piece;
}

/** Unpack up to n bytes from the start of an entry; *got of them came. `to_the_end`: there may be
 * no more. */
static pf_status unpack(const npz_piece *piece, unsigned char *bytes, uint64_t n, int to_the_end,
                        uint64_t *got, pf_error *error)
{
  zip_file_t *entry = zip_fopen_index(piece->archive, piece->entry, 0);
  if (entry == NULL) {
    return pf_fail(error, PF_STOP, "%.400s: cannot be unpacked: %.200s", piece->name,
                   zip_strerror(piece->archive));
  }
  zip_int64_t step = 1;
  for (*got = 0; *got < n && step > 0; *got += step > 0 ? (uint64_t)step : 0) {
    step = zip_fread(entry, bytes + *got, n - *got);
  }
  unsigned char more = 0;
  if (to_the_end && step > 0) { /* reading on is also what makes libzip compare the checksum */
    step = zip_fread(entry, &more, 1);
  }
  pf_status status = PF_OK;
  if (step < 0) {
    status = pf_fail(error, PF_STOP, "%.400s: cannot be unpacked, the file is damaged: %.200s",
                     piece->name, zip_file_strerror(entry));
  } else if (to_the_end && (*got < n || step > 0)) {
    status = pf_fail(error, PF_STOP,
                     "%.400s: unpacks to %s than the %llu bytes it says; the file is damaged",
                     piece->name, step > 0 ? "more" : "less", (unsigned long long)piece->size);
  }
  (void)zip_fclose(entry);
  return status;
}

/** All bytes of array i, to be released by the host; its cells start behind the header. */
static pf_status unpack_all(const container *of, size_t i, unsigned char **out, pf_error *error)
{
  const pf_host *host = of->host;
  const npz_file *file = of->file;
  const npz_array *array = &file->arrays[of->arrays[i].at];
  const npz_piece piece = piece_of(of, array->entry, array->size, of->arrays[i].name);
  unsigned char *bytes = host->allocate(host, array->size + 1);
  uint64_t got = 0;
  if (bytes == NULL) {
    return pf_fail(error, PF_STOP, "%.400s: out of memory for its %llu bytes", piece.name,
                   (unsigned long long)array->size);
  }
  const pf_status status = unpack(&piece, bytes, array->size, 1, &got, error);
  if (status != PF_OK) {
    host->release(host, bytes);
    return status;
  }
  *out = bytes;
  return PF_OK;
}

static pf_status read_numbers(const container *of, size_t i, double *out, pf_error *error)
{
  const npz_file *file = of->file;
  const npy_header *header = &file->arrays[of->arrays[i].at].header;
  unsigned char *bytes = NULL;
  const pf_status status = unpack_all(of, i, &bytes, error);
  if (status == PF_OK) {
    npy_numbers(header, bytes + header->data, out);
  }
  of->host->release(of->host, bytes);
  return status;
}

static pf_status read_texts(const container *of, size_t i, char **out, pf_error *error)
{
  const npz_file *file = of->file;
  const npy_header *header = &file->arrays[of->arrays[i].at].header;
  unsigned char *bytes = NULL;
  pf_status status = unpack_all(of, i, &bytes, error);
  if (status == PF_OK) {
    status = npy_texts(of->host, header, bytes + header->data, out, error);
  }
  of->host->release(of->host, bytes);
  return status;
}

/* ---- the archive ---- */

static pf_status read_header(const npz_piece *piece, const pf_host *host, npy_header *header,
                             pf_error *why, pf_error *error)
{
  uint64_t got = 0;
  const uint64_t n = piece->size < NPY_MAX_HEADER ? piece->size : NPY_MAX_HEADER;
  unsigned char *bytes = host->allocate(host, n + 1);
  if (bytes == NULL) {
    return pf_fail(error, PF_STOP, "%.400s: out of memory for its header", piece->name);
  }
  if (unpack(piece, bytes, n, 0, &got, why) == PF_OK) {
    (void)npy_read_header(piece->name, bytes, got, piece->size, header, why);
  }
  host->release(host, bytes);
  return PF_OK; /* why is told when it is asked for: what nobody uses may be anything */
}

static pf_status add_entry(container *of, uint64_t entry, pf_error *error)
{
  npz_file *file = of->file;
  zip_stat_t info;
  zip_stat_init(&info);
  const zip_uint64_t needed = ZIP_STAT_NAME | ZIP_STAT_SIZE;
  if (zip_stat_index(file->archive, entry, 0, &info) != 0 || (info.valid & needed) != needed) {
    return pf_fail(error, PF_STOP, "%.300s: entry %llu cannot be read: %.200s", of->path,
                   (unsigned long long)entry, zip_strerror(file->archive));
  }
  const size_t length = strlen(info.name);
  if (length < 5 || strcmp(info.name + length - 4, ".npy") != 0) {
    return PF_OK; /* not an array */
  }
  char *name = container_text(of->host, info.name, length - 4);
  if (name == NULL) {
    return pf_fail(error, PF_STOP, "%.300s: out of memory for its arrays", of->path);
  }
  npz_array *array = &file->arrays[of->n];
  pf_error why = {.size = sizeof why};
  const npz_piece piece = piece_of(of, entry, info.size, name);
  *array = (npz_array){.entry = entry, .size = info.size};
  pf_status status = read_header(&piece, of->host, &array->header, &why, error);
  if (status == PF_OK) {
    status = npy_add(of, name, &array->header, why.text, (int64_t)of->n, error);
  }
  of->host->release(of->host, name);
  return status;
}

static pf_status open_archive(container *of, pf_error *error)
{
  npz_file *file = of->file;
  int code = 0;
  file->archive = zip_open(of->path, ZIP_RDONLY, &code);
  if (file->archive != NULL) {
    return PF_OK;
  }
  zip_error_t why;
  zip_error_init_with_code(&why, code);
  const pf_status status = code == ZIP_ER_NOZIP || code == ZIP_ER_INCONS
                               ? pf_fail(error, PF_STOP,
                                         "%.300s: is no .npz file (%.100s): expected a zip archive "
                                         "of arrays, as np.savez(\"own.npz\", x=x, "
                                         "choice=choice) writes it",
                                         of->path, zip_error_strerror(&why))
                               : pf_fail(error, PF_STOP, "%.300s: cannot be opened: %.200s",
                                         of->path, zip_error_strerror(&why));
  zip_error_fini(&why);
  return status;
}

static pf_status open_npz(container *of, pf_error *error)
{
  const pf_host *host = of->host;
  npz_file *file = of->file = host->allocate(host, sizeof *file);
  if (file == NULL) {
    return pf_fail(error, PF_STOP, "%.300s: out of memory for its arrays", of->path);
  }
  pf_status status = open_archive(of, error);
  if (status != PF_OK) {
    return status;
  }
  const zip_int64_t n = zip_get_num_entries(file->archive, 0);
  if (n < 1 || n > MAX_ARRAYS) {
    return pf_fail(error, PF_STOP, "%.300s: has %lld entries; expected from 1 to %d arrays",
                   of->path, (long long)n, MAX_ARRAYS);
  }
  file->arrays = host->allocate(host, (size_t)n * sizeof *file->arrays);
  if (file->arrays == NULL) {
    return pf_fail(error, PF_STOP, "%.300s: out of memory for its arrays", of->path);
  }
  for (zip_int64_t i = 0; i < n; i++) {
    status = add_entry(of, (uint64_t)i, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return of->n == 0 ? pf_fail(error, PF_STOP, "%.300s: has no array (NAME.npy) in it", of->path)
                    : PF_OK;
}

static void close_npz(container *of)
{
  npz_file *file = of->file;
  if (file == NULL) {
    return;
  }
  if (file->archive != NULL) {
    zip_discard(file->archive);
  }
  of->host->release(of->host, file->arrays);
  of->host->release(of->host, file);
}

const container_format npz_format = {.word = "array",
                                     .has = "it has",
                                     .has_axes = 1,
                                     .open = open_npz,
                                     .close = close_npz,
                                     .numbers = read_numbers,
                                     .texts = read_texts};
