/*
 * What each animal of an evaluation did in time: activities and weights of the fitted model and,
 * where the truth is known, of its teacher on the same inputs, choices and rewards. Handed on one
 * experiment at a time, and weights a few rows at a time, so that nothing holds all of it at once.
 */
#ifndef PLASTFIT_CORE_EVALUATE_TRAJECTORIES_H
#define PLASTFIT_CORE_EVALUATE_TRAJECTORIES_H

#include "core/evaluate/evaluation.h"
#include "core/evaluate/expected_target.h"
#include "core/evaluate/weights_kind.h"
#include "core/state/workspace.h"

/** One experiment, simulated. */
typedef struct pf_trajectory {
  size_t animal;
  size_t experiment; /**< its number among the animal's */
  const pf_draw *draw;
  const pf_workspace *model, *teacher; /**< with the activities; teacher NULL: it is unknown */
  pf_expected_target expected;         /**< of the model; its own */
  int64_t every; /**< of the weights after every so many changes, and after the last */
} pf_trajectory;

/** Weights of rows [row0, row0 + n_rows) of a plastic projection, after the changes that are kept:
 * states [n_kept][n_rows][n_pre]. */
typedef struct pf_weight_rows {
  size_t plastic;
  pf_weights_kind kind;
  int64_t n_changes, n_kept;
  int64_t row0, n_rows;
  const pf_real *states;
} pf_weight_rows;

/** Who is handed them. */
typedef struct pf_trajectory_receiver {
  void *payload;
  double max_bytes; /**< of the weights of an animal: where they take more, changes are left out */
  /** Before the experiments of an animal; *wanted false: it is left out. */
  pf_status (*animal)(void *payload, size_t animal, bool *wanted, pf_error *error);
  pf_status (*experiment)(void *payload, const pf_trajectory *at, pf_error *error);
  /** After its experiment, block by block of rows: of a projection the model's, then the truth;
   * after all of these, bands of every projection where there are any. */
  pf_status (*weights)(void *payload, const pf_trajectory *at, const pf_weight_rows *rows,
                       pf_error *error);
} pf_trajectory_receiver;

/** Of the first draw that each experiment was scored on. Stops at the first failure. */
pf_status pf_trajectories_each(const pf_problem *problem, const pf_evaluation *evaluation,
                               const pf_trajectory_receiver *receiver, pf_error *error);

#endif
