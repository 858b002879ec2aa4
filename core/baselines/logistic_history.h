/* The baseline logistic history (baselines.h says what it is). */
#ifndef PLASTFIT_CORE_BASELINES_LOGISTIC_HISTORY_H
#define PLASTFIT_CORE_BASELINES_LOGISTIC_HISTORY_H

#include "core/baselines/choice_history.h"

/** Over the scored trials, fitted to those that are fitted; back: lags. */
pf_status pf_logistic_history_deviance(const pf_choice_history *history, int64_t back,
                                       double *deviance, pf_error *error);

#endif
