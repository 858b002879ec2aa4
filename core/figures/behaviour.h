/* What animals did, trial by trial, for figures: choices between two options, read from
 * trajectories.h5 or a table. */
#ifndef PLASTFIT_CORE_FIGURES_BEHAVIOUR_H
#define PLASTFIT_CORE_FIGURES_BEHAVIOUR_H

#include "core/readers/sheet.h"
#include "core/readers/trajectories_file.h"

#include <stdbool.h>

/** One experiment, step by step; NaN where missing. All arrays [n_steps]. */
typedef struct pf_steps_seen {
  size_t n_steps;
  double *trial, *block;
  double *choice;      /**< 0 or 1; between arms the arm, from 0 */
  double *probability; /**< of choice 1, as the model has it; NaN: none */
  double *chances;     /**< [n_steps][n_options] between arms: of each arm; NULL: no arms */
  double *reward;      /**< of the task; NaN where none could come */
  int *option; /**< 0 or 1: the one of two inputs that was on; -1: neither alone, or not two */
} pf_steps_seen;

/** What came of a trial: the option that was taken in the end. */
typedef struct pf_trial_seen {
  int option; /**< 0 .. n_options - 1 */
  double reward;
  double block;
  size_t first, last; /**< its steps */
} pf_trial_seen;

typedef struct pf_behaviour {
  char *animal;
  pf_steps_seen steps;
  pf_trial_seen *trials; /**< [n_trials] those that ended with an option taken; none where options
                            are unknown */
  size_t n_trials;
} pf_behaviour;

/** More arms than that are not drawn. */
enum { PF_MAX_OPTIONS = 8 };

typedef struct pf_behaviours {
  pf_behaviour *items; /**< [n] one experiment each */
  size_t n, capacity;
  size_t n_options; /**< 2, or the number of arms */
  bool arms;       /**< a choice is between arms, one at every step: the option taken is the choice.
                      Else an option is met, and accepted (1) or not (0) */
  bool two_inputs; /**< there are two inputs, of which one may be on */
} pf_behaviours;

/** Experiments of trajectories.h5 that have a target `choice`, in natural order of the animals. */
pf_status pf_behaviours_of_run(pf_trajectories_file *reader, pf_behaviours *out, pf_error *error);
/** The animals of a table as `plastfit simulate` writes it: animal, block, trial, x1, x2, choice,
 * reward; of the same task as `like`. */
pf_status pf_behaviours_of_table(const pf_sheet *table, const pf_behaviours *like,
                                 pf_behaviours *out, pf_error *error);
void pf_behaviours_free(pf_behaviours *behaviours);

#endif
