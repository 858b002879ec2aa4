/* A file that was written beside its place takes it: whoever looks sees the old one or the new one.
 */
#ifndef PLASTFIT_CORE_BASE_PUT_IN_PLACE_H
#define PLASTFIT_CORE_BASE_PUT_IN_PLACE_H

#include <plastfit/abi/base.h>
#include <stdbool.h>

/**
 * Renames `part` to `path`. Where there is a file, it stays until the new one is on the disk, so
 * that a power cut leaves one of them whole. PF_STOP, with the line: `part` is removed.
 */
pf_status pf_put_in_place(const char *part, const char *path, pf_error *error);
/**
 * Renames a file or folder to a name that is free. False, with errno: EEXIST where it is not, and
 * what is there stays as it is.
 */
bool pf_put_in_free_place(const char *part, const char *path);

#endif
