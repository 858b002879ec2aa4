/* Does a value suit the option it was given for? */
#ifndef PLASTFIT_CORE_CONFIG_OPTIONS_H
#define PLASTFIT_CORE_CONFIG_OPTIONS_H

#include "core/config/node.h"

/** One line if the value does not suit the option: type, range, choices. */
pf_status pf_option_check(const pf_option *option, const pf_node *node, pf_error *error);
/** A text option's value: as written, or for a bare word of the command line as typed; NULL if it
 * is none. */
const char *pf_option_text(const pf_node *node);

#endif
