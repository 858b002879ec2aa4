/* The state before the first step: segments of the draw, starting weights and states, and their
 * adjoint. */
#ifndef PLASTFIT_CORE_ENGINE_STARTING_STATE_H
#define PLASTFIT_CORE_ENGINE_STARTING_STATE_H

#include "core/engine/draw.h"
#include "core/engine/trajectory.h"

/** Get ready for a draw: its input, its runs, the starting weights. */
pf_status pf_simulation_begin(pf_workspace *workspace, const pf_draw *draw, const double *theta,
                              uint32_t run_flags, pf_error *error);
/** Starting weights into states[0] of every projection, and cotangent-free populations ready for
 * `draw`'s input. */
pf_status pf_simulation_start(pf_workspace *workspace, const double *theta, const double *noise,
                              pf_real *const *given_w, pf_error *error);
/** Adjoint of the start: from ->g of the weights and g_start of the states to gradient[network's
 * parameters, starting weights] += . */
pf_status pf_simulation_start_vjp(const pf_draw *draw, const double *theta, pf_workspace *workspace,
                                  double *gradient, pf_error *error);

#endif
