#define _POSIX_C_SOURCE 200809L /* glob */

#include "npy_files.h"
#include "npy_spikes.h"

#include <errno.h>
#include <glob.h>
#include <string.h>
#include <sys/stat.h>

typedef struct npy_file {
  char *path;
  npy_header header;
} npy_file;

typedef struct npy_folder {
  npy_file *files;
  size_t n;
  npy_spikes spikes;
} npy_folder;

static pf_status no_memory(const container *of, pf_error *error)
{
  return pf_fail(error, PF_STOP, "%.300s: out of memory for its arrays", of->path);
}

/** The header of one file; *why: what is wrong with it. */
static pf_status read_header(const container *of, npy_file *file, pf_error *why, pf_error *error)
{
  struct stat about;
  char name[400];
  FILE *in = fopen(file->path, "rb");
  if (in == NULL || fstat(fileno(in), &about) != 0) {
    const int reason = errno;
    if (in != NULL) {
      (void)fclose(in);
    }
    return pf_fail(error, PF_STOP, "%.300s: cannot be opened: %s", file->path, strerror(reason));
  }
  unsigned char *bytes = of->host->allocate(of->host, NPY_MAX_HEADER);
  if (bytes == NULL) {
    (void)fclose(in);
    return no_memory(of, error);
  }
  (void)snprintf(name, sizeof name, "%.390s", file->path);
  const size_t got = fread(bytes, 1, NPY_MAX_HEADER, in);
  (void)npy_read_header(name, bytes, got, (uint64_t)about.st_size, &file->header, why);
  of->host->release(of->host, bytes);
  (void)fclose(in);
  return PF_OK;
}

/** F.npy is the array F. */
static pf_status add_file(container *of, const char *path, pf_error *error)
{
  npy_folder *folder = of->file;
  npy_file *file = &folder->files[folder->n];
  pf_error why = {.size = sizeof why};
  const char *slash = strrchr(path, '/');
  const char *base = slash == NULL ? path : slash + 1;
  const char *dot = strrchr(base, '.');
  file->path = container_text(of->host, path, strlen(path));
  folder->n++; /* so that its path is released also after a failure */
  char *name = container_text(of->host, base,
                              dot == NULL || dot == base ? strlen(base) : (size_t)(dot - base));
  if (file->path == NULL || name == NULL) {
    of->host->release(of->host, name);
    return no_memory(of, error);
  }
  pf_status status = read_header(of, file, &why, error);
  if (status == PF_OK) {
    status = npy_add(of, name, &file->header, why.text, (int64_t)folder->n - 1, error);
  }
  of->host->release(of->host, name);
  return status;
}

/** All files of a folder, or all that fit a pattern. */
static pf_status add_files(container *of, const char *pattern, pf_error *error)
{
  glob_t found;
  npy_folder *folder = of->file;
  const int failed = glob(pattern, 0, NULL, &found);
  if (failed != 0) {
    return failed == GLOB_NOSPACE
               ? no_memory(of, error)
               : pf_fail(error, PF_STOP, "%.300s: there is no such file", pattern);
  }
  pf_status status = PF_OK;
  folder->files = of->host->allocate(of->host, (found.gl_pathc + 1) * sizeof *folder->files);
  if (folder->files == NULL) {
    status = no_memory(of, error);
  }
  for (size_t i = 0; i < found.gl_pathc; i++) {
    if (status == PF_OK) {
      status = add_file(of, found.gl_pathv[i], error);
    }
  }
  globfree(&found);
  return status;
}

static pf_status open_files(container *of, pf_error *error)
{
  struct stat about;
  char pattern[4096];
  npy_folder *folder = of->file = of->host->allocate(of->host, sizeof *folder);
  if (folder == NULL) {
    return no_memory(of, error);
  }
  if (stat(of->path, &about) != 0) {
    return add_files(of, of->path, error);
  }
  if (S_ISDIR(about.st_mode)) {
    (void)snprintf(pattern, sizeof pattern, "%s/*.npy", of->path);
    return add_files(of, pattern, error);
  }
  folder->files = of->host->allocate(of->host, sizeof *folder->files); /* whatever its name */
  return folder->files == NULL ? no_memory(of, error) : add_file(of, of->path, error);
}

static pf_status open_npy(container *of, pf_error *error)
{
  const pf_status status = open_files(of, error);
  if (status != PF_OK) {
    return status;
  }
  npy_folder *folder = of->file;
  const int64_t times = container_index(of, "spike_times");
  const int whole =
      times >= 0 && folder->files[of->arrays[times].at].header.kind != 'f'; /* counts samples */
  return npy_add_spikes(of, &folder->spikes, whole, error);
}

static void close_npy(container *of)
{
  npy_folder *folder = of->file;
  if (folder == NULL) {
    return;
  }
  for (size_t i = 0; i < folder->n; i++) {
    of->host->release(of->host, folder->files[i].path);
  }
  npy_spikes_free(of->host, &folder->spikes);
  of->host->release(of->host, folder->files);
  of->host->release(of->host, folder);
}

/** The cells of array i, to be released by the host. */
static pf_status read_cells(const container *of, size_t i, unsigned char **out, pf_error *error)
{
  const npy_folder *folder = of->file;
  const npy_file *file = &folder->files[of->arrays[i].at];
  const npy_header *h = &file->header;
  const size_t n = (size_t)h->item * (size_t)h->rows * (size_t)h->columns;
  unsigned char *bytes = of->host->allocate(of->host, n + 1);
  FILE *in = fopen(file->path, "rb");
  pf_status status = PF_OK;
  if (bytes == NULL || in == NULL) {
    status = pf_fail(error, PF_STOP, "%.300s: %s", file->path,
                     bytes == NULL ? "out of memory for its cells" : strerror(errno));
  } else if (fseek(in, (long)h->data, SEEK_SET) != 0 || fread(bytes, 1, n, in) != n) {
    status = pf_fail(error, PF_STOP, "%.300s: ends before its last cell", file->path);
  }
  if (in != NULL) {
    (void)fclose(in);
  }
  if (status != PF_OK) {
    of->host->release(of->host, bytes);
    return status;
  }
  *out = bytes;
  return PF_OK;
}

static pf_status read_numbers(const container *of, size_t i, double *out, pf_error *error)
{
  const npy_folder *folder = of->file;
  if (of->arrays[i].at < 0) {
    return npy_spikes_read(of, &folder->spikes, i, out, error);
  }
  unsigned char *cells = NULL;
  const pf_status status = read_cells(of, i, &cells, error);
  if (status == PF_OK) {
    npy_numbers(&folder->files[of->arrays[i].at].header, cells, out);
  }
  of->host->release(of->host, cells);
  return status;
}

static pf_status read_texts(const container *of, size_t i, char **out, pf_error *error)
{
  const npy_folder *folder = of->file;
  unsigned char *cells = NULL;
  pf_status status = read_cells(of, i, &cells, error);
  if (status == PF_OK) {
    status = npy_texts(of->host, &folder->files[of->arrays[i].at].header, cells, out, error);
  }
  of->host->release(of->host, cells);
  return status;
}

const container_format npy_format = {.word = "array",
                                     .has = "there are",
                                     .is_joined = 1,
                                     .has_steps = 1,
                                     .has_axes = 1,
                                     .has_rate = 1,
                                     .open = open_npy,
                                     .close = close_npy,
                                     .numbers = read_numbers,
                                     .texts = read_texts};
