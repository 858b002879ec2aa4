/*
 * The rows of a table, one after the other, wherever they come from: a file, several files of one
 * header, or matrices (a row an animal, a column a trial) read side by side.
 */
#ifndef PLASTFIT_PLUGINS_TABLE_ROWS_H
#define PLASTFIT_PLUGINS_TABLE_ROWS_H

#include "../common/recording.h"

#include <plastfit/author/csv.h>

/** Where rows come from; texts are copies. */
typedef struct table_files {
  char **paths;   /**< [n] */
  size_t n;       /**< files; of matrices, one a column */
  int matrices;   /**< they are matrices */
  int headerless; /**< `names` stands in the config */
  int transposed; /**< a row of the file is a column: all cells are kept */
  char ***cells;  /**< [width][n_steps] of a transposed file */
  int64_t *lines; /**< [width] their lines */
  size_t n_steps;
  size_t n_kept; /**< rows of `cells` */
  char **header; /**< [width] names of the columns */
  size_t width;
} table_files;

/** The current row. Zeroed before the first. */
typedef struct table_rows {
  const table_files *files;
  const pf_host *host;
  pf_csv *open; /**< [1], of matrices [files->n] */
  size_t file;  /**< index of the file being read */
  int64_t row;  /**< of matrices: the animal's number, from 1 */
  size_t trial, n_trials;
  int is_open;
} table_rows;

/**
 * Find the files that the options name, and the header. Errors: no such file, a header alone, two
 * columns of one name, files of other headers than the first.
 */
pf_status table_files_find(const pf_host *host, const pf_options *options, table_files *out,
                           pf_error *error);
void table_files_free(const pf_host *host, table_files *files);
/** One line to the person for what was told from the files and not by the config. */
pf_status table_files_note(const pf_host *host, const table_files *files, pf_error *error);

pf_status table_rows_next(table_rows *rows, int *got, pf_error *error);
void table_rows_end(table_rows *rows);

/** The file that a column's cell stands in. */
static inline const pf_csv *table_csv(const table_rows *rows, size_t column)
{
  return &rows->open[rows->files->matrices ? column : 0];
}

static inline const char *table_cell(const table_rows *rows, size_t column)
{
  if (rows->files->transposed) {
    return rows->files->cells[column][rows->trial];
  }
  const pf_csv *csv = table_csv(rows, column);
  if (!rows->files->matrices) {
    return pf_csv_field(csv, column);
  }
  return pf_csv_field(csv, csv->n_fields == 1 ? 0 : rows->trial);
}

/** The line that a column's cell stands in. */
static inline int64_t table_cell_line(const table_rows *rows, size_t column)
{
  return rows->files->transposed ? rows->files->lines[column] : table_csv(rows, column)->line;
}

static inline const char *table_path(const table_rows *rows)
{
  return rows->open[0].path;
}

static inline int64_t table_line(const table_rows *rows)
{
  return rows->open[0].line;
}

#endif
