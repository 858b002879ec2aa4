/*
 * Random numbers from a counter (Philox4x32-10 of Random123): a number is a
 * function of (seed, purpose, indices), so any number can be had at any time,
 * in any order, on any thread, and replay is exact.
 */
#ifndef PLASTFIT_CORE_BASE_RANDOM_H
#define PLASTFIT_CORE_BASE_RANDOM_H

#include <stdint.h>

/** What the numbers are for; streams of different purposes are independent. */
enum pf_purpose {
  PF_RANDOM_INPUT = 1,      /**< noise on the inputs of a fit */
  PF_RANDOM_INITIAL = 2,    /**< initial weights and states of a fit */
  PF_RANDOM_THETA = 3,      /**< where a fit starts */
  PF_RANDOM_TASK = 4,       /**< uniform and normal numbers of a task */
  PF_RANDOM_CHOICE = 5,     /**< choices of a simulated animal */
  PF_RANDOM_TRUE_INPUT = 6, /**< noise on the inputs of a simulated animal */
  PF_RANDOM_TRUE_INITIAL = 7,
  PF_RANDOM_TRUE_PARAMETER = 8,
  PF_RANDOM_MASK = 9,            /**< masks of projections drawn with a density */
  PF_RANDOM_RECORD_UNITS = 10,   /**< which units of a simulated animal are recorded */
  PF_RANDOM_RECORD_NOISE = 11,   /**< noise on what is recorded */
  PF_RANDOM_BOOTSTRAP = 12,      /**< which animals a resample has */
  PF_RANDOM_REDRAW = 13,         /**< what might have been recorded instead */
  PF_RANDOM_LATENT = 14,         /**< thetas from the sampling distribution of an estimate */
  PF_RANDOM_PARTICLE = 22,       /**< inputs of particles */
  PF_RANDOM_PARTICLE_START = 23, /**< starting weights of particles */
  PF_RANDOM_RESAMPLE = 24,       /**< which particles go on */
  PF_RANDOM_ANIMAL = 15,         /**< thetas that an animal of a population may have */
  PF_RANDOM_FREQUENCY = 16,      /**< which model is the most frequent */
  PF_RANDOM_PERMUTATION = 17,    /**< orders of the animals' covariates */
  PF_RANDOM_NULL = 18,           /**< of a test, were its hypothesis true */
  PF_RANDOM_PROBE = 20,          /**< directions in which an optimiser looks */
  PF_RANDOM_START = 21,          /**< starts of a multistart */
  PF_RANDOM_TEST = 99
};

/** A stream: everything that picks a sequence of numbers. */
typedef struct pf_stream {
  uint64_t seed;
  uint32_t purpose; /**< enum pf_purpose */
  uint32_t animal;  /**< index of the animal (or experiment) */
  uint32_t draw;    /**< index of the draw */
} pf_stream;

/** n uniform numbers in [0, 1), number `first` of the stream onwards. */
void pf_random_uniform(pf_stream stream, uint64_t first, int64_t n, double *out);
/** n standard normal numbers, number `first` of the stream onwards (Box-Muller on pairs). */
void pf_random_normal(pf_stream stream, uint64_t first, int64_t n, double *out);

/** A Poisson variable of this rate (0 to 1e9) from one uniform number; takes of the order of
 * sqrt(rate) additions. */
int64_t pf_random_poisson(double rate, double uniform);

#endif
