/*
 * The host's own keys, as tables of options: beside a plugin's options in each
 * group of the config. They make the checks of core/config, `plastfit describe`
 * and the documentation.
 */
#ifndef PLASTFIT_CORE_PROBLEM_KEYS_H
#define PLASTFIT_CORE_PROBLEM_KEYS_H

#include <plastfit/abi/options.h>

/** Keys of the config's top level (name, seed, fit.*, evaluate.*, ...). */
pf_option_table pf_keys_root(void);
/** Groups of the top level that hold components: "source", "network", "rules", "losses". */
pf_names pf_keys_root_groups(void);

/** The host's keys in the group of a component of this kind (enum pf_kind), without `plugin`. */
pf_option_table pf_keys_of_kind(uint32_t kind);
/** Names of the same and of the host's groups beside them ("rule", "projections", "parameters"),
 * with `plugin`. */
pf_names pf_keys_names_of_kind(uint32_t kind);

#endif
