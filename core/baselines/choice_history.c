#include "core/baselines/choice_history.h"

#include "core/base/memory.h"

#include <math.h>

/** Is the recording's one target that is predicted its choices, by a log likelihood? */
static bool predicts_choices(const pf_model *model, const pf_recording *recording)
{
  const pf_loss_declaration *declared = &model->losses[0].declared;
  const bool one_likelihood = model->n_losses == 1 && declared->targets.count == 1 &&
                              (declared->flags & PF_LOSS_LIKELIHOOD) != 0;
  const pf_record *choices = pf_recording_target(recording, "choice");
  return one_likelihood && choices != NULL && choices->n == 1 &&
         pf_recording_target(recording, declared->targets.items[0]) == choices;
}

/** Do weights change after every choice, and is there a reward? */
static bool is_between_options(const pf_recording *recording)
{
  const pf_record *choices = pf_recording_target(recording, "choice");
  for (int64_t t = 0; t < recording->n_steps; t++) {
    if (!isnan(choices->values[t]) && (recording->flags[t] & PF_STEP_PLASTIC) == 0) {
      return false;
    }
  }
  return pf_recording_channel(recording, "reward") != NULL;
}

static void add_trials(const pf_draw *draw, pf_choice_history *to)
{
  const double *choices = pf_recording_target(draw->recording, "choice")->values;
  const double *reward = pf_recording_channel(draw->recording, "reward");
  bool begins = true;
  for (int64_t t = 0; t < draw->n_steps; t++) {
    begins = begins || (draw->flags[t] & PF_STEP_NEW_SESSION) != 0;
    if (isnan(choices[t])) {
      continue;
    }
    const int64_t choice = (int64_t)choices[t];
    to->trials[to->n++] = (pf_trial){.choice = choice,
                                     .reward = isnan(reward[t]) ? 0.0 : reward[t],
                                     .begins = begins,
                                     .fits = (draw->flags[t] & PF_STEP_FIT) != 0,
                                     .scores = (draw->flags[t] & PF_STEP_SCORE) != 0};
    to->n_options = choice >= to->n_options ? choice + 1 : to->n_options;
    begins = false;
  }
}

pf_status pf_choice_history_create(const pf_model *model, const pf_draw *const *draws, size_t n,
                                   pf_choice_history *out, pf_error *error)
{
  int64_t n_steps = 0;
  *out = (pf_choice_history){.n_options = 2};
  for (size_t d = 0; d < n; d++) {
    const pf_recording *recording = draws[d]->recording;
    if (!predicts_choices(model, recording) || !is_between_options(recording)) {
      return PF_OK;
    }
    n_steps += draws[d]->n_steps;
  }
  out->trials = pf_memory_need((size_t)n_steps, sizeof *out->trials, error);
  if (out->trials == NULL) {
    return PF_STOP;
  }
  for (size_t d = 0; d < n; d++) {
    add_trials(draws[d], out);
  }
  return PF_OK;
}

void pf_choice_history_clear(pf_choice_history *history)
{
  pf_memory_free(history->trials);
  *history = (pf_choice_history){0};
}
