/* Reads the host's keys in the groups of the source and the network into the settings. */
#ifndef PLASTFIT_CORE_MODEL_CONFIG_COMPONENT_SETTINGS_H
#define PLASTFIT_CORE_MODEL_CONFIG_COMPONENT_SETTINGS_H

#include "core/model_config/models.h"

/** A checked view of the host's keys in the group of a component. */
pf_status pf_host_view(const pf_models *models, const pf_component *component, uint32_t kind,
                       const char *what, pf_view **view, pf_error *error);
/** Source and network. After pf_models_create. */
pf_status pf_settings_read_components(pf_settings *settings, const pf_models *models,
                                      pf_error *error);
/** Do the keys suit a task, or data that are read? After pf_models_build. */
pf_status pf_settings_check_source(pf_settings *settings, const pf_models *models, pf_error *error);
/** The root's keys, into new settings. */
pf_status pf_settings_create(const pf_config *config, pf_settings **out, pf_error *error);

#endif
