/* Theta: the parameters of rules, network, losses and host, in one row. */
#ifndef PLASTFIT_CORE_MODEL_MODEL_PARAMETERS_H
#define PLASTFIT_CORE_MODEL_MODEL_PARAMETERS_H

#include "core/model/model.h"

/** Room for `count` more. */
pf_status pf_model_reserve_parameters(pf_model *model, size_t count, pf_error *error);
/**
 * Weights are forgotten over gaps between sessions (recording->gap): w exp(-rate gap), then bounds,
 * where weights change. Adds the parameter "forgetting" of owner "sessions", which starts at `rate`
 * (1/h).
 */
pf_status pf_model_forget(pf_model *model, double rate, pf_error *error);
/**
 * The sd of the noise that inputs are drawn with becomes a parameter, "input_sd" of owner "source".
 * Only a particle filter looks at it: everything else is given inputs.
 */
pf_status pf_model_learn_input_sd(pf_model *model, double sd, pf_error *error);

#endif
