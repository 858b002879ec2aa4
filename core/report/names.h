/* What parameters are called in files, and their true values. */
#ifndef PLASTFIT_CORE_REPORT_NAMES_H
#define PLASTFIT_CORE_REPORT_NAMES_H

#include "core/problem/problem.h"

/** The name of each parameter, "X1Y0W0R1"; with its owner before it, "rules.slow.decay", where a name occurs twice. */
pf_status pf_keys_create(const pf_model *model, char ***out, pf_error *error);
void pf_keys_free(const pf_model *model, char **keys);

/** Is this name of the form X<d>Y<d>W<d>R<d>, the coefficient of a product of powers? */
bool pf_is_taylor_name(const char *name);

/**
 * The true value of each parameter of problem->model, NaN where it is unknown; [n_parameters], free with
 * pf_memory_free. Known where the teacher has the parameter: a rule's if the teacher's rule for that projection is of
 * the same plugin (or both are polynomials, with names X1Y0W0R1) and reads the same modulators with the same eta, so
 * that the numbers mean the same; the network's and the losses' by owner and name. A Taylor term that the teacher
 * lacks is truly 0.
 */
pf_status pf_truth_create(const pf_problem *problem, double **out, pf_error *error);

#endif
