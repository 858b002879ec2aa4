/*
 * Tangents of a population's response at one step: from those of its drive and state, and of the
 * network's parameters, to those of its signals and of the state after. From the network's
 * activate_jvp, or exactly from its activate_vjp: the adjoint of one number is its slopes.
 */
#ifndef PLASTFIT_CORE_SENSITIVITY_UNIT_TANGENTS_H
#define PLASTFIT_CORE_SENSITIVITY_UNIT_TANGENTS_H

#include "core/sensitivity/tangents.h"

/** Units of one step. Tangents of direction k0 + k; planes of units lie ld apart. */
typedef struct pf_unit_tangents {
  const pf_units *in;
  const pf_response *value;
  bool coupled; /**< units see one another */
  int64_t k0, n_k;
  int64_t n_signals, n_state, ld;
  const pf_real *drive; /**< [n_k][ld] */
  const pf_real *state; /**< [n_k][n_state][ld] before the step */
  pf_real *signals;     /**< out, [n_k][n_signals][ld] */
  pf_real *after;       /**< out, [n_k][n_state][ld] */
} pf_unit_tangents;

pf_status pf_unit_tangents_make(const pf_tangents *self, const pf_unit_tangents *of, pf_pool *pool,
                                pf_error *error);

/** Slopes of one signal of one unit at one step by the network's parameters: += into g_theta. */
pf_status pf_unit_theta_slopes(const pf_tangents *self, const pf_units *unit,
                               const pf_response *value, int64_t signal, double *g_theta,
                               pf_error *error);

#endif
