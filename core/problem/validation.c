#include "core/problem/validation.h"

#include <string.h>

static bool starts_trial(const pf_recording *recording, int64_t t)
{
  return t == 0 || recording->trial[t] != recording->trial[t - 1];
}

static int64_t count_trials(const pf_recording *recording)
{
  int64_t n = 0;
  for (int64_t t = 0; t < recording->n_steps; t++) {
    n += starts_trial(recording, t) ? 1 : 0;
  }
  return n;
}

pf_status pf_mask_forecast(const pf_recording *recording, double fraction, uint32_t *flags,
                           pf_error *error)
{
  const int64_t n = count_trials(recording);
  if (n < 2) {
    return pf_fail(error, PF_POINT_FAILED,
                   "%s has %lld trial%s; a forecast needs at least one to fit and one to score",
                   recording->name, (long long)n, n == 1 ? "" : "s");
  }
  /* the smallest number above a product such as 0.7 * 10 = 7.000..01 is not what anybody means: no
   * rounding up */
  int64_t n_fit = (int64_t)(fraction * (double)n + 1e-9);
  n_fit = n_fit < 1 ? 1 : n_fit > n - 1 ? n - 1 : n_fit;
  int64_t trial = -1;
  for (int64_t t = 0; t < recording->n_steps; t++) {
    trial += starts_trial(recording, t) ? 1 : 0;
    flags[t] = recording->flags[t] & ~(uint32_t)(trial < n_fit ? PF_STEP_SCORE : PF_STEP_FIT);
  }
  return PF_OK;
}

pf_folds pf_folds_of(const pf_dataset *data, int64_t parts)
{
  int64_t most = 0;
  bool several = false;
  for (size_t i = 0; i < data->n; i++) {
    const pf_recording *recording = &data->recordings[i];
    for (int64_t t = 0; t < recording->n_steps; t++) {
      most = recording->block[t] > most ? recording->block[t] : most;
    }
    /* blocks of one animal may lie in several experiments */
    for (size_t k = 0; k <= i && !several; k++) {
      const pf_recording *other = &data->recordings[k];
      for (int64_t t = 0; other->animal_index == recording->animal_index && t < recording->n_steps;
           t++) {
        several = several || recording->block[t] != other->block[0];
      }
    }
  }
  return several ? (pf_folds){.n = most + 1, .from_data = true} : (pf_folds){.n = parts};
}

void pf_mask_fold(const pf_recording *recording, pf_folds folds, int64_t fold, uint32_t *flags)
{
  const int64_t n = count_trials(recording);
  int64_t trial = -1;
  for (int64_t t = 0; t < recording->n_steps; t++) {
    trial += starts_trial(recording, t) ? 1 : 0;
    const int64_t own = folds.from_data ? recording->block[t] : trial * folds.n / n;
    flags[t] = recording->flags[t] & ~(uint32_t)(own == fold ? PF_STEP_FIT : PF_STEP_SCORE);
  }
}

void pf_recording_mask(pf_recording *recording, const uint32_t *flags)
{
  int64_t length = 0, seen = -1;
  memmove(recording->flags, flags, (size_t)recording->n_steps * sizeof *flags);
  recording->n_trials = 0;
  recording->longest_trial = 0;
  for (int64_t t = 0, trial = -1; t < recording->n_steps; t++) {
    trial += starts_trial(recording, t) ? 1 : 0;
    if ((flags[t] & PF_STEP_FIT) == 0) {
      continue;
    }
    length = trial == seen ? length + 1 : 1;
    recording->n_trials += trial == seen ? 0 : 1;
    recording->longest_trial =
        length > recording->longest_trial ? length : recording->longest_trial;
    seen = trial;
  }
}

int64_t pf_count_steps(const uint32_t *flags, int64_t n_steps, uint32_t flag)
{
  int64_t n = 0;
  for (int64_t t = 0; t < n_steps; t++) {
    n += (flags[t] & flag) != 0 ? 1 : 0;
  }
  return n;
}
