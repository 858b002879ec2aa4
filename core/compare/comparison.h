/* A whole comparison: what the command does. */
#ifndef PLASTFIT_CORE_COMPARE_COMPARISON_H
#define PLASTFIT_CORE_COMPARE_COMPARISON_H

#include "core/compare/work.h"

/**
 * Read the config, do the jobs that are not done yet, tabulate, write the folder. PF_OK: *out is
 * the comparison, also where jobs failed (out->n_failed); PF_POINT_FAILED: interrupted, the jobs
 * done so far wait for `resume`; PF_STOP: the line says why, and *misused whether config or
 * arguments are to be put right.
 */
pf_status pf_compare_run(const pf_compare_request *request, pf_comparison **out, bool *misused,
                         pf_error *error);

#endif
