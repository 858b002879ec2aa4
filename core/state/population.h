/* A population over some steps: from presynaptic signals to its own, and the adjoint. */
#ifndef PLASTFIT_CORE_STATE_POPULATION_H
#define PLASTFIT_CORE_STATE_POPULATION_H

#include "core/state/trajectory.h"

/** Steps [first, last] of a population. */
typedef struct pf_population_steps {
  size_t population;
  int64_t first, last;
  /** Of step `first` = `last`, for populations with a memory; NULL: it has none. */
  const pf_step_context *context;
} pf_population_steps;

/** The units over the steps; those with state are given it as it was before the step. */
pf_units pf_population_units(const pf_workspace *workspace, const double *theta,
                             const pf_population_steps *steps);
/** Signals and states after the steps from `first` on, or the cotangents of both. */
pf_response pf_population_response(const pf_activity *post, pf_real *signals, pf_real *state,
                                   int64_t first);

/** From the presynaptic signals and the weights in force (pf_weights.now) to the drive. */
void pf_population_drive(pf_workspace *workspace, const pf_population_steps *steps);
/** From the drive to the signals. */
pf_status pf_population_respond(pf_workspace *workspace, const double *theta,
                                const pf_population_steps *steps, pf_error *error);
/** Both. */
pf_status pf_population_activate(pf_workspace *workspace, const double *theta,
                                 const pf_population_steps *steps, pf_error *error);
/**
 * Its adjoint: from cotangents of the signals to those of the drive, of the weights and of the
 * presynaptic signals. `gradient`: of theta, NULL where the network has no parameters.
 */
pf_status pf_population_vjp(pf_workspace *workspace, const double *theta,
                            const pf_population_steps *steps, double *gradient, pf_error *error);

#endif
