/* The table: from the rows of a comparison to its figures, and to a line of plain words. */
#ifndef PLASTFIT_CORE_RANKING_COMPARE_TABLE_H
#define PLASTFIT_CORE_RANKING_COMPARE_TABLE_H

#include "core/ranking/ranking.h"

/** Figures of every candidate, `headline` and `words`, from the rows alone. */
pf_status pf_compare_tabulate(pf_comparison *comparison, pf_error *error);

#endif
