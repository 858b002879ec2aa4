/* The optimiser owlqn: orthant-wise quasi-Newton: lbfgs for L1. */
#include "core/optimise/quasi_newton.h"

static pf_status minimise_owlqn(const pf_function *function, const pf_optimiser_settings *settings,
                                const pf_watch *watch, double *v, pf_optimum *out, pf_error *error)
{
  const pf_status status = pf_optimiser_begin(&pf_optimiser_owlqn, function, out, error);
  return status == PF_OK ? pf_quasi_newton(function, settings, watch, v, out, error) : status;
}

const pf_optimiser pf_optimiser_owlqn = {
    .name = "owlqn", .takes_l1 = true, .minimise = minimise_owlqn};
