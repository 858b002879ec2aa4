/*
 * Tangents of one draw: the directions of theta, and the planes in which tangents of signals are.
 * Private to core/sensitivity.
 *
 * Directions are taken in an order of their own: by the first population that they move, so that
 * those that move a population are the first `n_active` ones. Tangents of a signal lie in planes
 * [n_steps][n_active][ld]: of one step, one row per direction.
 */
#ifndef PLASTFIT_CORE_SENSITIVITY_TANGENTS_H
#define PLASTFIT_CORE_SENSITIVITY_TANGENTS_H

#include "core/sensitivity/sensitivity.h"
#include "core/sensitivity/sensitivity_memory.h"
#include "core/state/trajectory.h"

#include <float.h>

/* Signals of a population that the sweep covers. */
enum { PF_MAX_SIGNALS = 8 };

/** Tangents of a signal: of step t, direction k, unit i at cells[(t * n_active + k) * ld + i]. */
typedef struct pf_planes {
  pf_real *cells; /**< NULL: not wanted, or nothing moves it */
  int64_t n_active, ld;
} pf_planes;

static inline pf_real *pf_planes_at(const pf_planes *planes, int64_t t, int64_t k)
{
  return planes->cells + (t * planes->n_active + k) * planes->ld;
}

/** Everything one call carries; const while blocks are swept. */
typedef struct pf_tangents {
  const pf_model *model;
  const pf_draw *draw;
  const double *theta;
  pf_workspace *const *workspaces; /**< [0] has the trajectory */
  size_t n_workspaces;
  pf_sensitivity *kept; /**< of workspaces[0] */
  size_t n;             /**< directions */
  int64_t n_network;    /**< the first ones move parameters of the network */
  size_t *order;        /**< [n] the caller's index of each */
  double *along;        /**< [n][n_parameters], in this order */
  size_t *first;        /**< [n] first population that it moves; n_populations: losses only */
  int64_t *unit;        /**< [n_plastic][n] the rule's parameter that it is alone; -1: none */
  bool *is_unit;        /**< [n_plastic] is that so of all directions? */
  double *rule_theta;   /**< [n_plastic] blocks of [n][parameters of the rule], at rule_at[p] */
  size_t *rule_at;      /**< [n_plastic] */
  pf_real **initial;    /**< [n_projections] tangents of starting weights [n_network][cells]; NULL:
                           the data give them; then [n_populations] of starting states */
  pf_planes *planes;    /**< [n_populations][max_signals] */
  size_t max_signals;
  uint32_t *how; /**< PF_INFORMATION_* met so far: pf_tangents_note() */
} pf_tangents;

/** Directions in order, from `in`. `how` MUST outlive the object. */
pf_status pf_tangents_begin(pf_tangents *self, const pf_information_in *in,
                            const pf_directions *directions, uint32_t *how, pf_error *error);
/** From now on a direction that moves any population moves all of them, but the input: activities
 * may go back to earlier ones. */
void pf_tangents_move_all(pf_tangents *self);
/** How many directions (the first ones) move population p. */
int64_t pf_tangents_n_active(const pf_tangents *self, int64_t p);
/** [n_populations][max_signals]: signals that losses see, that projections transmit and that rules
 * read. NULL: no memory. */
const bool *pf_tangents_want(const pf_tangents *self, pf_error *error);
/** Make planes for the wanted signals of populations below n_populations. */
pf_status pf_tangents_make_planes(pf_tangents *self, const bool *wanted, int64_t n_populations,
                                  pf_error *error);

/** From any thread. */
static inline void pf_tangents_note(const pf_tangents *self, uint32_t met)
{
#pragma omp atomic
  *self->how |= met;
}

static inline pf_planes *pf_tangents_planes(const pf_tangents *self, int64_t population,
                                            int64_t signal)
{
  return &self->planes[(size_t)population * self->max_signals + (size_t)signal];
}

static inline const pf_observable *pf_observable_of(const pf_model *model, int64_t observable)
{
  return &model->observables[observable];
}

static inline const pf_projection *pf_projection_of(const pf_model *model, size_t projection)
{
  return &model->projections[projection];
}

static inline const pf_population *pf_population_of(const pf_model *model, size_t population)
{
  return &model->populations[population];
}

/* ---- differences ---- */

/** Of pf_real. */
static inline double pf_epsilon(void)
{
  return sizeof(pf_real) == sizeof(float) ? (double)FLT_EPSILON : DBL_EPSILON;
}

/** How far values [n] are moved along a direction: its largest part becomes `relative` of the
 * value's size, at least of 1. INFINITY: it moves none of them. */
double pf_difference_step(const double *values, const double *along, size_t n, double relative);

#endif
