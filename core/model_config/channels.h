/* Which channels the data will have: the source's, expected reward, and those of source.derive. */
#ifndef PLASTFIT_CORE_MODEL_CONFIG_CHANNELS_H
#define PLASTFIT_CORE_MODEL_CONFIG_CHANNELS_H

#include "core/model_config/models.h"

/** source.derive into the settings, checked against the channels of the source. */
pf_status pf_derived_read(pf_settings *settings, const pf_models *models, const pf_options *options,
                          pf_error *error);
/** Names of the channels that the data will have, or that a rule in a running task sees (`live`:
 * nothing derived by source.derive); the caller frees out->items. */
pf_status pf_channel_names(const pf_models *models, const pf_settings *settings, bool live,
                           pf_names *out, pf_error *error);
/** The same, and the choice where there is one: what a modulator may read. */
pf_status pf_modulator_names(const pf_models *models, const pf_settings *settings, bool live,
                             pf_names *out, pf_error *error);

#endif
