/*
 * A small way into HDF5 (h5.c is the one file that includes hdf5.h): everything goes by path,
 * groups on the way are made, and the first failure makes the calls after it do nothing, so that
 * only the end need be asked.
 */
#ifndef PLASTFIT_CORE_HDF5_H5_H
#define PLASTFIT_CORE_HDF5_H5_H

#include <plastfit/abi/base.h>

typedef struct pf_h5 pf_h5;

enum pf_h5_type { PF_H5_DOUBLE = 0, PF_H5_REAL = 1, PF_H5_INT64 = 2, PF_H5_UINT32 = 3 };

/** A new file, kept in memory until pf_h5_close writes it. HDF5's own printing of errors is off
 * until then. */
pf_status pf_h5_create(const char *path, pf_h5 **out, pf_error *error);
/** Bytes so far, 0 after a failure. */
int64_t pf_h5_size(pf_h5 *h5);
/** Write, close and free; h5 MAY be NULL. The line of the first failure since pf_h5_create, if
 * there was one. */
pf_status pf_h5_close(pf_h5 *h5, pf_error *error);

/** A group, with those above it. One that exists is fine. */
void pf_h5_group(pf_h5 *h5, const char *path);
/** Rows of numbers to be written. */
typedef struct pf_h5_rows {
  enum pf_h5_type type;
  const void *data;
  int64_t rows, columns, ld; /**< [rows][columns] with leading dimension ld */
} pf_h5_rows;

/** A matrix; columns < 0: a vector [rows]. */
void pf_h5_matrix(pf_h5 *h5, const char *path, pf_h5_rows from);
/** An empty [n][rows][columns]. */
void pf_h5_cube(pf_h5 *h5, const char *path, enum pf_h5_type type, int64_t n, int64_t rows,
                int64_t columns);
/** Rows [row0, row0 + rows) of all n slices of it: data is [n][rows][columns]. */
void pf_h5_slices(pf_h5 *h5, const char *path, int64_t row0, int64_t n, pf_h5_rows from);
/** Texts [n], NULL: empty. Of equal length in the file where none is longer than 255 bytes, else of
 * any length. */
void pf_h5_texts(pf_h5 *h5, const char *path, char *const *texts, int64_t n);
/** Attributes of a group or dataset that exists; "/" is the file. */
void pf_h5_text(pf_h5 *h5, const char *path, const char *name, const char *value);
void pf_h5_integer(pf_h5 *h5, const char *path, const char *name, int64_t value);

#endif
