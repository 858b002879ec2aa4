/* Weights of particles: normalised, their effective number, and systematic draws from them. */
#ifndef PLASTFIT_CORE_PARTICLES_PARTICLE_WEIGHTS_H
#define PLASTFIT_CORE_PARTICLES_PARTICLE_WEIGHTS_H

#include <stddef.h>
#include <stdint.h>

/**
 * weight [n], which add up to 1, times exp(gain [n]), normalised again. Returns the log of what
 * they add up to before: -infinity where nothing is left (then weights are not changed). A gain
 * that is NaN counts as -infinity.
 */
double pf_weights_update(double *weight, const double *gain, size_t n);
/** 1 / sum of squares: between 1 and n. */
double pf_weights_effective(const double *weight, size_t n);
/**
 * `n_picked` indices, ascending, each weight[i] n_picked times in the mean and never off by one or
 * more (systematic; Kitagawa 1996). uniform: in [0, 1).
 */
void pf_weights_pick(const double *weight, size_t n, double uniform, size_t n_picked,
                     uint32_t *picked);

#endif
