/*
 * Targets of the fuzzer: what reads a kind of file that somebody may hand over.
 */
#ifndef PLASTFIT_TESTS_FUZZ_TARGETS_H
#define PLASTFIT_TESTS_FUZZ_TARGETS_H

#include <stddef.h>
#include <stdint.h>

enum { FUZZ_PATH = 192 };

typedef struct fuzz_target {
  const char *mode; /**< name of the target, as tests/fuzz/README.md lists it */
  char *base;       /**< text of a config that can be fitted */
  char *folder;     /**< to write into; of a run's file, the run */
} fuzz_target;

/** One input. A crash, a hang, or an error without a line is a fault, and ends the program. */
void fuzz_take(const fuzz_target *t, const uint8_t *bytes, size_t n);

/** A whole file, at most 1 MiB of it, with a zero behind; ends the program where it cannot. */
char *fuzz_read(const char *path, size_t *n);
void fuzz_write(const char *path, const uint8_t *bytes, size_t n);

/** The bytes are orders: what to change in a valid HDF5 file `seed`. The result goes to `path`. */
void fuzz_change_hdf5(const char *seed, const char *path, const uint8_t *bytes, size_t n);
/** The bytes are orders: what a MATLAB file of version 5 holds. */
void fuzz_make_mat(const char *path, const uint8_t *bytes, size_t n);
/** The bytes are orders: which numbers of a valid job file to change, then `compare --resume`. */
void fuzz_resume_jobs(const fuzz_target *t, const uint8_t *bytes, size_t n);

#endif
