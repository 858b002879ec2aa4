/* The host's keys in the group `source`, beside those of its plugin. */
#ifndef PLASTFIT_CORE_SETTINGS_SOURCE_SETTINGS_H
#define PLASTFIT_CORE_SETTINGS_SOURCE_SETTINGS_H

#include "core/settings/settings.h"

/** Rows of pf_settings, and, "derive[]", of pf_derived. */
pf_option_table pf_source_keys(void);

#endif
