/* What parameters are called in files, and their true values. */
#ifndef PLASTFIT_CORE_TRUTH_NAMES_H
#define PLASTFIT_CORE_TRUTH_NAMES_H

#include "core/base/text.h"
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

/** Is this name of the form X<d>Y<d>W<d>R<d>, the coefficient of a product of powers? */
bool pf_is_taylor_name(const char *name);

/**
 * The true value of each parameter of problem->model, NaN where it is unknown; [n_parameters], free
 * with pf_memory_free.
 * - A fitted polynomial (parameters X1Y0W0R1, ...): the teacher's rule as a polynomial, whatever
 *   plugin it is of (core/truth/polynomial.h), in units of the model's eta; a term that the teacher
 *   lacks is truly 0.
 * - Another rule: by name, if the teacher's is of the same plugin and has the same eta and
 *   modulators.
 * - Network and losses: by owner and name.
 */
pf_status pf_truth_create(const pf_problem *problem, double **out, pf_error *error);

#endif
