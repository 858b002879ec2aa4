/* A population that was fitted: how its animals hang together, and what came out. */
#ifndef PLASTFIT_CORE_POPULATION_POPULATION_FIT_H
#define PLASTFIT_CORE_POPULATION_POPULATION_FIT_H

#include "core/base/random.h"
#include "core/fit/fit.h"
#include "core/population/mixed_model.h"

/** How animals hang together; everything is the caller's. */
typedef struct pf_population_design {
  const uint8_t *sharing; /**< [n] enum pf_sharing of each value */
  size_t n_covariates;    /**< with the mean */
  const double *rows;     /**< [n_animals][n_covariates]; the first column is 1 */
  bool correlated;        /**< Sigma has correlations */
  bool bounded;           /**< values with bounds are drawn on the line, else as they are */
  bool means;             /**< expand about the animals' means, else about their modes */
  const double *weights;  /**< [n_animals] how much an animal counts; NULL: all 1. With weights
                               Sigma maximises the likelihood itself, and nothing is tested */
} pf_population_design;

typedef struct pf_population_fit {
  pf_mixed_model model;         /**< beta, Sigma and the animals' modes on the scale of the draws */
  pf_mixed_data data;           /**< of the last round; points into what this owns */
  double *information, *linear; /**< [n_animals][n][n], [n_animals][n] of `data` */
  double *log_likelihood;       /**< [n_animals] at each animal's mode, in nats */
  double *constant; /**< [n_animals] what the log likelihood of an animal is more than its parabola
                       b' theta - theta' A theta / 2; with model.evidence its log evidence */
  bool bounded;     /**< values with bounds were drawn on the line */
  double marginal;  /**< restricted log marginal likelihood, up to a constant of
                       the data; the same data and design compare by it */
  double *alone;    /**< [n_animals][n] what each animal's own expansion has its maximum at, on the
                       scale of the draws; NaN: its data do not determine all values */
  double *statistic, *p;       /**< [n] do animals differ in it? NaN: not drawn */
  double *sd_lower, *sd_upper; /**< [n] at level; NaN: not drawn */
  double *effect_p; /**< [n_covariates][n] of each difference or slope, by likelihood ratio; NaN:
                       none */
  double *permutation_p; /**< [n_covariates][n] of each difference between groups, or slope,
                            covariates shuffled; NaN: none */
  double level;
  bool converged;
  bool interrupted; /**< the groups have the last values; nothing else is to be read */
  double skewness;  /**< the largest of pf_expansion.skewness: beyond 1 the approximation is poor */
  int64_t n_rounds;
  int64_t n_evaluations; /**< of one draw each */
  uint32_t derivatives;  /**< PF_INFORMATION_* */
} pf_population_fit;

/**
 * Interval of beta[covariate][k] at the population's level, on the scale of the draws: Student's t
 * with (animals - covariates) degrees of freedom where the value is drawn, else normal. NaN where
 * there is no such beta.
 */
void pf_population_interval(const pf_population_fit *population, size_t covariate, size_t k,
                            double *lower, double *upper);
/**
 * The mean of value k in the group that `covariate` marks (0: the reference), other covariates at
 * their reference, and its interval, on the scale of the draws. NaN where there is no such beta.
 */
typedef struct pf_group_mean {
  double value, lower, upper;
} pf_group_mean;
pf_group_mean pf_population_group(const pf_population_fit *population, size_t covariate, size_t k);
/** Interval of animal `a`'s value k, drawn towards the mean, in the value's own units; the sds are
 * taken for known. */
void pf_population_animal_interval(const pf_population_fit *population, const pf_layout *layout,
                                   size_t a, size_t k, double *lower, double *upper);
/** The share of the variance of animals' own estimates of value k that is between animals, not
 * error. NaN: it is not drawn. */
double pf_population_share(const pf_population_fit *population, size_t k);
/** Numbers that were fitted: means, slopes, sds, correlations, and what animals have of their own.
 */
size_t pf_population_n_free(const pf_population_fit *population);
/**
 * Values [layout->n] that another animal of the population may have, at the mean of the covariates'
 * reference: drawn from N(mu, Sigma), with the uncertainty of mu. Separate ones are at their mean.
 * layout: any animal's of the fit.
 */
pf_status pf_population_sample(const pf_population_fit *population, const pf_layout *layout,
                               pf_stream stream, double *values, pf_error *error);
void pf_population_fit_free(pf_population_fit *population);

#endif
