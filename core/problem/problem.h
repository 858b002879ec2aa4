/*
 * A problem: everything that one config says, built and checked, before any fitting.
 *
 * It is three values: settings (core/settings), models (core/model_config/models.h) and data. A
 * part of the data (core/problem/subset.h), or other data from the teacher
 * (core/problem/replicate.h), makes another problem of the same settings and models.
 */
#ifndef PLASTFIT_CORE_PROBLEM_PROBLEM_H
#define PLASTFIT_CORE_PROBLEM_PROBLEM_H

#include "core/engine/explain.h"
#include "core/layout/layout.h"
#include "core/model_config/models.h"
#include "core/particles/filter.h"
#include "core/state/draw.h"

/** What one fit of the same settings may have otherwise: a fold, a replicate, a refit. */
typedef struct pf_fit_options {
  double l1, l2;   /**< penalties on the rules' free parameters */
  bool chooses_l1; /**< l1 is 0, and which terms there are is chosen: core/fit/penalty_choice.h */
  int n_threads;   /**< >= 1 */
  size_t starts;   /**< so many starts, all of them made; 0: as fit.starts and fit.found say */
  uint32_t per;    /**< enum pf_fit_per: who has a theta, fit.per unless a fit says otherwise */
} pf_fit_options;

typedef struct pf_problem {
  pf_config *config; /**< the caller's, MUST outlive the problem */
  pf_settings *settings;
  pf_models *models;
  pf_model *model; /**< what is fitted: models->model */
  /* data */
  pf_dataset data;  /**< what it is fitted to */
  pf_dataset fresh; /**< fresh animals for the evaluation (n = 0: fresh draws of `data` instead) */
  uint64_t seed;    /**< of all that is drawn of these data and for them */
  /** [groups of the data as read][model->n_parameters] estimates of init.theta, NaN where it has
   * none; NULL: none given. */
  double *warm;
  pf_fit_options options;
  bool
      other_data; /**< what is scored need not be what was fitted: `plastfit evaluate RUN --data` */
} pf_problem;

/** Build from a config: loads plugins, reads or simulates the data, checks everything. */
pf_status pf_problem_create(pf_config *config, pf_problem **out, pf_error *error);
/** The same without any data, whose source need not say by which rule to learn: for a task to put a
 * fitted rule into.
 */
pf_status pf_problem_create_task(pf_config *config, pf_problem **out, pf_error *error);
void pf_problem_free(pf_problem *problem);

/** A problem of the same settings and models without data, whose draws go by `seed`; to be freed
 * with pf_memory_free. NULL, with the line: no memory. */
pf_problem *pf_problem_share(const pf_problem *problem, uint64_t seed, pf_error *error);

/** What a gradient of the longest recording takes: path, blocks, checkpoints, bytes. */
pf_status pf_problem_explain(const pf_problem *problem, pf_explained *out, pf_error *error);
/** Which draw: the number `draw` of recording `i` of `data`. */
typedef struct pf_draw_id {
  const pf_dataset *data;
  size_t i;
  int64_t draw;
  bool fresh; /**< random numbers that no fit uses */
} pf_draw_id;
pf_status pf_problem_draw(const pf_problem *problem, const pf_draw_id *which, pf_draw **out,
                          pf_error *error);
/** What is not known of recording i of `data`, and the stream that its particles take random
 * numbers from (draw 0 of it; the others are for other filters of the same recording). */
void pf_problem_unknowns(const pf_problem *problem, const pf_dataset *data, size_t i, bool fresh,
                         pf_unknowns *unknowns, pf_stream *stream);
/** The stream of random numbers of the fit of a layout: by the animal's name; 0 where all share a
 * theta. */
uint32_t pf_problem_group_stream(const pf_problem *problem, const pf_layout *layout);
/**
 * Where the fit of unit `unit` starts: the earlier run's estimate where there is one, else initial
 * + init_sd * normal; within the bounds; values: [layout->n].
 */
pf_status pf_problem_start(const pf_problem *problem, size_t unit, const pf_layout *layout,
                           double *values, pf_error *error);
/**
 * A draw's replica for the teacher's model: same inputs, same initial weights (learned ones: those
 * of theta, the model's). NULL model: PF_STOP.
 */
pf_status pf_problem_teacher_draw(const pf_problem *problem, const pf_draw *draw,
                                  const double *theta, pf_draw **out, pf_error *error);

#endif
