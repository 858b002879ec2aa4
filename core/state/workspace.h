/*
 * Memory of one simulation on one thread (core/state/trajectory.h says what is in it), and what a
 * simulation is given.
 */
#ifndef PLASTFIT_CORE_STATE_WORKSPACE_H
#define PLASTFIT_CORE_STATE_WORKSPACE_H

#include "core/model/model.h"
#include "core/state/draw.h"

typedef struct pf_workspace pf_workspace;
/** Memory for draws of up to n_steps steps. One per thread. */
pf_status pf_workspace_create(const pf_model *model, int64_t n_steps, pf_workspace **out,
                              pf_error *error);
void pf_workspace_free(pf_workspace *workspace);

/** Workspaces of several threads that work together, one each. */
typedef struct pf_workspaces {
  pf_workspace *const *items; /**< [n] */
  size_t n;
} pf_workspaces;

/** What is simulated, where in parameter space, and in whose memory. */
typedef struct pf_simulation {
  const pf_model *model;
  const pf_draw *draw;
  const double *theta;      /**< [model->n_parameters] */
  pf_workspaces workspaces; /**< the trajectory stands in the first */
} pf_simulation;

/** Flags of a simulation. */
enum {
  PF_SIMULATE_NO_PLASTICITY = 1, /**< the plastic flag off at every step */
  /** Keep activities, not every state of the weights: pf_simulation_rows recomputes these. */
  PF_SIMULATE_ACTIVITY_ONLY = 2
};

/** An observable's trajectory of the last simulation: [n_steps][*ld], *n columns. */
const pf_real *pf_workspace_observable(const pf_workspace *workspace, int64_t observable,
                                       int64_t *n, int64_t *ld);
/** How many times the plastic weights changed in the last simulation. */
int64_t pf_workspace_n_changes(const pf_workspace *workspace);
/** Weights [n_post][*ld] after k changes of the last simulation (k = 0: initial). */
const pf_real *pf_workspace_weights(const pf_workspace *workspace, size_t plastic, int64_t k,
                                    int64_t *ld);
/** Leading dimension of the weights of a plastic projection. */
int64_t pf_workspace_ld(const pf_workspace *workspace, size_t plastic);
/** How many rows' states fit in a few MiB: for going through a projection with pf_simulation_rows.
 */
int64_t pf_workspace_rows_at_once(const pf_workspace *workspace, size_t plastic);

#endif
