/* What parameters are called in files. */
#ifndef PLASTFIT_CORE_TRUTH_NAMES_H
#define PLASTFIT_CORE_TRUTH_NAMES_H

#include "core/base/text.h"
#include "core/model/terms.h"
#include "core/problem/problem.h"

/** The name of each parameter, "X1Y0W0R1"; with its owner before it, "rules.slow.decay", where a
 * name occurs twice. */
pf_status pf_keys_create(const pf_model *model, char ***out, pf_error *error);
void pf_keys_free(const pf_model *model, char **keys);

/**
 * Is a parameter worth a word? Not what a network or a loss declares and nobody touched: fixed at
 * what its plugin says.
 */
bool pf_is_reported(const pf_model *model, size_t i);

#endif
