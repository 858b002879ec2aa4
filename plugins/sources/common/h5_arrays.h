/* Datasets of an HDF5 file as arrays, by path: for the sources hdf5 and nwb. */
#ifndef PLASTFIT_PLUGINS_SOURCES_H5_ARRAYS_H
#define PLASTFIT_PLUGINS_SOURCES_H5_ARRAYS_H

#include "container.h"

#include <hdf5.h>

/** An open file; HDF5's own printing of errors is off while it is. */
typedef struct h5_file {
  hid_t file;
  H5E_auto2_t printing; /* HDF5's, as it was */
  void *printing_data;
} h5_file;

/** What a dataset is. */
typedef struct h5_shape {
  int is_text;
  int n_dims;
  int64_t rows, columns;
  int64_t sizes[3]; /* of three dimensions; `why` is set then too */
  char why[300];    /* "", or why it cannot be used */
} h5_shape;

/** *out is valid to be closed in any case. */
pf_status h5_open(const char *path, const char *kind, h5_file *out, pf_error *error);
void h5_close(h5_file *file);

/** Is there such an object? Links that lead out of the file are none. */
int h5_has(hid_t file, const char *path);
h5_shape h5_shape_of(hid_t file, const char *path, const char *label, double most_bytes);
/** All cells of a dataset of numbers; -1 in a whole-numbered type stays -1. */
pf_status h5_numbers(const container *of, hid_t file, const char *path, double *out,
                     pf_error *error);
/** All cells of a dataset of texts. */
pf_status h5_texts(const container *of, hid_t file, const char *path, int64_t n, char **out,
                   pf_error *error);
/** The path of every dataset of the file, in the order of names, to `take`. */
typedef pf_status (*h5_take)(void *context, const char *path, pf_error *error);
pf_status h5_each_dataset(const char *file_path, hid_t group, h5_take take, void *context,
                          pf_error *error);
/** Attributes: a text ("" where there is none), a number (NaN). */
void h5_attribute_text(hid_t file, const char *path, const char *name, char *text, size_t capacity);
double h5_attribute_number(hid_t file, const char *path, const char *name);

#endif
