/*
 * A .mat file's matrices, by name, as doubles. The only part of the plugin that knows matio.
 */
#ifndef PLASTFIT_PLUGINS_FLY_MAT_MAT_FILE_H
#define PLASTFIT_PLUGINS_FLY_MAT_MAT_FILE_H

#include <plastfit/abi/base.h>

typedef struct fly_mat_matrix {
  int64_t n_rows, n_columns;
  double *values; /**< [n_rows][n_columns], row-major; the host's memory */
} fly_mat_matrix;

/**
 * Read n real numeric matrices of any class from a v5 or v7.3 file. Errors are one line with the
 * file: cannot be opened, empty, no .mat file, truncated, no such variable (with those there are),
 * not a real matrix of numbers. On failure nothing is left allocated. Not for several threads at
 * once: matio's log is one per process.
 */
pf_status fly_mat_read_matrices(const pf_host *host, const char *path, const char *const *names,
                                size_t n, fly_mat_matrix *out, pf_error *error);
void fly_mat_free_matrices(const pf_host *host, fly_mat_matrix *matrices, size_t n);

#endif
