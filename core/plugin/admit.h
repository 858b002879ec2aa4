/*
 * Is a descriptor one that this host can use? Not if it is of another ABI major, a newer minor,
 * another precision, another kind, or if a required op is missing: one sentence says which, and
 * what to do.
 */
#ifndef PLASTFIT_CORE_PLUGIN_ADMIT_H
#define PLASTFIT_CORE_PLUGIN_ADMIT_H

#include <plastfit/abi/plugin.h>

/** Used by the loader, and by tests without loading. `file` for the sentence; kind 0: any. */
pf_status pf_plugin_admit(const pf_plugin *plugin, const char *file, uint32_t kind,
                          pf_error *error);

/** "rule", "network", "loss", "source". */
const char *pf_kind_name(uint32_t kind);

#endif
