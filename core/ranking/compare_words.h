/* What can be said of a comparison, and what cannot: one line, from its table. */
#ifndef PLASTFIT_CORE_RANKING_COMPARE_WORDS_H
#define PLASTFIT_CORE_RANKING_COMPARE_WORDS_H

#include "core/base/text.h"
#include "core/ranking/ranking.h"

/** Sets comparison->words. */
pf_status pf_compare_say(pf_comparison *comparison, pf_error *error);
/** "ok", or the animals that do not count and why: "5 of 18 left out: 3 not converged, 2
 * separation". */
void pf_compare_add_status(pf_text *text, const pf_compare_figures *figures);

#endif
