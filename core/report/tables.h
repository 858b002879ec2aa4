/* The files of a run folder other than the config: one function each. Their formats are in doc/files.md. */
#ifndef PLASTFIT_CORE_REPORT_TABLES_H
#define PLASTFIT_CORE_REPORT_TABLES_H

#include "core/evaluate/evaluate.h"

/** What every file is made from. */
typedef struct pf_results {
  const pf_problem *problem;
  const pf_fit *fit;
  const pf_evaluation *evaluation;
  char **keys;         /**< [n_parameters] pf_keys_create */
  const double *truth; /**< [n_parameters] pf_truth_create */
} pf_results;

pf_status pf_write_fit_csv(const pf_results *results, const char *path, pf_error *error);
pf_status pf_write_theta_csv(const pf_results *results, const char *path, pf_error *error);
pf_status pf_write_trajectories(const pf_results *results, const char *path, pf_error *error);
pf_status pf_write_summary(const pf_results *results, const char *path, pf_error *error);
/** The scores of a run folder's theta on other data. */
pf_status pf_write_evaluation(const pf_results *results, const char *run, const char *data, const char *path,
                              pf_error *error);

/** "ok", or "failed". */
const char *pf_status_word(pf_status status);
/** "ok", "failed" or "interrupted". */
const char *pf_unit_word(const pf_fit_unit *unit);
/** A cell of a CSV file: in quotes where it needs them (RFC 4180). */
void pf_csv_text(FILE *file, const char *text);
/** A number with 17 digits, so that reading it gives the same bits; NaN: an empty cell. */
void pf_csv_number(FILE *file, double value);

#endif
