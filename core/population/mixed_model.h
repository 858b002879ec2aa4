/*
 * A linear mixed model of estimates: what many animals have in common, and how they differ.
 *
 * Of each animal a the data say, up to a constant, the log likelihood
 *
 *     l_a(theta) = b_a' theta - theta' A_a theta / 2         A_a: information, b_a = A_a v +
 * score(v)
 *
 * (of any likelihood, its expansion about a point v), and the values of the animals are drawn:
 *
 *     theta_a ~ N(X_a beta, Sigma),   X_a beta = sum over covariates c of design[a][c] beta[c]
 *     Sigma = D K K' D,   D = diag(sd),   K lower triangular with rows of length 1 (K = 1: no
 *     correlations)
 *
 * theta is integrated out in closed form. Sigma maximises the restricted likelihood, from which
 * beta is integrated out too (Patterson & Thompson 1971, Biometrika 58:545; Harville 1977, JASA
 * 72:320), so that the sds of a few animals are not too small; beta is the generalised least
 * squares estimate. With one value and the same information everywhere that is the random-effects
 * meta-analysis of DerSimonian & Laird (1986) by REML.
 */
#ifndef PLASTFIT_CORE_POPULATION_MIXED_MODEL_H
#define PLASTFIT_CORE_POPULATION_MIXED_MODEL_H

#include "core/base/random.h"
#include <plastfit/abi/base.h>
#include <stdbool.h>

/** What animals have to do with one another in a value. */
enum pf_sharing {
  PF_SHARING_DRAWN = 0, /**< each animal's own, drawn from the population */
  PF_SHARING_SHARED,    /**< one number for all: its sd is 0 */
  PF_SHARING_SEPARATE   /**< each animal's own, and the others say nothing of it */
};

typedef struct pf_mixed_data {
  size_t n_animals, n;       /**< n: values of an animal */
  const double *information; /**< [n_animals][n][n] A_a, symmetric, positive semidefinite */
  const double *linear;      /**< [n_animals][n] b_a */
  const uint8_t *sharing;    /**< [n] enum pf_sharing */
  size_t n_covariates;       /**< columns of the design; 1: the mean alone */
  const double *design;      /**< [n_animals][n_covariates]; the first column is 1 */
  bool correlated;           /**< Sigma has correlations too */
  const bool *without;       /**< [n_covariates][n] betas that are held at 0; NULL: none */
  bool unrestricted;         /**< Sigma maximises the likelihood itself, as tests of betas need */
  const double *weights;     /**< [n_animals] how much an animal counts; NULL: all 1 */
} pf_mixed_data;

typedef struct pf_mixed_model {
  size_t n_animals, n, n_covariates;
  double log_likelihood; /**< restricted, at the optimum, constants of l_a left out */
  double *beta;          /**< [n_covariates][n]; of a separate value all but the mean are 0 */
  double *covariance;    /**< [n_covariates n][n_covariates n] of beta; 0 where beta is held at 0 */
  double *sd;            /**< [n]; 0: shared, or at its bound; INFINITY: separate */
  double *correlation;   /**< [n][n] */
  double *theta;         /**< [n_animals][n] each animal's mode given beta and Sigma */
  double *spread;        /**< [n_animals][n][n] its covariance, with the uncertainty of beta */
  double *evidence;      /**< [n_animals] log of the integral of exp(l_a) over N(X_a beta, Sigma) */
} pf_mixed_model;

/** At most so many values, which keeps correlations within reason. */
enum { PF_MIXED_MAX_VALUES = 60 };

/**
 * The optimum. `held` [n], MAY be NULL: sds that are held (NaN: free), for profiles and tests.
 * PF_POINT_FAILED, with a line: no animal's data determine some beta. PF_STOP: no memory.
 */
pf_status pf_mixed_model_fit(const pf_mixed_data *data, const double *held, pf_mixed_model *out,
                             pf_error *error);
void pf_mixed_model_clear(pf_mixed_model *model);

/** The optimum with an sd of 0 for value k (whether animals differ in it:
 * core/population/sd_test.h). */
pf_status pf_mixed_model_without(const pf_mixed_data *data, size_t k, pf_mixed_model *out,
                                 pf_error *error);
/**
 * The sds of value k at which twice the fall of the restricted log likelihood, all other sds and
 * correlations maximised again, is `threshold`: the lower end is 0 where it is smaller there.
 */
typedef struct pf_sd_interval {
  double lower, upper; /**< upper: INFINITY where the likelihood does not fall that far */
} pf_sd_interval;
pf_status pf_mixed_model_sd_interval(const pf_mixed_data *data, const pf_mixed_model *model,
                                     size_t k, double threshold, pf_sd_interval *out,
                                     pf_error *error);

/**
 * Does beta[covariate][k] differ from 0? Twice the gain of the unrestricted log likelihood, and p
 * of chi-square with 1 degree of freedom. With few animals that p is somewhat too small.
 */
pf_status pf_mixed_model_effect(const pf_mixed_data *data, size_t covariate, size_t k,
                                double *statistic, double *p, pf_error *error);
/**
 * Does beta[covariate][k] differ from 0, were the covariates shuffled among the animals? p is the
 * share of `n` permutations of all covariates but the mean in which |beta / se| is at least as
 * large, the data's own order counted as one of them (Phipson & Smyth 2010, SAGMB 9:39).
 * p: [n_covariates][n values]; NaN where there is no such beta.
 */
pf_status pf_mixed_model_permute(const pf_mixed_data *data, const pf_mixed_model *model,
                                 size_t n_permutations, pf_stream stream, double *p,
                                 pf_error *error);

#endif
