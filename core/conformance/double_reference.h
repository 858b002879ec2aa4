/* Numbers of the double-precision build of a plugin, for the check of its single-precision one. */
#ifndef PLASTFIT_CORE_CONFORMANCE_DOUBLE_REFERENCE_H
#define PLASTFIT_CORE_CONFORMANCE_DOUBLE_REFERENCE_H

#include "core/conformance/findings.h"

/** Before a group is run: its part of the reference. */
void cf_reference_group(cf_report *report, const pf_conformance_reference *reference,
                        const char *variant, const char *check);
/** In the child: write an array's numbers, or compare them. True if they were compared. */
bool cf_reference_array(cf_report *report, const char *op, const cf_array *array);

#endif
