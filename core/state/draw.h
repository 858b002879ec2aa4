/* What a model is simulated on: one experiment with one draw of its inputs and initial weights. */
#ifndef PLASTFIT_CORE_STATE_DRAW_H
#define PLASTFIT_CORE_STATE_DRAW_H

#include "core/model/model.h"

/** Numbers for what a rule sees of both sides (core/state/seen.h); NULL: of one, activity alone. */
typedef struct pf_seen_planes {
  pf_real *post, *pre;
} pf_seen_planes;

/** One experiment with one draw of its inputs and initial weights. Owns its arrays. */
typedef struct pf_draw {
  const pf_recording *recording;
  int64_t n_steps;
  uint32_t *flags; /**< [n_steps], a copy of the recording's */
  pf_real *input;  /**< [n_steps][ld_input] */
  int64_t ld_input;
  pf_real **modulators; /**< [n_plastic], each [n_steps] of pf_modulation_cells */
  pf_seen_planes *seen; /**< [n_plastic] data of what rules see, [n_steps] of pf_seen_cells */
  pf_real ***targets;   /**< [n_losses][n_targets], each [n_steps][n], NaN where missing */
  double *noise;        /**< [model->n_noise] behind the initial weights */
  pf_real **given_w;    /**< [n_projections], each dense [n_post][n_pre] or NULL: initial weights
                           stated outright */
} pf_draw;

/**
 * Make a draw for this model: x as `input` [n_steps][n_input] (copied), modulators and targets from
 * the recording's channels and targets, noise [model->n_noise] copied (NULL: zeros).
 */
pf_status pf_draw_create(const pf_model *model, const pf_recording *recording, const double *input,
                         const double *noise, pf_draw **out, pf_error *error);
/** State the initial weights of a projection, dense [n_post][n_pre]; they replace the network's. */
pf_status pf_draw_give_weights(const pf_model *model, pf_draw *draw, int64_t projection,
                               const double *w, pf_error *error);
void pf_draw_free(const pf_model *model, pf_draw *draw);
/** Mean square of the first target of loss k, over the fitted cells of some draws. */
double pf_draws_mean_square(const pf_model *model, const pf_draw *const *draws, size_t n, size_t k);

#endif
