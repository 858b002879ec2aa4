/* Draws that make one objective, evaluated on several threads. */
#ifndef PLASTFIT_CORE_ENGINE_BATCH_H
#define PLASTFIT_CORE_ENGINE_BATCH_H

#include "core/model/model.h"
#include "core/state/draw.h"
#include "core/state/workspace.h"

/** Draws that make one objective, with how each enters it. */
typedef struct pf_batch {
  const pf_model *model;
  const pf_draw *const *draws; /**< [n], the caller's */
  size_t n;
  double *scale;   /**< [n][n_losses], weight and normalisation: objective = constant - sum scale *
                      log likelihood */
  double *cells;   /**< [n_losses] observed, of all draws */
  double constant; /**< what padded cells add */
} pf_batch;

/** Works out scale and constant by model->normalisation. A batch in which no loss observes
 * anything: an error. */
pf_status pf_batch_create(const pf_model *model, const pf_draw *const *draws, size_t n,
                          pf_batch **out, pf_error *error);
void pf_batch_free(pf_batch *batch);
/** Cells that loss k observes on the fitted steps of a draw. */
pf_status pf_batch_cells(const pf_model *model, const pf_draw *draw, size_t k, int64_t *cells,
                         pf_error *error);
/**
 * Objective (without penalties) and its gradient (overwritten; NULL: not wanted). Draws are shared
 * among the workspaces' threads; sums are taken in the order of the draws, so bits do not depend on
 * how many there are.
 */
pf_status pf_batch_objective(const pf_batch *batch, const double *theta, pf_workspaces workspaces,
                             double *value, double *gradient, pf_error *error);
/**
 * The same with a theta for every draw, [n][n_parameters], and the gradient of each, likewise
 * (overwritten; NULL: not wanted): they are the caller's to add up, in the order of the draws.
 */
pf_status pf_batch_each(const pf_batch *batch, const double *thetas, pf_workspaces workspaces,
                        double *value, double *gradients, pf_error *error);
/** Likewise, and minus what each draw adds to the objective, values [n]. */
pf_status pf_batch_each_value(const pf_batch *batch, const double *thetas, pf_workspaces workspaces,
                              double *values, double *gradients, pf_error *error);

#endif
