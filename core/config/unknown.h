/* Names in a group that nothing declares. */
#ifndef PLASTFIT_CORE_CONFIG_UNKNOWN_H
#define PLASTFIT_CORE_CONFIG_UNKNOWN_H

#include "core/config/node.h"

/** PF_STOP with the error line for a name in the group that neither its table nor the others have.
 */
pf_status pf_config_check_names(const pf_group *group, pf_error *error);

#endif
