/* The state before the first step: the draw's segments, starting weights and states; its adjoint.
 */
#ifndef PLASTFIT_CORE_STATE_STARTING_STATE_H
#define PLASTFIT_CORE_STATE_STARTING_STATE_H

#include "core/state/draw.h"
#include "core/state/trajectory.h"

/** Get ready for a draw: its input, its segments, the starting weights. `flags`: PF_SIMULATE_*. */
pf_status pf_simulation_begin(pf_workspace *workspace, const pf_draw *draw, const double *theta,
                              uint32_t flags, pf_error *error);
/** Starting weights into states[0] of every projection, and starting states of the populations.
 * given_w: [n_projections], each dense or NULL; NULL: none. */
pf_status pf_simulation_start(pf_workspace *workspace, const double *theta, const double *noise,
                              pf_real *const *given_w, pf_error *error);
/** Its adjoint: from ->g of the weights and g_start of the states to gradient[network's parameters,
 * starting weights] += . */
pf_status pf_simulation_start_vjp(const pf_draw *draw, const double *theta, pf_workspace *workspace,
                                  double *gradient, pf_error *error);

#endif
