/*
 * Which L1 penalty, hence which terms: penalty.l1 = "auto".
 *
 * Every fold goes down the same penalties; the terms that are left at each are fitted again without
 * it, and predict what the fold did not see. The largest penalty counts whose prediction is within
 * one standard error of the best (Breiman et al. 1984; Hastie, Tibshirani & Friedman 2009, 7.10),
 * the error being that of the difference, over the animals or blocks: a term stays only where
 * leaving it out costs more than that.
 */
#ifndef PLASTFIT_CORE_FIT_PENALTY_CHOICE_H
#define PLASTFIT_CORE_FIT_PENALTY_CHOICE_H

#include "core/fit/penalty_path.h"

/**
 * values [layout->n]: the fit to all of the group's data under the chosen penalty, of which terms
 * that are not 0 are chosen. *out: what is told of it. PF_POINT_FAILED, with the line: no penalty
 * could be scored.
 */
pf_status pf_penalty_choose(const pf_path_data *data, double *values, pf_chosen_penalty *out,
                            pf_error *error);

#endif
