/* What a run folder says of how sure its estimates are, read back: for those who print them again.
 */
#ifndef PLASTFIT_CORE_REPORT_RUN_INFERENCE_H
#define PLASTFIT_CORE_REPORT_RUN_INFERENCE_H

#include "core/uncertainty/inference.h"

/**
 * Intervals, verdicts and notes of RUN/theta.csv, of the method that it shows, as an inference of
 * `fit` (of pf_run_folder_fit). No spectrum, no information: those are not in the file. *out has no
 * groups where nothing was inferred. pf_inference_free frees it; `fit` MUST outlive it.
 */
pf_status pf_run_folder_inference(const char *run, const pf_problem *problem, const pf_fit *fit,
                                  pf_inference **out, pf_error *error);

#endif
