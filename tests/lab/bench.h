/* A model on its draws: objective, gradient, and how far that is from differences of the objective.
 */
#ifndef PLASTFIT_TESTS_LAB_BENCH_H
#define PLASTFIT_TESTS_LAB_BENCH_H

#include "core/engine/batch.h"
#include "core/model/model.h"
#include "core/state/draw.h"
#include "core/state/workspace.h"

#include "tests/lab/lab.h"

enum { BENCH_DRAWS = 3, BENCH_THREADS = 3 };

typedef struct bench {
  const pf_model *model;
  pf_draw *draws[BENCH_DRAWS]; /**< of unequal length */
  pf_batch *batch;
  pf_workspace *workspaces[BENCH_THREADS];
  double *theta, *gradient, *direction, *moved; /**< [n_parameters] */
  double steepest[2]; /**< largest slope seen along directions of either kind */
  uint64_t numbers;   /**< state of the random numbers */
} bench;

/** Draws of the first BENCH_DRAWS recordings, and theta normal with sd theta_sd. */
pf_status bench_create(const pf_model *model, const pf_dataset *data, double theta_sd,
                       uint64_t seed, bench *out, pf_error *error);
void bench_free(bench *on);

/** How the directional derivatives came out. */
typedef struct bench_derivatives {
  int64_t n;       /**< compared */
  int64_t n_kinks; /**< directions not used, since a kink lay within the step */
  double worst;    /**< |gradient . d - difference| over the size of the gradient's terms along d */
} bench_derivatives;

/**
 * Gradient at theta against central differences along n random directions. Half of the directions
 * are normal, half weigh the parameters so that all contribute alike, lest a wrong small component
 * hide behind large ones.
 */
pf_status bench_differentiate(bench *on, int n, bool has_kinks, bench_derivatives *out,
                              pf_error *error);

/** The same bits for 1, 2, 3 threads, any memory budget, and when run again; otherwise an error
 * that says which. */
pf_status bench_check_bits(bench *on, pf_model *model, pf_error *error);
/** The gradient by the engine's other path through time, step by step over a tape: relative
 * difference. */
pf_status bench_compare_paths(bench *on, double *difference, pf_error *error);

/** How far tangents (forward) are from the adjoint (backward). */
typedef struct bench_tangents {
  double gradient; /**< the gradient along directions, over the size of its terms */
  double matrix;   /**< directions times the Gauss-Newton matrix, over the adjoint of a tangent */
  double scores;   /**< the sum of the steps' scores, over the gradient */
  uint32_t how;    /**< PF_TANGENT_* */
} bench_tangents;

/** Along some parameters alone, or (units false) along random directions of all. */
pf_status bench_compare_tangents(bench *on, bool units, bench_tangents *out, pf_error *error);

#endif
