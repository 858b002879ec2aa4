/* network.initial_weights.learn: which starting weights are fitted, with what scope, bounds and
 * penalties. */
#ifndef PLASTFIT_CORE_MODEL_CONFIG_LEARNED_START_H
#define PLASTFIT_CORE_MODEL_CONFIG_LEARNED_START_H

#include "core/model_config/models.h"

/** After the masks. */
pf_status pf_learned_start(const pf_models *models, const pf_start_settings *settings,
                           pf_model *model, pf_error *error);

#endif
