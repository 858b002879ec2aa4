/* A matrix of numbers from a CSV file, as labs keep connectivity and weights: with or without a row
 * of names above and a column of names before; an empty cell is 0. */
#ifndef PLASTFIT_CORE_READERS_MATRIX_FILE_H
#define PLASTFIT_CORE_READERS_MATRIX_FILE_H

#include <plastfit/abi/base.h>
#include <stdbool.h>

typedef struct pf_matrix {
  double *values; /**< [n_rows][n_columns] */
  int64_t n_rows, n_columns;
  bool has_header, has_names; /**< names above, names before: they are left out */
} pf_matrix;

/** What a matrix between units must be. */
typedef struct pf_matrix_shape {
  int64_t n_post, n_pre;
  const char *rows; /**< "post": a row is a postsynaptic unit; "pre"; NULL: not said, "post" */
  const char *key;  /**< of `rows`, for messages */
} pf_matrix_shape;

/** Errors, with file and line: cannot be read, a ragged row, a cell that is no finite number. */
pf_status pf_matrix_read(const char *path, pf_matrix *out, pf_error *error);
/**
 * The same with a row for each postsynaptic unit, [n_post][n_pre], whichever way it stands in the
 * file. Errors: another shape (and that it fits the other way round).
 */
pf_status pf_matrix_read_synapses(const char *path, pf_matrix_shape shape, pf_matrix *out,
                                  pf_error *error);
void pf_matrix_free(pf_matrix *matrix);

#endif
