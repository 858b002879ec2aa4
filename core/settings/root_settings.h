/* The keys of the config's top level: all modules' tables in one. */
#ifndef PLASTFIT_CORE_SETTINGS_ROOT_SETTINGS_H
#define PLASTFIT_CORE_SETTINGS_ROOT_SETTINGS_H

#include "core/settings/settings.h"

/** All keys; the caller frees its items. */
pf_status pf_root_keys(pf_option_table *out, pf_error *error);
/** Those of the group `evaluate`; rows of pf_settings. */
pf_option_table pf_evaluate_keys(void);
/** Reads them into settings, `methods` of the intervals too. */
pf_status pf_settings_read_root(pf_settings *settings, const pf_options *options, pf_error *error);
/** Frees what the settings own, and themselves. */
void pf_settings_free(pf_settings *settings);

#endif
