/* Reading back what core/hdf5/h5.h wrote: arrays as doubles, whatever they are in the file. */
#ifndef PLASTFIT_CORE_READERS_H5_READ_H
#define PLASTFIT_CORE_READERS_H5_READ_H

#include <plastfit/abi/base.h>
#include <stdbool.h>

typedef struct pf_h5_reader pf_h5_reader;

/** Up to three dimensions; those beyond `rank` are 1. Free values with pf_memory_free. */
typedef struct pf_h5_array {
  double *values;
  int rank;
  size_t n[3];
} pf_h5_array;

/** Open for reading. HDF5's own printing of errors is off until pf_h5_shut. */
pf_status pf_h5_open(const char *path, pf_h5_reader **out, pf_error *error);
void pf_h5_shut(pf_h5_reader *reader);

/** Names in a group, in natural order (Fly2 before Fly10); none where there is no such group. */
pf_status pf_h5_children(pf_h5_reader *reader, const char *path, char ***names, size_t *n,
                         pf_error *error);
void pf_h5_children_free(char **names, size_t n);
/** Sizes of a dataset; false where there is none of at most three dimensions, or the file is too
 * short for what it claims. Sizes of two datasets need not agree: whoever reads both compares. */
bool pf_h5_shape(pf_h5_reader *reader, const char *path, pf_h5_array *out);
/**
 * A dataset, or every step[k]-th along dimension k (step NULL: all). false, and values NULL, where
 * there is none, it cannot be read, or memory is out: a report leaves out what it has not.
 */
bool pf_h5_read(pf_h5_reader *reader, const char *path, const size_t *step, pf_h5_array *out);
/** Some of what there is along the first dimension. */
typedef struct pf_h5_span {
  size_t first, n;
} pf_h5_span;
/** The same of the rows of `span`, which MUST lie in the dataset: false where they do not. */
bool pf_h5_read_span(pf_h5_reader *reader, const char *path, pf_h5_span span, const size_t *step,
                     pf_h5_array *out);
/** A vector of texts of one length, below 256 bytes; freed with pf_h5_children_free. false where
 * there is none, or memory is out. */
bool pf_h5_read_texts(pf_h5_reader *reader, const char *path, char ***texts, size_t *n);

#endif
