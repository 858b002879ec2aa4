/* The columns of a table, from its header and first row, and which is what. */
#ifndef PLASTFIT_PLUGINS_TABLE_COLUMNS_H
#define PLASTFIT_PLUGINS_TABLE_COLUMNS_H

#include "../common/recording.h"

typedef struct table_columns {
  char **header;          /**< [width] */
  unsigned char *numeric; /**< [width] the first row has a number or nothing there */
  size_t width;
} table_columns;

/**
 * Read the header of the recording's file, and its first row to tell numbers from text, and settle
 * what each column is. Errors: what pf_csv_open finds, a header alone, two columns of one name,
 * those of roles_find.
 */
pf_status table_find_columns(recording *of, const pf_options *options, table_columns *out,
                             pf_error *error);
void table_free_columns(const pf_host *host, table_columns *columns);

#endif
