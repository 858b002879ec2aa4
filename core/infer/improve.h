/* Inference that may find a better optimum than the fit has: then the fit goes on from there. */
#ifndef PLASTFIT_CORE_INFER_IMPROVE_H
#define PLASTFIT_CORE_INFER_IMPROVE_H

#include "core/infer/infer.h"

/**
 * As pf_infer. A group for which a better optimum was found is fitted again from there and inferred
 * anew, a few times at most; its fit then is the better one, and a warning says so.
 */
pf_status pf_infer_and_improve(const pf_problem *problem, pf_fit *fit, const pf_observer *observer,
                               pf_inference **out, pf_error *error);

#endif
