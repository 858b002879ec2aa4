/*
 * Results: the run folder (fit.csv, theta.csv, trajectories.h5, summary.json, resolved config) and the terminal
 * summary. A run folder appears whole or not at all: everything is written to `<out>.part` and renamed at the end.
 */
#ifndef PLASTFIT_CORE_REPORT_REPORT_H
#define PLASTFIT_CORE_REPORT_REPORT_H

#include "core/evaluate/evaluate.h"

/** Before any work: PF_STOP if `out` exists (unless force) or cannot be written. */
pf_status pf_report_check_out(const char *out, bool force, pf_error *error);
/** Write the run folder. */
pf_status pf_report_write(const pf_problem *problem, const pf_fit *fit, const pf_evaluation *evaluation, bool force,
                          pf_error *error);
/** The summary a person reads, to `stream`: equation, main coefficients against the truth, R2, deviance explained. */
pf_status pf_report_print(const pf_problem *problem, const pf_fit *fit, const pf_evaluation *evaluation, FILE *stream,
                          pf_error *error);

/** Progress on stderr: a bar with time left on a terminal, a line now and then elsewhere. payload: a pf_meter. */
typedef struct pf_meter {
  double started, last_shown;
  int is_terminal;
} pf_meter;
void pf_meter_start(pf_meter *meter);
void pf_meter_show(void *meter, double done, const char *what);
void pf_meter_end(pf_meter *meter);

#endif
