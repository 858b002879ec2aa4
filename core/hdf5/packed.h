/*
 * Rows of many experiments, end to end: to HDF5 a dataset is dear (some 30 microseconds and a KiB),
 * so that tens of thousands of short experiments take few datasets, each with the rows of all.
 *
 * A table has columns of equally many rows. Whoever fills it says how many rows come next
 * (pf_packed_extend), then fills them column by column; a cell that nobody filled is NaN (a
 * number), 0 (an integer) or empty (a text). As with pf_h5, the first failure makes the calls after
 * it do nothing.
 */
#ifndef PLASTFIT_CORE_HDF5_PACKED_H
#define PLASTFIT_CORE_HDF5_PACKED_H

#include "core/hdf5/h5.h"

typedef struct pf_packed pf_packed;

pf_status pf_packed_create(pf_packed **out, pf_error *error);
void pf_packed_free(pf_packed *packed); /**< NULL: does nothing */
/** Bytes so far. */
int64_t pf_packed_size(const pf_packed *packed);

/** Where a column is: /TABLE/NAME in the file, either MAY have folders of its own. */
typedef struct pf_packed_place {
  const char *table, *column;
} pf_packed_place;

/** The next `n` rows of the table begin. Returns how many there were before. */
int64_t pf_packed_extend(pf_packed *packed, const char *table, int64_t n);
/** Those rows of a column; from.rows of them, from.columns as in pf_h5_matrix. Rows that are N
 * wide, where the column had another width before, go to the column NAME_xN. */
void pf_packed_rows(pf_packed *packed, pf_packed_place at, pf_h5_rows from);
void pf_packed_integer(pf_packed *packed, pf_packed_place at, int64_t value); /**< of one row */
void pf_packed_text(pf_packed *packed, pf_packed_place at, const char *value);
/** Rows [row0, row0 + from.rows) of every matrix [n_rows][from.columns] of a column of matrices:
 * from.data is [n][from.rows][from.columns]. */
void pf_packed_matrices(pf_packed *packed, pf_packed_place at, int64_t n_rows, int64_t row0,
                        pf_h5_rows from);
/** All of it into a file; the line of the first failure. Memory is given back column by column. */
pf_status pf_packed_write(pf_packed *packed, pf_h5 *h5, pf_error *error);

#endif
