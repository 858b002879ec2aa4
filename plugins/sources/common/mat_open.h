/* Opening .mat files of version 5 to 7.3 through matio, which reads what it can of a damaged file
 * and says nothing: what it does not check is checked here. */
#ifndef PLASTFIT_PLUGINS_SOURCES_MAT_OPEN_H
#define PLASTFIT_PLUGINS_SOURCES_MAT_OPEN_H

#include <plastfit/abi/base.h>

#include <matio.h>

/** Errors: cannot be read, another version, cut off, parts that go beyond what they are in. Nothing
 * is printed by matio until mat_shut, which follows also after a failure. */
pf_status mat_open(const char *path, mat_t **out, pf_error *error);
/** `mat` MAY be NULL. */
void mat_shut(mat_t *mat);
/** Is it a full array of real numbers? */
int mat_is_number(const matvar_t *variable);
/** Bytes of a cell; number k. */
size_t mat_cell_bytes(const matvar_t *variable);
double mat_cell(const matvar_t *variable, size_t k);

#endif
