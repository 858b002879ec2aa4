/* "did you mean": the file whose name is nearest to one that is not there. */
#ifndef PLASTFIT_CORE_BASE_NEAREST_FILE_H
#define PLASTFIT_CORE_BASE_NEAREST_FILE_H

#include <plastfit/abi/base.h>

/** The name in the same folder that is nearest, with the folder, into `nearest`; "": none is near.
 */
void pf_nearest_file(const char *path, char *nearest, size_t capacity);

/** Refuses a folder that cannot be looked at, by errno: "there is no run folder 'ruin': No such
 * file or directory; did you mean 'run'?". `what`: "run folder". PF_STOP. */
pf_status pf_fail_no_folder(const char *what, const char *path, pf_error *error);

/**
 * Where the line begins with the path of a file that is not there ("own.cvs: cannot be read: No
 * such file or directory"), adds what was probably meant. Another line stays as it is.
 */
void pf_suggest_file(pf_error *error);

#endif
