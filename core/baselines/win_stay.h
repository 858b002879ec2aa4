/* The baseline win-stay-lose-shift (baselines.h says what it is). */
#ifndef PLASTFIT_CORE_BASELINES_WIN_STAY_H
#define PLASTFIT_CORE_BASELINES_WIN_STAY_H

#include "core/baselines/choice_history.h"

/** Over the scored trials, fitted to those that are fitted. */
double pf_win_stay_deviance(const pf_choice_history *history);

#endif
