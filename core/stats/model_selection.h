/*
 * Random-effects selection among models: how often is each model the one that an animal follows?
 *
 * Each animal follows one of K models, drawn with frequencies r ~ Dirichlet(1, ..., 1); the data of
 * animal a have log evidence L[a][k] under model k (Stephan et al. 2009, NeuroImage 46:1004). Where
 * animals are clear, r has a Dirichlet distribution; where they are not, variational Bayes
 *
 *     u[a][k] = exp(L[a][k] + psi(alpha_k) - psi(sum alpha)),   g = u / sum_k u,
 *     alpha_k = 1 + sum_a g[a][k]
 *
 * is surer than it may be, so that r is integrated over by importance sampling, about alpha.
 *
 * The exceedance probability is that r_k is the largest of all. Protected (Rigoux et al. 2014,
 * NeuroImage 84:971), it allows for the chance that all models are equally frequent (the Bayesian
 * omnibus risk): protected = exceedance (1 - risk) + risk / K.
 */
#ifndef PLASTFIT_CORE_STATS_MODEL_SELECTION_H
#define PLASTFIT_CORE_STATS_MODEL_SELECTION_H

#include "core/base/random.h"
#include <plastfit/abi/base.h>

typedef struct pf_model_frequencies {
  double *expected;             /**< [K] expected frequency of each model; the caller's */
  double *exceedance;           /**< [K] probability that it is the most frequent one */
  double *protected_exceedance; /**< [K] the same, allowing for equal frequencies */
  double omnibus_risk;          /**< probability that all frequencies are equal */
} pf_model_frequencies;

/**
 * evidence [n_animals][n_models] in nats, no NaN; n_models >= 2. All are means over 40,000
 * weighted draws of `stream`: measured where they are known, they are off by some 0.004.
 */
pf_status pf_stats_model_frequencies(const double *evidence, size_t n_animals, size_t n_models,
                                     pf_stream stream, pf_model_frequencies *out, pf_error *error);
/**
 * The probability [n_animals][n_models] that each animal follows each model, by the same
 * variational Bayes. No memory: PF_STOP.
 */
pf_status pf_stats_model_shares(const double *evidence, size_t n_animals, size_t n_models,
                                double *shares, pf_error *error);
/** The digamma function of x > 0; to some 1e-13. */
double pf_stats_digamma(double x);

#endif
