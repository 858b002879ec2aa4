/* A CSV file of a run folder, read whole: cells as text, columns by name. */
#ifndef PLASTFIT_CORE_READERS_SHEET_H
#define PLASTFIT_CORE_READERS_SHEET_H

#include <plastfit/abi/base.h>

typedef struct pf_sheet {
  char **columns; /**< [n_columns] */
  size_t n_columns;
  char **cells; /**< [n_rows][n_columns] */
  size_t n_rows, capacity;
} pf_sheet;

/** All columns, or those of `wanted` that are there (NULL: all). Errors: cannot be read, no header,
 * a ragged row. */
pf_status pf_sheet_read(const char *path, const pf_names *wanted, pf_sheet **out, pf_error *error);
void pf_sheet_free(pf_sheet *sheet);
/** Index of a column, or n_columns: there is none, and its cells are "" and NaN. */
size_t pf_sheet_column(const pf_sheet *sheet, const char *name);
const char *pf_sheet_text(const pf_sheet *sheet, size_t row, size_t column);
/** NaN where it is missing or no number. */
double pf_sheet_number(const pf_sheet *sheet, size_t row, size_t column);

#endif
