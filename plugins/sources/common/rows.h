/*
 * The rows of a recording, one after the other, wherever they come from: a table (text_rows.c),
 * several of one header, matrices of text (a row an animal, a column a trial), or files of arrays
 * (array_rows.c).
 */
#ifndef PLASTFIT_PLUGINS_SOURCES_ROWS_H
#define PLASTFIT_PLUGINS_SOURCES_ROWS_H

#include "container.h"
#include "recording.h"

#include <plastfit/author/csv.h>

/** Where a column of the rows stands in a file of arrays. */
typedef struct table_place {
  size_t array;
  int64_t part; /**< which of the numbers side by side */
} table_place;

/** Where rows come from; texts are copies. */
typedef struct table_files {
  const char *word;  /**< "column", "array", ...: so messages and options call it */
  const char *where; /**< behind the path in messages on the header */
  const char *has;   /**< "the header has" */
  char **paths;      /**< [n] */
  size_t n;          /**< files; of matrices, one a column */
  int matrices;      /**< they are matrices of text */
  int headerless;    /**< `names` stands in the config */
  int transposed;    /**< a row of the file is a column: all cells are kept */
  char ***cells;     /**< [width][n_steps] of a transposed file */
  int64_t *lines;    /**< [width] their lines */
  size_t n_steps;
  size_t n_kept; /**< rows of `cells` */
  char **header; /**< [width] names of the columns */
  size_t width;
  /* files of arrays */
  const container_format *format; /**< NULL: text */
  container_choices choices;
  container shape;       /**< arrays of the first file; shut */
  unsigned char *turned; /**< [shape.n] rows and columns are exchanged: what `shape` has is so */
  unsigned char *wanted; /**< [shape.n] it is read */
  table_place *places;   /**< [width] */
  int by_animal;         /**< a row is an animal, a column a trial */
  int64_t n_rows, n_columns; /**< of those that are used; -1: of none yet */
} table_files;

enum { TABLE_SCRATCH = 40 };

/** Values of an array, as they stand in the file. */
typedef struct table_values {
  double *numbers;
  char **texts;
  int64_t rows, columns; /**< as in the shape: after an exchange */
  int n_dims;
} table_values;

/** The current row. Zeroed before the first but for `only`. */
typedef struct table_rows {
  const table_files *files;
  const pf_host *host;
  size_t only;  /**< 1 + the only column that is asked for; 0: all that are wanted */
  pf_csv *open; /**< [1], of matrices [files->n] */
  size_t file;  /**< index of the file being read */
  int64_t row;  /**< of matrices: the animal's number, from 1; of arrays: the step's, from 0 */
  size_t trial, n_trials;
  int is_open;
  int64_t *order;  /**< [files->width] of several files: where each column stands in this one, -1:
                      not at all; NULL: as in the header */
  size_t n_fields; /**< of this file */
  container container;  /**< the open file of arrays */
  table_values *values; /**< [files->shape.n] */
  int64_t n_rows;       /**< steps in that file */
  char *scratch;        /**< a number as text */
} table_rows;

/**
 * Find the files that the options name, and the header. Errors: no such file, a header alone, two
 * columns of one name, files of other headers than the first.
 */
pf_status table_files_find(const pf_host *host, const pf_options *options, table_files *out,
                           pf_error *error);
/** The first of files of arrays of a kind, open. Release `out` in any case. */
pf_status table_arrays_open(const pf_host *host, const pf_options *options,
                            const container_format *format, table_files *out, pf_error *error);
/** The same for files of arrays of a kind. */
pf_status table_arrays_find(const pf_host *host, const pf_options *options,
                            const container_format *format, table_files *out, pf_error *error);
void table_files_free(const pf_host *host, table_files *files);
/** One line to the person for what was told from the files and not by the config. */
pf_status table_files_note(const pf_host *host, const table_files *files, pf_error *error);

pf_status table_rows_next(table_rows *rows, int *got, pf_error *error);
void table_rows_end(table_rows *rows);

/** The text of a cell, "" where it is missing; a number's lasts until the next call. */
const char *table_cell(const table_rows *rows, size_t column);
/** Is the cell a number by itself? Then *value. */
int table_cell_is_number(const table_rows *rows, size_t column, double *value);
/** The path of the file that the row stands in. */
const char *table_path(const table_rows *rows);
/** The line or row, as it is counted in the file. */
int64_t table_line(const table_rows *rows);
/** "own.csv:12", "own.npz: row 11": where the cell of a column stands. */
typedef struct table_where {
  char text[400];
} table_where;
table_where table_where_is(const table_rows *rows, size_t column);

/* ---- for text_rows.c and array_rows.c ---- */

/** Room for `n` texts more than there are. */
pf_status table_add_texts(const pf_host *host, char ***list, size_t *n, const char *const *texts,
                          size_t n_texts, pf_error *error);
/** The paths that `path` names: one, or all that fit the pattern. */
pf_status table_find_paths(const pf_host *host, const char *path, table_files *out,
                           pf_error *error);
void table_arrays_free(const pf_host *host, table_files *files);
pf_status table_arrays_next(table_rows *rows, int *got, pf_error *error);
void table_arrays_end(table_rows *rows);

/** Of files of arrays: note that a column is used. Errors: it cannot be, or has other sizes. */
pf_status table_array_use(table_files *files, size_t column, enum role_use use, pf_error *error);
/** May a column that nobody named be a channel? */
int table_array_may_be_channel(const table_files *files, size_t column);
/** Is what is wanted of the first file within the budget? */
pf_status table_array_budget(const table_files *files, pf_error *error);

#endif
