/* Masks of projections: which synapses there are, and which of them change. */
#ifndef PLASTFIT_CORE_MODEL_MASKS_H
#define PLASTFIT_CORE_MODEL_MASKS_H

#include "core/model/model.h"

/**
 * Mask a projection: dense [n_post][n_pre] of 0 and other, or NULL: ones. Copied. Before any
 * workspace is made. Where not connected, w = 0 and nothing is transmitted; where not plastic, w
 * stays as it starts.
 */
pf_status pf_model_mask(pf_model *model, int64_t projection, const uint8_t *connected,
                        const uint8_t *plastic, pf_error *error);

#endif
