/* A run folder, read back: is it one, of this format, and the estimates in it as a fit that can be
 * scored. */
#ifndef PLASTFIT_CORE_REPORT_RUN_FOLDER_H
#define PLASTFIT_CORE_REPORT_RUN_FOLDER_H

#include "core/evaluate/evaluation.h"
#include "core/readers/theta_file.h"

/** PF_STOP unless `run` is a whole run folder of this format. */
pf_status pf_run_folder_check(const char *run, pf_error *error);
/** "RUN/name", to be freed with pf_memory_free. */
char *pf_run_folder_path(const char *run, const char *name, pf_error *error);
/** RUN/theta.csv; pf_theta_file_free frees it. */
pf_status pf_run_folder_theta(const char *run, pf_theta_file **out, pf_error *error);
/**
 * The estimates in RUN/theta.csv as a fit of `problem`: one unit, or one for each animal of its
 * data, by name. Errors: an animal that was not fitted, a parameter that the file lacks.
 * pf_fit_free frees it.
 */
pf_status pf_run_folder_fit(const char *run, const pf_problem *problem, pf_fit **out,
                            pf_error *error);

/** A run's fit, and how it scores on some data. */
typedef struct pf_scored_run {
  const pf_problem *problem;
  const pf_fit *fit;
  const pf_evaluation *evaluation;
  const char *run;  /**< its folder */
  const char *data; /**< the path of the data, or words for them */
} pf_scored_run;

/** evaluation.json, see doc/files.md. Written whole or not at all. */
pf_status pf_evaluation_write(const pf_scored_run *scored, const char *path, pf_error *error);

#endif
