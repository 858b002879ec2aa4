/* L-BFGS by liblbfgs: bounds by a change of variables, or L1. What lbfgs and owlqn share. */
#ifndef PLASTFIT_CORE_OPTIMISE_QUASI_NEWTON_H
#define PLASTFIT_CORE_OPTIMISE_QUASI_NEWTON_H

#include "core/optimise/optimiser.h"

/** As `minimise` of pf_optimiser. Values that have L1 weights MUST have no bounds. */
pf_status pf_quasi_newton(const pf_function *function, const pf_optimiser_settings *settings,
                          const pf_watch *watch, double *v, pf_optimum *out, pf_error *error);

#endif
