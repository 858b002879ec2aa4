/*
 * Models without synapses that a rule has to beat. They are fitted to the same trials as the rule,
 * and scored on the same:
 *
 * - win-stay-lose-shift: the option of the trial before is taken again with a probability after a
 *   win and with another after a loss; the other options share the rest. A win is a reward above 0,
 *   or above the mean where all rewards are above 0 or none is. Probabilities are (stays + 1/2) /
 *   (trials + 1).
 * - logistic history: the softmax of
 *
 *       utility of option k = bias_k + sum over lags l of [it was chosen l trials ago] (c_l + r_l
 *       reward)
 *
 *   with a weak normal prior (sd 3) on each coefficient, which keeps them finite where choices
 *   follow from history alone. For two options it is the usual logistic regression on choices and
 *   rewards.
 */
#ifndef PLASTFIT_CORE_BASELINES_BASELINES_H
#define PLASTFIT_CORE_BASELINES_BASELINES_H

#include "core/baselines/choice_history.h"

enum pf_baseline { PF_BASELINE_WIN_STAY = 0, PF_BASELINE_HISTORY = 1, PF_N_BASELINES = 2 };

/** "win-stay-lose-shift", "logistic history": for people. */
const char *pf_baseline_name(size_t baseline);
/** "win_stay_lose_shift", "logistic_history": in files. */
const char *pf_baseline_key(size_t baseline);

/**
 * Deviance of each over the scored trials of some draws, fitted to those that are fitted; NaN where
 * there are no choices between options, or none to fit. back: lags of the logistic history.
 */
pf_status pf_baselines_deviance(const pf_model *model, const pf_draw *const *draws, size_t n,
                                int64_t back, double deviance[PF_N_BASELINES], pf_error *error);

#endif
