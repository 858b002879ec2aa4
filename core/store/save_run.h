/*
 * Results: the run folder (fit.csv, theta.csv, trajectories.h5, summary.json, resolved config,
 * report.html) and the terminal summary. A run folder appears whole or not at all: everything is
 * written to `<out>.part` and renamed at the end.
 */
#ifndef PLASTFIT_CORE_STORE_SAVE_RUN_H
#define PLASTFIT_CORE_STORE_SAVE_RUN_H

#include "core/evaluate/evaluate.h"
#include "core/infer/infer.h"

/** Before any work: PF_STOP if `out` exists (unless force) or cannot be written. */
pf_status pf_report_check_out(const char *out, bool force, pf_error *error);
/** Write the run folder. inference: NULL, or what pf_infer made of the fit. */
pf_status pf_report_write(const pf_problem *problem, const pf_fit *fit,
                          const pf_inference *inference, const pf_evaluation *evaluation,
                          bool force, pf_error *error);
/**
 * The summary a person reads, to `stream`, some 40 lines of plain text: equation, main coefficients
 * against the truth and which of them came out wrong, R2, deviance explained, what failed, where
 * the results are.
 */
pf_status pf_report_print(const pf_problem *problem, const pf_fit *fit,
                          const pf_inference *inference, const pf_evaluation *evaluation,
                          FILE *stream, pf_error *error);

/**
 * Progress on stderr: a bar with time left on a terminal, a line every 10 s elsewhere, nothing in
 * the first 2 s. pf_meter_show is a pf_progress whose payload is a pf_meter; one meter serves fit
 * and evaluation in turn.
 */
typedef struct pf_meter {
  double started, phase_started, last_shown; /**< s */
  const char *what;                          /**< the phase, as last told */
  int is_terminal, on_line;                  /**< on_line: a bar stands on the terminal */
} pf_meter;
void pf_meter_start(pf_meter *meter);
void pf_meter_show(void *meter, double done, const char *what);
void pf_meter_end(pf_meter *meter);

#endif
