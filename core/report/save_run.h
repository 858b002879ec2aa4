/*
 * Saves a run: its folder with fit.csv, theta.csv, trajectories.h5, summary.json, the resolved
 * config and report.html. It appears whole or not at all: everything is written to `<out>.part`,
 * which is renamed at the end.
 */
#ifndef PLASTFIT_CORE_REPORT_SAVE_RUN_H
#define PLASTFIT_CORE_REPORT_SAVE_RUN_H

#include "core/evaluate/evaluate.h"
#include "core/infer/infer.h"

/** Before any work: PF_STOP if `out` exists (unless force) or cannot be written. */
pf_status pf_report_check_out(const char *out, bool force, pf_error *error);
/** Write the run folder. inference: NULL, or what pf_infer made of the fit. */
pf_status pf_report_write(const pf_problem *problem, const pf_fit *fit,
                          const pf_inference *inference, const pf_evaluation *evaluation,
                          bool force, pf_error *error);
#endif
