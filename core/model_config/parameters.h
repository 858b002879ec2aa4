/* Parameters as the config wants them: started, bounded, fixed, penalised, tied to one another. */
#ifndef PLASTFIT_CORE_MODEL_CONFIG_PARAMETERS_H
#define PLASTFIT_CORE_MODEL_CONFIG_PARAMETERS_H

#include "core/config/config.h"
#include "core/model/model.h"

/** The `parameters` group of model->plastic[p]'s rule, and its init_sd (NaN: the rule's own). */
pf_status pf_parameters_of_rule(const pf_config *config, pf_model *model, size_t p, double init_sd,
                                bool teacher, pf_error *error);
/** The `parameters` groups of the network and the losses. */
pf_status pf_parameters_of_others(const pf_config *config, pf_model *model, bool teacher,
                                  pf_error *error);
/** Which parameters are tied to which. After all `parameters` groups. */
pf_status pf_parameters_tie(const pf_config *config, pf_model *model, pf_error *error);
/** Says which free parameters start beyond their bounds. After the ties. */
void pf_parameters_warn_starts(const pf_model *model, const pf_host *host);

#endif
