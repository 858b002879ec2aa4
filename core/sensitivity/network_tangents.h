/* What a network does to tangents: slopes of its signals, and what its own parameters do. */
#ifndef PLASTFIT_CORE_SENSITIVITY_NETWORK_TANGENTS_H
#define PLASTFIT_CORE_SENSITIVITY_NETWORK_TANGENTS_H

#include "core/sensitivity/tangents.h"

/** d signal / d drive of a range of units over a range of steps. */
typedef struct pf_slopes {
  pf_real *slope[PF_MAX_SIGNALS]; /**< [n_steps][n_rows] of signals that have planes, else NULL */
  pf_real *ones;                  /**< a plane of ones among planes of zeros, `stride` apart */
  int64_t stride;
} pf_slopes;

/** Room for n_rows x n_steps slopes each of the signals for which planes[s] has cells. */
pf_status pf_slopes_reserve(pf_pool *pool, size_t n_signals, size_t cells, const pf_planes *planes,
                            pf_slopes *slopes, pf_error *error);
/** Fill them for `in`, of which `value` is the response. */
pf_status pf_slopes_make(const pf_tangents *self, const pf_slopes *slopes, const pf_units *in,
                         const pf_response *value, pf_error *error);

/** A population's response, whose direct tangents are wanted. */
typedef struct pf_direct_in {
  const pf_units *in;
  const pf_response *value;
  pf_pool *pool;
} pf_direct_in;

/** What direction k (one of the first n_network) does to the signals at a given drive: *direct
 * [n_signals][n_steps][n_rows], in the pool until the next call. */
pf_status pf_tangents_direct(const pf_tangents *self, const pf_direct_in *of, int64_t k,
                             pf_real **direct, pf_error *error);

/** Tangents of the starting weights and states along the first n_network directions, once per call.
 */
pf_status pf_tangents_make_initial(pf_tangents *self, pf_error *error);

/** Those of projection q along direction k < n_network, [n_post][ldw]; NULL where the data give
 * these weights. */
static inline const pf_real *pf_tangents_initial(const pf_tangents *self, size_t q, int64_t k)
{
  const pf_weights *weights = &self->workspaces[0]->weights[q];
  return self->initial[q] == NULL ? NULL : self->initial[q] + (size_t)k * weights->cells;
}

/** Those of the starting state of population p, [n_state][ld]; NULL: it has none. */
static inline const pf_real *pf_tangents_initial_state(const pf_tangents *self, size_t p, int64_t k)
{
  const pf_activity *activity = &self->workspaces[0]->activity[p];
  const pf_real *first = self->initial[self->model->n_projections + p];
  return first == NULL ? NULL : first + k * activity->info->n_state * activity->ld;
}

#endif
