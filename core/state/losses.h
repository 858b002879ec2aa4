/* Losses on the trajectory in a workspace, and their adjoint. */
#ifndef PLASTFIT_CORE_STATE_LOSSES_H
#define PLASTFIT_CORE_STATE_LOSSES_H

#include "core/model/model.h"
#include "core/state/draw.h"
#include "core/state/workspace.h"

/** What one loss got on one draw. */
typedef struct pf_loss_value {
  double log_likelihood; /**< sum over counted steps, unweighted */
  int64_t count;         /**< cells observed */
} pf_loss_value;

/** What a loss sees of the last simulation; `in` points into the other fields. */
typedef struct pf_loss_view {
  pf_loss_in in;
  const pf_real *observable[PF_LOSS_MAX_ARRAYS];
  const pf_real *target[PF_LOSS_MAX_ARRAYS];
  int64_t n_observable[PF_LOSS_MAX_ARRAYS], ld_observable[PF_LOSS_MAX_ARRAYS];
  int64_t n_target[PF_LOSS_MAX_ARRAYS], ld_target[PF_LOSS_MAX_ARRAYS];
} pf_loss_view;
void pf_losses_view(const pf_workspace *workspace, size_t loss, const pf_draw *draw,
                    const double *theta, pf_loss_view *view);

/** Which steps count, for the views that follow. */
void pf_losses_mark_scored(pf_workspace *workspace, const pf_draw *draw, uint32_t count_flag);
/** Sums over a loss's steps, from workspace->log_likelihood and ->count. PF_POINT_FAILED where a
 * step's is not finite. */
pf_status pf_losses_add(const pf_workspace *workspace, size_t loss, const pf_draw *draw,
                        pf_loss_value *value, pf_error *error);
/** Evaluate the losses on the steps with count_flag; values MAY be NULL. */
pf_status pf_losses_evaluate(const pf_simulation *simulation, uint32_t count_flag,
                             pf_loss_value *values, pf_error *error);
/** Their adjoint: cotangents of the observables; gradient[losses' parameters] += . */
pf_status pf_losses_vjp(const pf_simulation *simulation, const double *scale, double *gradient,
                        pf_error *error);

#endif
