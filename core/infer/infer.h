/*
 * Inference: how sure one can be of what a fit found, and what the data cannot say.
 *
 * Everything is about a unit's values (core/layout/layout.h) at its estimate, and about one
 * function of them, the unpenalised log likelihood of what was recorded (core/infer/evidence.h):
 *
 *     L(v) = sum over recordings of the mean over its draws of  sum_k c_k LL_k
 *
 * with c_k = 1 where a loss is a log likelihood, 1 / (2 sigma_k^2), sigma_k^2 = SSE_k / (n_k - p),
 * where it is minus a squared error. Draws share choices, so they are averaged and never summed.
 *
 *   information    I = E[-d2 L / dv dv'], from forward sensitivities
 * (core/sensitivity/sensitivity.h) fisher         standard errors: roots of the diagonal of I^-1;
 * estimate -+ z se sandwich       I^-1 V I^-1, V the sum over clusters (animals, or blocks of
 * trials) of squared scores; -+ t se profile        core/infer/profile.h bootstrap
 * core/infer/bootstrap.h spectrum       eigenvalues of I scaled to a diagonal of ones; what lies
 * below the cut is determined by nothing verdict        of every value, one of three (enum
 * pf_verdict)
 *
 * Nothing is inferred where a fit did not converge, nor from a penalised likelihood: `why` then
 * says so.
 */
#ifndef PLASTFIT_CORE_INFER_INFER_H
#define PLASTFIT_CORE_INFER_INFER_H

#include "core/fit/fit.h"
#include "core/infer/evidence.h"
#include "core/infer/latent.h"
#include "core/infer/spectrum.h"

enum pf_verdict {
  PF_VERDICT_NONE = 0, /**< nothing can be said: see `why` of the unit */
  PF_IDENTIFIED,       /**< "identified" */
  PF_PRACTICALLY_NOT,  /**< "practically not identified": the profile does not rise by 1.92 inside
                          the bounds */
  PF_NOT_IDENTIFIED_BY_DESIGN /**< "not identified by this design": part of a direction that nothing
                                 determines */
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

/** Of one unit of a fit. */
typedef struct pf_inference_group {
  const pf_fit_group *group;
  size_t n;              /**< unit->layout->n */
  char *why;             /**< NULL, or why nothing is inferred: the rest is then empty */
  double log_likelihood; /**< L at the estimate, without the Gaussian's constants */
  double *variance;      /**< [n_losses] sigma^2; NaN: of a likelihood */
  double *information;   /**< [n][n] I */
  double *covariance;    /**< [n][n] of fisher; 0 along what is held or not identified */
  bool *at_bound; /**< [n] at a bound at the optimum: no standard error, and those of others are
                     given that */
  pf_spectrum *spectrum;
  pf_intervals methods[PF_N_INTERVAL_METHODS];
  uint32_t main;     /**< enum pf_interval_method: the one that theta.csv shows */
  size_t n_clusters; /**< of the sandwich */
  uint32_t *verdict; /**< [n] enum pf_verdict */
  char *
      *note; /**< [n] what belongs to the verdict: "only a + 0.75 b is determined"; NULL: nothing */
  pf_latent latent; /**< how far weights are determined, where no loss sees them */
  char **warnings;  /**< [n_warnings] sentences */
  size_t n_warnings;
  uint32_t derivatives; /**< PF_TANGENT_*, PF_INFORMATION_* of the information */
} pf_inference_group;

typedef struct pf_inference {
  pf_inference_group *groups; /**< [n_units] as fit->units */
  size_t n_groups;
  double level;
  double seconds;
} pf_inference;

/**
 * Infer from a fit what problem->settings->intervals asks for. Where a profile comes upon a better
 * optimum, the unit is fitted again from there and looked at anew, a few times at most: the fit
 * then is the better one. A unit of which nothing can be said has a `why`; PF_STOP only where
 * memory is short. `fit` MUST outlive the result. Same bits for any number of threads.
 */
pf_status pf_infer(const pf_problem *problem, pf_fit *fit, pf_progress progress, pf_stop stop,
                   void *payload, pf_inference **out, pf_error *error);
void pf_inference_free(pf_inference *inference);

/** What a value is called in print: "x r", with its owner or whose copy it is where that is needed.
 */
void pf_value_name(const pf_problem *problem, const pf_layout *layout, size_t k, char *text,
                   size_t capacity);

/* ---- for the methods: files of core/infer, one step each ---- */

/** What a step works with: one unit, by one thread (or several, within a simulation). */
typedef struct pf_infer_job {
  const pf_problem *problem;
  const pf_fit_group *group;
  pf_evidence evidence; /**< sigma as in the result */
  pf_workspace *const *workspaces;
  size_t n_workspaces;
  pf_inference_group *out;
  double *better; /**< [n] where a profile came upon a lower objective than the fit's, if it did */
  bool found_better; /**< then out->why says so */
} pf_infer_job;

/** Room for intervals of n values, all NaN. */
pf_status pf_intervals_create(size_t n, pf_intervals *out, pf_error *error);
/** A sentence for people, kept with the unit; printf-like. */
pf_status pf_infer_warn(pf_inference_group *group, pf_error *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/** What says why there are none takes the place of what is there; printf-like. */
pf_status pf_infer_why(char **why, pf_error *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Information, spectrum, covariance; with them intervals of method fisher, where those are wanted.
 */
pf_status pf_infer_fisher(pf_infer_job *job, pf_error *error);
/** Intervals of method sandwich; after fisher. */
pf_status pf_infer_sandwich(pf_infer_job *job, pf_error *error);
/** Intervals of method profile, and verdicts "practically not identified"; after fisher. */
pf_status pf_infer_profile(pf_infer_job *job, pf_error *error);
/** Intervals of method bootstrap; after fisher. */
pf_status pf_infer_bootstrap(pf_infer_job *job, pf_error *error);
/** How far the data determine the weights; after fisher. */
pf_status pf_infer_latent(pf_infer_job *job, pf_error *error);
/** Warns of values that only the drawn noise of the inputs tells apart; after fisher. */
pf_status pf_infer_input_noise(pf_infer_job *job, pf_error *error);
/** A matrix of the unit's values, of the objective of these batches at the estimate: its
 * Gauss-Newton matrix. */
pf_status pf_infer_curvature(const pf_infer_job *job, const pf_group_batches *batches,
                             double *matrix, uint32_t *how, pf_error *error);
/** The pseudoinverse of a matrix [n][n] over the values that are not held, 0 elsewhere. */
pf_status pf_infer_invert(const pf_infer_job *job, const double *matrix, double *inverse,
                          pf_error *error);
/** covariance = inverse v inverse, all [n][n] and symmetric, scratch too. */
void pf_infer_between(const double *inverse, const double *v, size_t n, double *scratch,
                      double *covariance);
/** Estimates -+ quantile * standard errors, of values that are identified and not held. */
void pf_infer_symmetric(const pf_inference_group *out, const double *covariance, double quantile,
                        pf_intervals *to);

#endif
