/*
 * What animals share: the values of the animals of a fit are drawn from a population,
 *
 *     theta_a ~ N(X_a beta, Sigma),      data of animal a ~ its likelihood at theta_a
 *
 * on the scale of core/population/scale.h. The marginal likelihood, theta_a integrated out, is had
 * by Laplace's approximation about each animal's mode, with Fisher information in the place of the
 * second derivatives. One round is a mixed model of the expansions (core/population/mixed_model.h),
 * exact for its quadratic forms, and new expansions at the modes that follow; what it ends at is
 * what EM with Laplace approximations ends at too (Lindstrom & Bates 1990, Biometrics 46:673), in a
 * tenth of its rounds, since EM is slow where an sd is small.
 */
#ifndef PLASTFIT_CORE_POPULATION_LAPLACE_H
#define PLASTFIT_CORE_POPULATION_LAPLACE_H

<<<<<<< HEAD
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
} pf_population_design;

typedef struct pf_population_fit {
  pf_mixed_model model;         /**< beta, Sigma and the animals' modes on the scale of the draws */
  pf_mixed_data data;           /**< of the last round; points into what this owns */
  double *information, *linear; /**< [n_animals][n][n], [n_animals][n] of `data` */
  double *log_likelihood;       /**< [n_animals] at each animal's mode, in nats */
  bool bounded;                 /**< values with bounds were drawn on the line */
  double marginal;              /**< restricted log marginal likelihood, up to a constant of
                                   the data; the same data and design compare by it */
  double *alone; /**< [n_animals][n] what each animal's own expansion has its maximum at, on the
                    scale of the draws; NaN: its data do not determine all values */
  double *statistic, *p;       /**< [n] do animals differ in it? NaN: not drawn */
  double *sd_lower, *sd_upper; /**< [n] at level; NaN: not drawn */
  double *permutation_p;       /**< [n_covariates][n] of each difference between groups, or slope,
                                  covariates shuffled; NaN: none */
  double level;
  bool converged;
  bool interrupted; /**< the groups have the last values; nothing else is to be read */
  double skewness;  /**< the largest of pf_expansion.skewness: beyond 1 the approximation is poor */
  int64_t n_rounds;
  int64_t n_evaluations; /**< of one draw each */
  uint32_t derivatives;  /**< PF_INFORMATION_* */
} pf_population_fit;
=======
#include "core/population/population_fit.h"
>>>>>>> 0e00ae8 (population: rounds that swing are damped; recover of cohorts; what is fitted in a file of its own)

/**
 * From the values of fit's groups, one for each animal, which become the animals' modes. The
 * groups' optimum, data term and rows say what it came to. PF_POINT_FAILED, with a line: an animal
 * has no likelihood, or values that others do not have; nothing is kept. The same bits for any
 * number of threads.
 */
pf_status pf_population_run(const pf_problem *problem, const pf_population_design *design,
                            const pf_observer *observer, pf_fit *fit, pf_population_fit **out,
                            pf_error *error);

#endif
