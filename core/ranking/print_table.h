/* The table as text. */
#ifndef PLASTFIT_CORE_RANKING_PRINT_TABLE_H
#define PLASTFIT_CORE_RANKING_PRINT_TABLE_H

#include "core/ranking/ranking.h"

#include <stdio.h>

/** The table, and the line of words under it. */
void pf_compare_print(const pf_comparison *comparison, FILE *stream);

#endif
