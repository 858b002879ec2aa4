/* A group with every kind of option, for the tests of core/config. */
#ifndef PLASTFIT_TESTS_CONFIG_SUPPORT_H
#define PLASTFIT_TESTS_CONFIG_SUPPORT_H

#include "core/base/memory.h"
#include "core/config/config.h"

/** Parses `text` as "configs/t.cfg" with one override (NULL: none); the caller checks status and
 * error. */
pf_status parse(const char *text, const char *override, pf_config **out, pf_error *error);
/** Parses, and makes a view of group `rule` against the table; NULL with the error line. Frees
 * nothing on success. */
pf_view *view_of_rule(const char *text, const char *override, pf_config **config, pf_error *error);
/** The error line that a text and an override lead to; "" if there is none. Static memory. */
const char *line_of(const char *text, const char *override);
/** The table behind it. */
pf_option_table rule_table(void);
pf_names rule_others(void);

#endif
