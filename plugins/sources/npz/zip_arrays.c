#include "zip_arrays.h"

#include <string.h>
#include <zip.h>

enum { MAX_ARRAYS = 10000 };

/* ---- names ---- */

/** "own.npz: array 'x'" */
static void name_array(const npz_file *file, const char *name, char *text, size_t capacity)
{
  (void)snprintf(text, capacity, "%.300s: array '%.60s'", file->path, name);
}

/* ---- bytes ---- */

/** Unpack up to n bytes from the start of an entry; *got of them came. `to_the_end`: there may be
 * no more. */
static pf_status unpack(const npz_file *file, const npz_array *array, unsigned char *bytes,
                        uint64_t n, int to_the_end, uint64_t *got, pf_error *error)
{
  char name[400];
  name_array(file, array->name, name, sizeof name);
  zip_file_t *entry = zip_fopen_index(file->archive, array->entry, 0);
  if (entry == NULL) {
    return pf_fail(error, PF_STOP, "%.400s: cannot be unpacked: %.200s", name,
                   zip_strerror(file->archive));
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
                     name, zip_file_strerror(entry));
  } else if (to_the_end && (*got < n || step > 0)) {
    status = pf_fail(error, PF_STOP,
                     "%.400s: unpacks to %s than the %llu bytes it says; the file is damaged", name,
                     step > 0 ? "more" : "less", (unsigned long long)array->size);
  }
  (void)zip_fclose(entry);
  return status;
}

pf_status npz_cells(const npz_file *file, const npz_array *array, unsigned char **out,
                    pf_error *error)
{
  const pf_host *host = file->host;
  unsigned char *bytes = host->allocate(host, array->size + 1);
  uint64_t got = 0;
  if (bytes == NULL) {
    return pf_fail(error, PF_STOP, "%.300s: out of memory for the %llu bytes of array '%.60s'",
                   file->path, (unsigned long long)array->size, array->name);
  }
  const pf_status status = unpack(file, array, bytes, array->size, 1, &got, error);
  if (status != PF_OK) {
    host->release(host, bytes);
    return status;
  }
  memmove(bytes, bytes + array->header.data, array->size - array->header.data);
  *out = bytes;
  return PF_OK;
}

/* ---- the archive ---- */

static pf_status read_header(const npz_file *file, npz_array *array, pf_error *error)
{
  const pf_host *host = file->host;
  char name[400];
  pf_error why = {.size = sizeof why};
  uint64_t got = 0;
  const uint64_t n = array->size < NPY_MAX_HEADER ? array->size : NPY_MAX_HEADER;
  unsigned char *bytes = host->allocate(host, n + 1);
  if (bytes == NULL) {
    return pf_fail(error, PF_STOP, "%.300s: out of memory for a header", file->path);
  }
  name_array(file, array->name, name, sizeof name);
  pf_status status = unpack(file, array, bytes, n, 0, &got, &why);
  if (status == PF_OK) {
    status = npy_read_header(name, bytes, got, array->size, &array->header, &why);
  }
  if (status != PF_OK) { /* told when it is asked for: what nobody uses may be anything */
    memcpy(array->why, why.text, sizeof array->why);
  }
  host->release(host, bytes);
  return PF_OK;
}

static pf_status add_entry(npz_file *file, uint64_t entry, pf_error *error)
{
  const pf_host *host = file->host;
  zip_stat_t info;
  zip_stat_init(&info);
  const zip_uint64_t needed = ZIP_STAT_NAME | ZIP_STAT_SIZE;
  if (zip_stat_index(file->archive, entry, 0, &info) != 0 || (info.valid & needed) != needed) {
    return pf_fail(error, PF_STOP, "%.300s: entry %llu cannot be read: %.200s", file->path,
                   (unsigned long long)entry, zip_strerror(file->archive));
  }
  const size_t length = strlen(info.name);
  if (length < 5 || strcmp(info.name + length - 4, ".npy") != 0) {
    return PF_OK; /* not an array */
  }
  npz_array *array = &file->arrays[file->n];
  array->name = host->allocate(host, length);
  if (array->name == NULL) {
    return pf_fail(error, PF_STOP, "%.300s: out of memory for its arrays", file->path);
  }
  memcpy(array->name, info.name, length - 4); /* zeroed before */
  array->entry = entry;
  array->size = info.size;
  file->n++;
  return read_header(file, array, error);
}

static pf_status open_archive(npz_file *file, pf_error *error)
{
  int code = 0;
  file->archive = zip_open(file->path, ZIP_RDONLY, &code);
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
                                         file->path, zip_error_strerror(&why))
                               : pf_fail(error, PF_STOP, "%.300s: cannot be opened: %.200s",
                                         file->path, zip_error_strerror(&why));
  zip_error_fini(&why);
  return status;
}

static pf_status list_entries(npz_file *file, pf_error *error)
{
  const zip_int64_t n = zip_get_num_entries(file->archive, 0);
  if (n < 1 || n > MAX_ARRAYS) {
    return pf_fail(error, PF_STOP, "%.300s: has %lld entries; expected from 1 to %d arrays",
                   file->path, (long long)n, MAX_ARRAYS);
  }
  file->arrays = file->host->allocate(file->host, (size_t)n * sizeof *file->arrays);
  if (file->arrays == NULL) {
    return pf_fail(error, PF_STOP, "%.300s: out of memory for its arrays", file->path);
  }
  for (zip_int64_t i = 0; i < n; i++) {
    const pf_status status = add_entry(file, (uint64_t)i, error);
    if (status != PF_OK) {
      return status;
    }
  }
  if (file->n == 0) {
    return pf_fail(error, PF_STOP, "%.300s: has no array (NAME.npy) in it", file->path);
  }
  return PF_OK;
}

pf_status npz_open(const pf_host *host, const char *path, npz_file *out, pf_error *error)
{
  *out = (npz_file){.host = host, .path = path};
  pf_status status = open_archive(out, error);
  if (status != PF_OK) {
    return status;
  }
  status = list_entries(out, error);
  if (status != PF_OK) {
    npz_close(out);
  }
  return status;
}

void npz_shut(npz_file *file)
{
  if (file->archive != NULL) {
    zip_discard(file->archive);
  }
  file->archive = NULL;
}

int npz_same(const npz_file *a, const npz_file *b)
{
  if (a->n != b->n) {
    return 0;
  }
  for (size_t i = 0; i < a->n; i++) {
    const npz_array *x = &a->arrays[i], *y = &b->arrays[i];
    const npy_header *g = &x->header, *h = &y->header;
    if (strcmp(x->name, y->name) != 0 || x->size != y->size || strcmp(x->why, y->why) != 0 ||
        g->kind != h->kind || g->item != h->item || g->rows != h->rows ||
        g->columns != h->columns || g->n_dims != h->n_dims) {
      return 0;
    }
  }
  return 1;
}

void npz_close(npz_file *file)
{
  const pf_host *host = file->host;
  for (size_t i = 0; file->arrays != NULL && i < file->n; i++) {
    host->release(host, file->arrays[i].name);
  }
  if (host != NULL) {
    host->release(host, file->arrays);
  }
  npz_shut(file);
  file->arrays = NULL;
  file->n = 0;
}
