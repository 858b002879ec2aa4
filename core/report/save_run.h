/*
 * Saves a run: its folder with fit.csv, theta.csv, trajectories.h5, summary.json, the resolved
 * config and report.html. It appears whole or not at all: everything is written to `<out>.part`,
 * which is renamed at the end.
 */
#ifndef PLASTFIT_CORE_REPORT_SAVE_RUN_H
#define PLASTFIT_CORE_REPORT_SAVE_RUN_H

#include "core/evaluate/evaluation.h"
#include "core/infer/infer.h"
#include "core/population/fit_population.h"
#include "core/store/folder.h"

/** Before the data are read: PF_STOP if `out` exists (unless force) or cannot be written. */
pf_status pf_report_check_out(const char *out, bool force, pf_error *error);
/**
 * Before a fit: its folder, empty and locked, so that nobody else writes there meanwhile. PF_STOP
 * also where an earlier run there would be replaced that this config reads.
 */
pf_status pf_report_begin(const pf_problem *problem, bool force, pf_folder *folder,
                          pf_error *error);
/** Everything that a run leaves. */
typedef struct pf_report_parts {
  const pf_problem *problem;
  const pf_fit *fit;
  const pf_inference *inference; /**< NULL, or what pf_infer made of the fit */
  const pf_evaluation *evaluation;
  const pf_dataset *closed_loop; /**< what pf_closed_loop_of_fit made of the fit, or NULL */
  const pf_animal_population *population; /**< what pf_fit_population made, or NULL */
} pf_report_parts;
/**
 * Write the folder that pf_report_begin made and put it in its place. What was interrupted does not
 * replace a complete run: folder->out says where it went. The folder is the caller's to end.
 */
pf_status pf_report_write(const pf_report_parts *parts, bool force, pf_folder *folder,
                          pf_error *error);

#endif
