/* Rules, losses and models: which rule on which projection, and the same with the teacher's. */
#ifndef PLASTFIT_CORE_MODEL_CONFIG_BUILD_MODELS_H
#define PLASTFIT_CORE_MODEL_CONFIG_BUILD_MODELS_H

#include "core/model_config/models.h"

/**
 * Fills what pf_models_create has not: rules, losses, model, teacher. After
 * pf_settings_read_components. `only_task`: there will be no data, and the source need not say by
 * which rule to learn.
 */
pf_status pf_models_build(pf_models *models, const pf_settings *settings, bool only_task,
                          pf_error *error);

#endif
