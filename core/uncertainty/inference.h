/*
 * What is inferred of a fit: how sure one can be of what it found, and what the data cannot say.
 *
 * Everything is about a group's values (core/layout/layout.h) at its estimate, and about one
 * function of them, the unpenalised log likelihood of what was recorded
 * (core/uncertainty/evidence.h):
 *
 *     L(v) = sum over recordings of the mean over its draws of  sum_k c_k LL_k
 *
 * with c_k = 1 where a loss is a log likelihood, 1 / (2 sigma_k^2), sigma_k^2 = SSE_k / (n_k - p),
 * where it is minus a squared error. Draws share choices, so they are averaged and never summed.
 *
 * - information: I = E[-d2 L / dv dv'], from forward sensitivities (core/sensitivity/sensitivity.h)
 * - spectrum: eigenvalues of I scaled to a diagonal of ones; directions below the rank tolerance
 *   are not identified
 * - intervals: of several methods, one file each (core/intervals/interval_method.h)
 * - verdict: of every value, one of three (enum pf_verdict)
 *
 * Nothing is inferred where a fit did not converge, nor from a penalised likelihood: `why` then
 * says so.
 */
#ifndef PLASTFIT_CORE_UNCERTAINTY_INFERENCE_H
#define PLASTFIT_CORE_UNCERTAINTY_INFERENCE_H

#include "core/fit/fit.h"
#include "core/profile/profile_trace.h"
#include "core/uncertainty/spectrum.h"

enum pf_verdict {
  PF_VERDICT_NONE = 0, /**< nothing can be said: see `why` of the group */
  PF_IDENTIFIED,       /**< "identified" */
  PF_PRACTICALLY_NOT,  /**< "practically not identified": the profile does not rise by 1.92 inside
                          the bounds */
  PF_NOT_IDENTIFIED_BY_DESIGN /**< "not identified by this design": part of a direction along which
                                 the likelihood does not change */
};
/** In exactly these words; "" for none. */
const char *pf_verdict_words(uint32_t verdict);

/** Intervals of one method. NaN where a value has none; infinite where the data set no limit on
 * that side. */
typedef struct pf_intervals {
  bool there;            /**< were they asked for and could be had? */
  double *se;            /**< [n]; NaN: this method has none, or this value */
  double *lower, *upper; /**< [n] at inference->level */
  char *why;             /**< NULL, or why there are none */
} pf_intervals;

/** How well the data determine weights that no loss sees: core/infer/latent.h. */
typedef struct pf_latent {
  size_t n_fits;   /**< equally good fits compared with; 0: weights are not latent, or nothing to
                      compare with */
  size_t n_starts; /**< of them, other starts that reached the optimum */
  double median, lowest; /**< R2 of weights between them and the estimate, mean over recordings */
} pf_latent;

/** Do the animals under one theta agree? core/infer/agreement.h */
typedef struct pf_agreement {
  size_t n_animals; /**< 0: there is no such test */
  double statistic, freedom, p;
} pf_agreement;

/** Of one group of a fit. */
typedef struct pf_inference_group {
  const pf_fit_group *group; /**< NULL: not inferred yet */
  size_t n;                  /**< group->layout->n */
  char *why;                 /**< NULL, or why nothing is inferred: the rest is then empty */
  double log_likelihood;     /**< L at the estimate, without the Gaussian's constants */
  double *variance;          /**< [n_losses] sigma^2; NaN: of a likelihood */
  double *information;       /**< [n][n] I */
  double *covariance;        /**< [n][n] Fisher's; 0 along what is at a bound or not identified */
  bool *at_bound; /**< [n] active at a bound at the optimum: no standard error, and those of others
                     are given that */
  pf_spectrum *spectrum;
  pf_intervals methods[PF_N_INTERVAL_METHODS];
  uint32_t main;  /**< the method that theta.csv shows */
  bool is_global; /**< a method looked beyond the neighbourhood of the optimum for the verdicts */
  bool is_separated; /**< the likelihood goes on rising while values grow: it has no maximum */
  size_t n_clusters; /**< of the sandwich */
  uint32_t *verdict; /**< [n] enum pf_verdict */
  char **note; /**< [n] NULL, or what belongs to the verdict: "only a + 0.75 b is determined" */
  pf_latent latent;
  pf_agreement agreement;
  char **warnings; /**< [n_warnings] sentences */
  size_t n_warnings;
  pf_profile_point *curves; /**< [n_curve_points] of profiles, value by value */
  size_t n_curve_points;
  uint32_t derivatives; /**< PF_INFORMATION_* of the information */
  bool has_no_better;   /**< values that fit better were gone on from, and no optimum lies there */
  double *better;       /**< NULL, or values [n] of a better optimum than the fit's, which a method
                           found; `why` says so too */
} pf_inference_group;

typedef struct pf_inference {
  pf_inference_group *groups; /**< [n_groups] as fit->groups; none where no intervals are wanted */
  size_t n_groups;
  double level;
  double seconds;
} pf_inference;

/** Does no loss see a population whose weights change? */
bool pf_weights_are_latent(const pf_model *model);

void pf_inference_free(pf_inference *inference);
/** The group is to be inferred again: its fit is another one now. */
void pf_inference_forget(pf_inference_group *group);

/** What a value is called in print: "x r", with its owner or whose copy it is where that is needed.
 */
void pf_value_name(const pf_problem *problem, const pf_layout *layout, size_t k, char *text,
                   size_t capacity);
/** The same of all values of a layout: [layout->n] names in one piece of memory, to be freed with
 * pf_memory_free. NULL: no memory. */
const char **pf_value_names(const pf_problem *problem, const pf_layout *layout, pf_error *error);

#endif
