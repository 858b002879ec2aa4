/* summary.json of a comparison: the table, and what it rests on. */
#ifndef PLASTFIT_CORE_RANKING_COMPARISON_JSON_H
#define PLASTFIT_CORE_RANKING_COMPARISON_JSON_H

#include "core/ranking/ranking.h"

/** Neither times nor threads stand in it, so that equal comparisons have equal files. */
pf_status pf_compare_write_summary(const pf_comparison *comparison, const char *path,
                                   pf_error *error);

#endif
