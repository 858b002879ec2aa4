/* Inference from a fit: core/uncertainty/inference.h has what comes out. */
#ifndef PLASTFIT_CORE_INFER_INFER_H
#define PLASTFIT_CORE_INFER_INFER_H

#include "core/uncertainty/inference.h"

/** Which methods' intervals may come out, asked for by name or by "auto": [PF_N_INTERVAL_METHODS].
 */
void pf_infer_methods(const pf_interval_settings *settings, bool *asked);
/**
 * Infer from a fit what problem->settings->intervals asks for. *out NULL: everything; else those
 * groups that pf_inference_forget() was called for. A group of which nothing can be said has a
 * `why`; one for which a better optimum was found has that in `better`. PF_STOP only where memory
 * is short. `fit` MUST outlive the result. Same bits for any number of threads.
 */
pf_status pf_infer(const pf_problem *problem, const pf_fit *fit, const pf_observer *observer,
                   pf_inference **out, pf_error *error);

#endif
