#include "core/validations/step_masks.h"

#include <string.h>

bool pf_starts_trial(const pf_recording *recording, int64_t t)
{
  return t == 0 || recording->trial[t] != recording->trial[t - 1];
}

int64_t pf_count_trials(const pf_recording *recording)
{
  int64_t n = 0;
  for (int64_t t = 0; t < recording->n_steps; t++) {
    n += pf_starts_trial(recording, t) ? 1 : 0;
  }
  return n;
}

void pf_recording_mask(pf_recording *recording, const uint32_t *flags)
{
  int64_t length = 0, seen = -1;
  memmove(recording->flags, flags, (size_t)recording->n_steps * sizeof *flags);
  recording->n_trials = 0;
  recording->longest_trial = 0;
  for (int64_t t = 0, trial = -1; t < recording->n_steps; t++) {
    trial += pf_starts_trial(recording, t) ? 1 : 0;
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
