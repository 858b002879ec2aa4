/* Which keys are the host's in each group of the config. */
#ifndef PLASTFIT_CORE_MODEL_CONFIG_KEYS_H
#define PLASTFIT_CORE_MODEL_CONFIG_KEYS_H

#include <plastfit/abi/options.h>
#include <stdbool.h>

/** Groups of the top level that hold components: "source", "network", "rules", "losses". */
pf_names pf_keys_root_groups(void);

/** The host's keys in the group of a component of this kind (enum pf_kind), without `plugin`. */
pf_option_table pf_keys_of_kind(uint32_t kind);
/** Names of the same and of the host's groups beside them ("rule", "projections", "parameters"),
 * with `plugin`. */
pf_names pf_keys_names_of_kind(uint32_t kind);
/** Is `name` a key of the table, or a group that keys of it lie in? */
bool pf_keys_have(pf_option_table table, const char *name);
/** Is it such a group? */
bool pf_keys_have_group(pf_option_table table, const char *name);

#endif
