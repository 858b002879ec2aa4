/*
 * Selection of terms: which of a rule's coefficients do the data ask for? Sets of terms are scored
 * on held-out steps, each by fits of its own, on a path forward (a term more a round, the best
 * one), backward (a term less), or with all terms under growing L1 penalties. A term that is out is
 * a parameter fixed at 0, so that any rule that is linear in its parameters can be asked.
 *
 * A round is one piece of work (work.h) scored by the table (core/ranking/compare_table.h): the
 * same fits, folds and means as a comparison's, in files of their own, so that an interrupted
 * selection goes on too.
 */
#ifndef PLASTFIT_CORE_COMPARE_SELECT_H
#define PLASTFIT_CORE_COMPARE_SELECT_H

#include "core/compare/work.h"

/** Can it be done? Which rule, which terms; `base` is the base candidate's problem. For what is
 * said before any fit. */
pf_status pf_select_check(const pf_compare_settings *settings, const pf_problem *base,
                          const pf_config *config, pf_error *error);
/** All that the settings of `whole` select, in its folder. PF_POINT_FAILED: interrupted. */
pf_status pf_select_run(const pf_work *whole, const pf_problem *base, pf_selection *out,
                        pf_error *error);

#endif
