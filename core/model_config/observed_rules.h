/* A rule whose changes no loss can see has no coefficients to be found: reported before a fit. */
#ifndef PLASTFIT_CORE_MODEL_CONFIG_OBSERVED_RULES_H
#define PLASTFIT_CORE_MODEL_CONFIG_OBSERVED_RULES_H

#include "core/model_config/models.h"

/** Does every rule that is fitted change something that a loss sees? After masks and parameters. */
pf_status pf_check_observed(const pf_models *models, const pf_model *model, pf_error *error);

#endif
