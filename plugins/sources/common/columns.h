/* The columns of a table as the config wants them, and which is what. */
#ifndef PLASTFIT_PLUGINS_SOURCES_COLUMNS_H
#define PLASTFIT_PLUGINS_SOURCES_COLUMNS_H

#include "values.h"

/** A column of the file, one of its values (1 where it stands, else 0), or a constant. */
typedef struct table_field {
  char *name;
  int64_t column;  /**< of the file; -1: a constant */
  double constant; /**< that */
  int64_t level;   /**< index of the value in the column's map; -1: the cell's number */
  int numeric;     /**< the first row has a number or nothing there */
  int is_split;    /**< `one_hot` takes it */
} table_field;

/** What becomes of an input that is missing. */
enum table_missing {
  TABLE_MISSING_ERROR,
  TABLE_MISSING_ZERO,
  TABLE_MISSING_HOLD,
  TABLE_MISSING_DRAW
};

typedef struct table_columns {
  table_files files;
  table_field *fields;
  size_t width;
  table_map *maps; /**< [files.width] */
  enum table_missing missing_inputs;
} table_columns;

/** A kind of recording: what its files are, and what its variables are called. */
typedef struct table_kind {
  const container_format *format;  /**< NULL: text */
  const role_variables *variables; /**< keys, usual names, and what to say where there are none */
} table_kind;

/**
 * Find the files and their columns, and settle what each is. Errors: those of table_files_find and
 * of roles_find.
 */
pf_status table_find_columns(recording *of, const pf_options *options, const table_kind *kind,
                             table_columns *out, pf_error *error);
void table_free_columns(const pf_host *host, table_columns *columns);

/** The text of a field in the current row; of a constant "". */
const char *table_field_text(const table_columns *columns, const table_rows *rows, size_t field);
/** Its number, NaN where it is missing; 0: it has none. */
int table_field_number(const table_columns *columns, const table_rows *rows, size_t field,
                       double *value);

#endif
