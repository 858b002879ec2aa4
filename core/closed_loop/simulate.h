/* Closed loop: a model acts in a task, step by step, and what happened becomes a recording. */
#ifndef PLASTFIT_CORE_CLOSED_LOOP_SIMULATE_H
#define PLASTFIT_CORE_CLOSED_LOOP_SIMULATE_H

#include "core/data/derive.h"
#include "core/data/expected_reward.h"
#include "core/model/model.h"

/** How simulated animals see their inputs. */
typedef struct pf_input_noise {
  double mean, sd;
} pf_input_noise;

/** Sessions that a simulated animal has: its weights last over the hours between two, but for what
 * is forgotten. */
typedef struct pf_simulated_sessions {
  int64_t n; /**< each a run of the task from its beginning */
  double gap;
} pf_simulated_sessions;

/** Who acts, in which task. */
typedef struct pf_task_run {
  const pf_model *model;
  const double *theta;
  const pf_component *task;
  const pf_input_noise *input;
  const pf_expected_reward *expectation;
  const pf_derived *derived; /**< [n_derived] channels made from the task's, for modulators; those
                                that pf_derived_is_live says can be */
  size_t n_derived;
  pf_simulated_sessions sessions;
  pf_real *const *given_w; /**< [n projections], each dense or NULL: starting weights in the place
                              of those drawn; NULL: none */
  uint64_t seed;
  int64_t index; /**< of the animal: random numbers go by (seed, index) */
  const char *animal;
  double max_bytes; /**< that the recordings of `n_runs` such animals may take; 0: any */
  double n_runs;
} pf_task_run;

/**
 * Run a task in closed loop with a model: draws noise, choices (core/closed_loop/choice_law.h)
 * and the task's random numbers, fills expected reward, and
 * appends the recording with its truth (true_input, true_noise) to `data`. Targets recorded: those
 * that the task declares: "choice", or observables of the network by name ("activity": the first
 * plastic layer's). All sessions are one recording.
 */
pf_status pf_simulate(const pf_task_run *loop, pf_dataset *data, pf_error *error);

#endif
