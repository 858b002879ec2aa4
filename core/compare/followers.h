/* How many animals follow which candidate? Populations of all of them, fitted together. */
#ifndef PLASTFIT_CORE_COMPARE_FOLLOWERS_H
#define PLASTFIT_CORE_COMPARE_FOLLOWERS_H

#include "core/compare/work.h"

/**
 * comparison->followers, of those candidates that compare.frequencies asks for. A fit that fails is
 * a result, followers.why. PF_POINT_FAILED: interrupted; PF_STOP: no memory.
 */
pf_status pf_followers_find(const pf_work *work, pf_comparison *comparison, pf_error *error);

#endif
