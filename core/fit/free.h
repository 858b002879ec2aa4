/*
 * Which parameters are free: an optimiser sees these alone. Fixed ones stay where they start; a tied one is a factor
 * times another.
 */
#ifndef PLASTFIT_CORE_FIT_FREE_H
#define PLASTFIT_CORE_FIT_FREE_H

#include "core/engine/engine.h"

typedef struct pf_free_set {
  const pf_model_parameter *parameters; /**< [n_all], the model's */
  size_t n_all;
  size_t *index; /**< [n] of the free ones, ascending */
  size_t n;
  double *lower, *upper; /**< [n] */
} pf_free_set;

/** Neither fixed nor tied? */
bool pf_is_free(const pf_model_parameter *parameter);

/** `parameters` MUST outlive the set. */
pf_status pf_free_set_create(const pf_model_parameter *parameters, size_t n_all, pf_free_set *out, pf_error *error);
void pf_free_set_clear(pf_free_set *set);

/** The free values [n] of theta [n_all]. */
void pf_free_gather(const pf_free_set *set, const double *theta, double *values);
/** Puts them back, and the tied ones after them; fixed ones stay. */
void pf_free_scatter(const pf_free_set *set, const double *values, double *theta);
/** From d/d theta [n_all] to d/d values [n]: what hangs on a free parameter by ties counts with its factor. */
void pf_free_gradient(const pf_free_set *set, const double *gradient, double *out);
/** Sets the tied ones of theta [n] from those that they are tied to. */
void pf_tie(const pf_model_parameter *parameters, size_t n, double *theta);

#endif
