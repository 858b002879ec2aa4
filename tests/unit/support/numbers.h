/*
 * tests/unit/support/numbers.h - high-entropy numbers for tests, the same on every run and machine.
 */
#ifndef PLASTFIT_TESTS_NUMBERS_H
#define PLASTFIT_TESTS_NUMBERS_H

#include <math.h>
#include <stdint.h>

/** Next of the splitmix64 sequence. */
static inline uint64_t numbers_next(uint64_t *state)
{
  uint64_t z = (*state += 0x9e3779b97f4a7c15U);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31);
}

/** Uniform in [0, 1). */
static inline double numbers_uniform(uint64_t *state)
{
  return (double)(numbers_next(state) >> 11) * 0x1p-53;
}

/** Standard normal (Box-Muller, one of the two). */
static inline double numbers_normal(uint64_t *state)
{
  const double u = 1.0 - numbers_uniform(state);
  const double v = numbers_uniform(state);
  return sqrt(-2.0 * log(u)) * cos(6.283185307179586477 * v);
}

#endif
