/* The arrays of an .npz file: a zip archive of NAME.npy, read by libzip. */
#ifndef PLASTFIT_PLUGINS_NPZ_ZIP_ARRAYS_H
#define PLASTFIT_PLUGINS_NPZ_ZIP_ARRAYS_H

#include "npy.h"

typedef struct npz_array {
  char *name;                /**< without ".npy" */
  uint64_t entry;            /**< in the archive */
  uint64_t size;             /**< bytes, unpacked */
  npy_header header;         /**< of meaning where `why` is empty */
  char why[PF_ERROR_LENGTH]; /**< why it cannot be used: told when somebody asks for it */
} npz_array;

typedef struct npz_file {
  const pf_host *host;
  const char *path; /**< the caller's */
  void *archive;    /**< zip_t */
  npz_array *arrays;
  size_t n;
} npz_file;

/** Opens the archive and reads the header of every array. Errors: cannot be read, no zip, no array
 * in it. */
pf_status npz_open(const pf_host *host, const char *path, npz_file *out, pf_error *error);
void npz_close(npz_file *file);
/** Shuts the archive; names and headers stay. */
void npz_shut(npz_file *file);
/** The same arrays of the same shapes? */
int npz_same(const npz_file *a, const npz_file *b);
/** The cells of an array, unpacked, to be released by the host. Errors: damaged, other bytes than
 * it says. */
pf_status npz_cells(const npz_file *file, const npz_array *array, unsigned char **out,
                    pf_error *error);

#endif
