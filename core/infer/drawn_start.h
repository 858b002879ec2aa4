/* Recorded activity, and starting weights that the fit draws at random. */
#ifndef PLASTFIT_CORE_INFER_DRAWN_START_H
#define PLASTFIT_CORE_INFER_DRAWN_START_H

#include "core/uncertainty/infer_job.h"

/**
 * Activity shows the weights themselves, so a rule fitted from starting weights that are not the
 * animal's is another rule. Where the likelihood depends on weights that were drawn: a warning, and
 * no value is identified.
 */
pf_status pf_infer_drawn_start(pf_infer_job *job, pf_error *error);

#endif
