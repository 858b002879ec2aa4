#include "core/baselines/win_stay.h"

#include <math.h>

/** Above which a fitted reward is a win. */
static double find_threshold(const pf_choice_history *history)
{
  double sum = 0.0;
  int64_t n = 0, n_above = 0;
  for (int64_t i = 0; i < history->n; i++) {
    if (history->trials[i].fits) {
      sum += history->trials[i].reward;
      n_above += history->trials[i].reward > 0.0 ? 1 : 0;
      n++;
    }
  }
  return n_above == 0 || n_above == n ? sum / (double)n : 0.0;
}

double pf_win_stay_deviance(const pf_choice_history *history)
{
  const double threshold = find_threshold(history);
  const double n_others = (double)history->n_options - 1.0;
  double n[2] = {0.0, 0.0}, n_stays[2] = {0.0, 0.0}; /* after losses, after wins */
  double deviance = 0.0;
  for (int64_t i = 1; i < history->n; i++) {
    const pf_trial *now = &history->trials[i], *before = now - 1;
    const int won = before->reward > threshold ? 1 : 0;
    if (now->fits && !now->begins) {
      n[won] += 1.0;
      n_stays[won] += now->choice == before->choice ? 1.0 : 0.0;
    }
  }
  for (int64_t i = 0; i < history->n; i++) {
    const pf_trial *now = &history->trials[i];
    double p = 1.0 / (n_others + 1.0);
    if (!now->begins) {
      const pf_trial *before = now - 1;
      const int won = before->reward > threshold ? 1 : 0;
      const double stay = (n_stays[won] + 0.5) / (n[won] + 1.0);
      p = now->choice == before->choice ? stay : (1.0 - stay) / n_others;
    }
    deviance -= now->scores ? 2.0 * log(p) : 0.0;
  }
  return deviance;
}
