/* A fitted rule as the truth of the animals that it simulates: `plastfit simulate --from`. */
#ifndef PLASTFIT_CORE_CLI_FITTED_TRUTH_H
#define PLASTFIT_CORE_CLI_FITTED_TRUTH_H

#include "core/base/array.h"
#include "core/fit/fit.h"

/**
 * Appends to `out`, an array of char *, overrides of a config that say what is true: source.truth
 * with the fitted rules and their numbers, and `value` of what was fitted of network and losses.
 * Nothing where there is not one theta for all. The caller frees the texts.
 */
pf_status pf_fitted_truth(const pf_problem *run, const pf_fit *fit, pf_array *out, pf_error *error);
void pf_fitted_truth_free(pf_array *overrides);

#endif
