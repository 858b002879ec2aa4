/*
 * The Gauss-Newton matrix times a vector: the tangent of the trajectory along it (J v), what the
 * losses' curvature makes of that (C J v), and the adjoint with this as cotangent of the
 * observables (J' C J v). For the adjoint the engine is given the same model with other losses:
 * linear ones, whose gradient is what was worked out.
 */
#ifndef PLASTFIT_CORE_SENSITIVITY_INFORMATION_PRODUCT_H
#define PLASTFIT_CORE_SENSITIVITY_INFORMATION_PRODUCT_H

#include "core/sensitivity/sensitivity.h"

/**
 * product[n_parameters] += sum_k scale_k J' C_k J direction, direction: [n_parameters]. One tangent
 * forward and one adjoint, whatever the number of parameters. *how: PF_INFORMATION_*, or-ed in.
 */
pf_status pf_information_product(const pf_information_in *in, const double *direction,
                                 double *product, uint32_t *how, pf_error *error);

#endif
