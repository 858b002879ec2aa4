/* What animals chose and were paid, trial by trial: all that a baseline without synapses knows. */
#ifndef PLASTFIT_CORE_BASELINES_CHOICE_HISTORY_H
#define PLASTFIT_CORE_BASELINES_CHOICE_HISTORY_H

#include "core/state/draw.h"

/** A trial with a choice. */
typedef struct pf_trial {
  int64_t choice;
  double reward;     /**< 0 where none could come */
  bool begins;       /**< nothing came before: an experiment or a session begins */
  bool fits, scores; /**< it is fitted; it is scored */
} pf_trial;

typedef struct pf_choice_history {
  pf_trial *trials; /**< [n] of one recording after the other; trials that were missed left out */
  int64_t n;
  int64_t n_options; /**< 2 or more */
} pf_choice_history;

/**
 * The trials of some draws. No trials where the data are no choices between options: the loss is
 * not the one log likelihood of `choice`, there is no reward, or weights do not change after every
 * choice (go/no-go).
 */
pf_status pf_choice_history_create(const pf_model *model, const pf_draw *const *draws, size_t n,
                                   pf_choice_history *out, pf_error *error);
void pf_choice_history_clear(pf_choice_history *history);

#endif
