/*
 * What particles carry from step to step: weights and traces of each, and, where they start from
 * noise, weights that do not change and starting states of the network.
 *
 * Particles that were drawn from the same one share its synaptic state until it changes: `place`
 * says where each one's lies.
 */
#ifndef PLASTFIT_CORE_PARTICLES_PARTICLE_STATES_H
#define PLASTFIT_CORE_PARTICLES_PARTICLE_STATES_H

#include "core/state/synaptic_state.h"
#include "core/state/trajectory.h"

typedef struct pf_particle_states {
  const pf_model *model;
  size_t n;                    /**< particles */
  size_t buffer_cells;         /**< of one synaptic state of all plastic projections */
  pf_real *now, *next;         /**< [n][buffer_cells] states, and those after the step */
  uint32_t *place;             /**< [n] of each particle in `now` */
  uint32_t *first;             /**< [n] the particle at the first step that each descends from */
  uint8_t *lost;               /**< [n] 1: its weights or traces overflowed in the last step */
  uint32_t *moved;             /**< [n] scratch: where a state went */
  size_t fixed_cells;          /**< of weights that do not change, and of starting states */
  pf_real *fixed;              /**< [n][fixed_cells] by `first`; read only where `differ` */
  bool differ;                 /**< particles differ in those */
  pf_real *scratch;            /**< of a step of the rules */
  pf_synaptic_state *synaptic; /**< [n projections] of this run; of fixed ones without meaning */
} pf_particle_states;

pf_status pf_particle_states_create(const pf_workspace *workspace, size_t n,
                                    pf_particle_states *out, pf_error *error);
void pf_particle_states_clear(pf_particle_states *states);

/** Ready for a run with `theta`, in whose workspace the activities will stand. */
void pf_particle_states_begin(pf_particle_states *states, const pf_workspace *workspace,
                              const double *theta);
/** All particles start as particle 0. */
void pf_particle_states_share_start(pf_particle_states *states);
/** Particle i starts as the workspace does (pf_simulation_start). */
void pf_particle_states_start(pf_particle_states *states, const pf_workspace *workspace, size_t i);
/** The workspace's weights in force, and starting states, become those of particle i. */
void pf_particle_states_load(const pf_particle_states *states, pf_workspace *workspace, size_t i);
/** Synaptic weights of particle i of projection q, which is plastic: [n_post][ldw]. */
const pf_real *pf_particle_states_weights(const pf_particle_states *states, size_t q, size_t i);
/** Particle i takes the place of what parents[i] was. */
void pf_particle_states_inherit(pf_particle_states *states, const uint32_t *parents);
/**
 * The step `contexts` [n] of all particles, from what they are to what they become: traces, and
 * weights where they change. parents: whose step each particle takes part in, ascending; NULL: its
 * own.
 */
pf_status pf_particle_states_step(pf_particle_states *states, const pf_step_context *contexts,
                                  const uint32_t *parents, pf_error *error);
/** Weights are forgotten over a gap between sessions. */
void pf_particle_states_forget(pf_particle_states *states, double gap);

#endif
