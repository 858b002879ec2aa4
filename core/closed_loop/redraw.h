/*
 * Recordings as they might have been: targets drawn anew from what the model says of each step,
 * given the history that was recorded (inputs, and the rewards that changed the weights). The basis
 * of a parametric bootstrap.
 *
 * How a loss distributes its target is read off the loss itself, whatever plugin it is: the
 * probability of a value k is exp(log likelihood of k), asked for k = 0, 1, 2, ... until the
 * probabilities add up to 1 (choices, categories, counts). Where a loss is minus a squared error,
 * the target is normal around the observable.
 */
#ifndef PLASTFIT_CORE_CLOSED_LOOP_REDRAW_H
#define PLASTFIT_CORE_CLOSED_LOOP_REDRAW_H

#include "core/base/random.h"
#include "core/model/model.h"
#include "core/state/draw.h"
#include "core/state/workspace.h"

/** Of one recording. */
typedef struct pf_redraw {
  const pf_model *model;
  const pf_draw *draw; /**< the first of its draws */
  int64_t *n_values;   /**< [n_losses] values that a target can have; 0: it is normal */
  double **table; /**< [n_losses] cumulative probability [n_values][cells], or the mean [cells] */
  double *sd;     /**< [n_losses] of the normal ones */
} pf_redraw;

/** A model at theta, and draws of one recording. */
typedef struct pf_redraw_in {
  const pf_model *model;
  const pf_draw *const *draws; /**< [n_draws] */
  size_t n_draws;
  const double *theta;
  const double *variance; /**< [n_losses] of squared errors; NULL: no loss is one */
  pf_workspace *workspace;
} pf_redraw_in;

/**
 * What the model says of the recording; probabilities and means are means over the draws.
 * PF_POINT_FAILED with a line where it cannot: a simulation fails, targets are neither counts nor
 * compared by a squared error, or two losses share one.
 */
pf_status pf_redraw_create(const pf_redraw_in *in, pf_redraw *out, pf_error *error);
void pf_redraw_clear(pf_redraw *redraw);
/** New targets for a draw of the recording (the arrays of draw->targets, overwritten); missing
 * cells stay missing. */
pf_status pf_redraw_targets(const pf_redraw *redraw, pf_stream stream, pf_draw *draw,
                            pf_error *error);
/** A copy of a draw with targets of its own; everything else is the original's. Free with
 * pf_redraw_free. */
pf_status pf_redraw_copy(const pf_model *model, const pf_draw *draw, pf_draw **out,
                         pf_error *error);
void pf_redraw_free(const pf_model *model, pf_draw *copy);

#endif
