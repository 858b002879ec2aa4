/*
 * Who descends from whom: at which steps particles were drawn anew, and from which. Particle
 * numbers change there; in between a particle keeps its number.
 */
#ifndef PLASTFIT_CORE_PARTICLES_GENEALOGY_H
#define PLASTFIT_CORE_PARTICLES_GENEALOGY_H

#include "core/base/array.h"

typedef struct pf_genealogy {
  size_t n_particles;
  pf_array after;   /**< of int64_t: particles were drawn anew after these steps, ascending */
  pf_array parents; /**< of uint32_t, [n after][n_particles] */
} pf_genealogy;

static inline pf_genealogy pf_genealogy_of(size_t n_particles)
{
  return (pf_genealogy){.n_particles = n_particles,
                        .after = pf_array_of(sizeof(int64_t)),
                        .parents = pf_array_of(sizeof(uint32_t))};
}
/** Nothing has been drawn anew. */
void pf_genealogy_begin(pf_genealogy *genealogy);
/** After step t, particle n takes the place that parents[n] had. */
pf_status pf_genealogy_add(pf_genealogy *genealogy, int64_t t, const uint32_t *parents,
                           pf_error *error);
/** The number that the ancestor of particle `last` of the end had at each step, into
 * numbers [n_steps]. */
void pf_genealogy_trace(const pf_genealogy *genealogy, uint32_t last, int64_t n_steps,
                        uint32_t *numbers);
void pf_genealogy_clear(pf_genealogy *genealogy);

#endif
