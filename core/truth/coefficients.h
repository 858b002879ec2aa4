/* What a fit found for each parameter: one estimate over all groups on which a claim may rest. */
#ifndef PLASTFIT_CORE_TRUTH_COEFFICIENTS_H
#define PLASTFIT_CORE_TRUTH_COEFFICIENTS_H

#include "core/uncertainty/inference.h"

/** One parameter. NaN: not known. */
typedef struct pf_coefficient {
  size_t n;            /**< groups that count: pf_coefficient_counts */
  double value;        /**< mean over them; where none counts, over all that were fitted */
  double error;        /**< standard error of `value`: what the data leave open, in these groups */
  double sd;           /**< between groups, the errors of their estimates taken out */
  double lower, upper; /**< interval of this coefficient alone, at inference->level */
  double low, high;    /**< the same level for all of its owner together (Bonferroni) */
  double truth;
} pf_coefficient;

typedef struct pf_coefficients {
  pf_coefficient *items; /**< [n_parameters] of the problem's model */
  size_t n_fitted;       /**< groups that did not fail */
  size_t n_claims;       /**< of them, those on which a claim may rest: pf_group_claims */
  double level;          /**< of the intervals */
} pf_coefficients;

/** May a mean take this group in? It converged, or made the passes that it was told to make, or was
 * read from a run. */
bool pf_group_claims(const pf_fit_group *group);
/** Does the group count for a parameter? A claim may rest on it, and inference does not say that
 * the data do not identify the parameter there. */
bool pf_coefficient_counts(const pf_inference *inference, const pf_fit_group *group,
                           size_t parameter);
/** Free, and no starting weight: what a person reads as a coefficient. */
bool pf_is_coefficient(const pf_model *model, size_t parameter);
/** How many coefficients there are of this one's owner: the family of its interval. */
size_t pf_coefficient_family(const pf_model *model, size_t parameter);

/** `inference` MAY be NULL. */
pf_status pf_coefficients_create(const pf_problem *problem, const pf_fit *fit,
                                 const pf_inference *inference, pf_coefficients *out,
                                 pf_error *error);
void pf_coefficients_clear(pf_coefficients *coefficients);

#endif
