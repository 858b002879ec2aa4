/* The summary of a run for a person. */
#ifndef PLASTFIT_CORE_TERMINAL_RUN_SUMMARY_H
#define PLASTFIT_CORE_TERMINAL_RUN_SUMMARY_H

#include "core/evaluate/evaluation.h"
#include "core/infer/infer.h"

#include <stdio.h>

/**
 * The summary a person reads, to `stream`, some 40 lines of plain text: equation, main coefficients
 * against the truth and which of them came out wrong, R2, deviance explained, what failed, where
 * the results are.
 */
pf_status pf_report_print(const pf_problem *problem, const pf_fit *fit,
                          const pf_inference *inference, const pf_evaluation *evaluation,
                          FILE *stream, pf_error *error);

#endif
