/* Entries of network.projections: which projection each means, which of its units learn, and
 * between which bounds its weights stay. */
#ifndef PLASTFIT_CORE_MODEL_CONFIG_PROJECTION_KEYS_H
#define PLASTFIT_CORE_MODEL_CONFIG_PROJECTION_KEYS_H

#include "core/model_config/models.h"

/** Names in a projection's settings are shorter than that. */
enum { PF_PROJECTION_NAME = 64 };

/** Which projection entry i means: its `name`, or `layer = 1` for the first. */
pf_status pf_projection_name(const pf_models *models, const pf_network_settings *settings, size_t i,
                             char name[PF_PROJECTION_NAME], pf_error *error);
/** `units` of entry i: ranges, the caller's to free; none where it says nothing. */
pf_status pf_projection_units(const pf_models *models, const pf_network_settings *settings,
                              size_t i, pf_range **ranges, size_t *n, pf_error *error);
/** `bounds` and `dale` of all entries. */
pf_status pf_projection_bounds(const pf_models *models, const pf_network_settings *settings,
                               pf_model *model, pf_error *error);

#endif
