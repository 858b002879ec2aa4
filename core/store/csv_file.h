/* CSV files as they are written: cells of text in quotes where they need them, numbers that read
 * back to the same bits. */
#ifndef PLASTFIT_CORE_STORE_CSV_FILE_H
#define PLASTFIT_CORE_STORE_CSV_FILE_H

#include <plastfit/abi/base.h>
#include <stdio.h>

/** A file for writing; NULL, with the line: it cannot be written. */
FILE *pf_csv_open_file(const char *path, pf_error *error);
/** Closes it. PF_STOP, with the line: not everything arrived. */
pf_status pf_csv_close_file(FILE *file, const char *path, pf_error *error);
/** A cell: in quotes where it needs them (RFC 4180); NULL: empty. */
void pf_csv_text(FILE *file, const char *text);
/** A number with 17 digits, so that reading it gives the same bits; NaN: an empty cell. */
void pf_csv_number(FILE *file, double value);

#endif
