/* tests/unit/support/scratch.h - a folder for one test, and its removal with all that is in it. */
#ifndef PLASTFIT_TESTS_SCRATCH_H
#define PLASTFIT_TESTS_SCRATCH_H

enum { SCRATCH_SIZE = 64 };

/** Makes a new, empty folder and writes its path to `path` [SCRATCH_SIZE]. Fails the running test
 * if it cannot. */
void scratch_create(char *path);
void scratch_remove(const char *path);

#endif
