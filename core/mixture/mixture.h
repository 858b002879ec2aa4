/*
 * Each animal follows one of several models, and nobody knows which: how probable is each?
 *
 * The animals that follow model k are drawn from a population of its own,
 *
 *     model of animal a ~ r,     theta_a ~ N(X_a beta_k, Sigma_k)  where it follows k,
 *     r ~ Dirichlet(1, ..., 1)
 *
 * An animal's log evidence of a model is the log of its likelihood integrated over that population,
 * by Laplace's approximation about the animal's mode: animals that follow another model may have a
 * likelihood under this one that has no mean worth the name.
 * Populations and evidence depend on one another: an animal counts in each population as much as it
 * is probable that it follows the model, and rounds of both go on until nothing moves
 * (expectation-maximisation; Piray et al. 2019, PLoS Comput Biol 15:e1007043, call it hierarchical
 * Bayesian inference). A population that all animals shape alike would be wide enough for those
 * that follow another model, and a model that can do what another does would be given its animals.
 */
#ifndef PLASTFIT_CORE_MIXTURE_MIXTURE_H
#define PLASTFIT_CORE_MIXTURE_MIXTURE_H

#include "core/population/fit_population.h"

/** Models of the same animals in the same order; their settings say how the animals of each hang
 * together. */
typedef struct pf_mixture_in {
  const pf_problem *const *problems; /**< [n] */
  const char *const *names;          /**< [n] for messages */
  size_t n;
  const pf_observer *observer;
} pf_mixture_in;

typedef struct pf_mixture {
  size_t n_animals, n; /**< n: models */
  double *evidence;    /**< [n_animals][n] in nats, up to a constant of the data */
  double *shares;      /**< [n_animals][n] probability that the animal follows the model */
  bool converged;
  bool interrupted; /**< nothing else is to be read */
  int64_t n_rounds;
} pf_mixture;

/**
 * PF_POINT_FAILED, with a line that names the model: it cannot be fitted, or has values that are
 * each animal's own, over which no likelihood can be integrated. PF_STOP: no memory.
 */
pf_status pf_mixture_fit(const pf_mixture_in *in, pf_mixture *out, pf_error *error);
void pf_mixture_clear(pf_mixture *mixture);

#endif
