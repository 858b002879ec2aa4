/* theta.csv of an earlier run, read back: for `plastfit evaluate` and for fits that start from it.
 */
#ifndef PLASTFIT_CORE_READERS_THETA_FILE_H
#define PLASTFIT_CORE_READERS_THETA_FILE_H

#include <plastfit/abi/base.h>
#include <stdbool.h>

/** A row of theta.csv (doc/files.md); the texts are the file's. */
typedef struct pf_theta_row {
  const char *unit, *owner, *name;
  const char *animal; /**< whose copy of a parameter it is; "": nobody's in particular */
  int64_t experiment; /**< of that animal, from 0; -1: all of them */
  double estimate;
  bool failed; /**< the fit of that unit failed */
  /* what was inferred; "" and NaN where the file has no such column */
  const char *status, *method, *verdict, *note;
  double se, lower, upper, level;
} pf_theta_row;

typedef struct pf_theta_file {
  char *path;
  pf_theta_row *rows; /**< in the order of the file */
  size_t n_rows;
  const char **units; /**< [n_units] in order of appearance; "all" alone: one theta for all */
  size_t n_units;
  char **texts; /**< [n_texts] what the above point to */
  size_t n_texts;
} pf_theta_file;

/**
 * Read the columns unit, owner, name, estimate, status, animal, experiment and those of what was
 * inferred, wherever they stand; all behind `status` MAY be absent (runs of earlier versions).
 * Errors, with file and line: no such file, a column that is missing, a ragged row, an estimate
 * that is no number, a parameter twice, no rows.
 */
pf_status pf_theta_file_read(const char *path, pf_theta_file **out, pf_error *error);
void pf_theta_file_free(pf_theta_file *file);
/** The row of a parameter, or NULL; of a copy: of this animal and experiment ("", -1: of what is
 * shared). */
const pf_theta_row *pf_theta_file_find(const pf_theta_file *file, const char *unit,
                                       const char *owner, const char *name, const char *animal,
                                       int64_t experiment);
/** Is there one theta for all? */
bool pf_theta_file_is_shared(const pf_theta_file *file);

#endif
