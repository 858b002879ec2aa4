/* What is identified, and how sure. */
#ifndef PLASTFIT_CORE_TERMINAL_INFERENCE_LINES_H
#define PLASTFIT_CORE_TERMINAL_INFERENCE_LINES_H

#include "core/infer/infer.h"

#include <stdio.h>

/** The terminal's lines; nothing where nothing was inferred. */
pf_status pf_print_inference(const pf_problem *problem, const pf_inference *inference, FILE *out,
                             pf_error *error);

#endif
