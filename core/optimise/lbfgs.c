/* The optimiser lbfgs: limited-memory BFGS, of smooth functions. */
#include "core/optimise/quasi_newton.h"

static pf_status minimise_lbfgs(const pf_function *function, const pf_optimiser_settings *settings,
                                const pf_watch *watch, double *v, pf_optimum *out, pf_error *error)
{
  const pf_status status = pf_optimiser_begin(&pf_optimiser_lbfgs, function, out, error);
  return status == PF_OK ? pf_quasi_newton(function, settings, watch, v, out, error) : status;
}

const pf_optimiser pf_optimiser_lbfgs = {.name = "lbfgs", .minimise = minimise_lbfgs};
