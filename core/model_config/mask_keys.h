/* Masks of network.projections: given inline, from a file, or drawn with a density. */
#ifndef PLASTFIT_CORE_MODEL_CONFIG_MASK_KEYS_H
#define PLASTFIT_CORE_MODEL_CONFIG_MASK_KEYS_H

#include "core/model_config/models.h"

/** `connected` and `plastic` of all entries; masks with a density are drawn with `seed`. */
pf_status pf_projection_masks(const pf_models *models, const pf_network_settings *settings,
                              uint64_t seed, pf_model *model, pf_error *error);

#endif
