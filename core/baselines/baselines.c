#include "core/baselines/baselines.h"

#include "core/baselines/logistic_history.h"
#include "core/baselines/win_stay.h"

#include <math.h>

const char *pf_baseline_name(size_t baseline)
{
  static const char *const names[PF_N_BASELINES] = {"win-stay-lose-shift", "logistic history"};
  return names[baseline];
}

const char *pf_baseline_key(size_t baseline)
{
  static const char *const keys[PF_N_BASELINES] = {"win_stay_lose_shift", "logistic_history"};
  return keys[baseline];
}

static bool has_fitted_trials(const pf_choice_history *history)
{
  for (int64_t i = 0; i < history->n; i++) {
    if (history->trials[i].fits) {
      return true;
    }
  }
  return false;
}

pf_status pf_baselines_deviance(const pf_model *model, const pf_draw *const *draws, size_t n,
                                int64_t back, double deviance[PF_N_BASELINES], pf_error *error)
{
  pf_choice_history history;
  for (size_t b = 0; b < PF_N_BASELINES; b++) {
    deviance[b] = NAN;
  }
  pf_status status = pf_choice_history_create(model, draws, n, &history, error);
  if (status == PF_OK && has_fitted_trials(&history)) {
    deviance[PF_BASELINE_WIN_STAY] = pf_win_stay_deviance(&history);
    status = pf_logistic_history_deviance(&history, back, &deviance[PF_BASELINE_HISTORY], error);
  }
  pf_choice_history_clear(&history);
  return status;
}
