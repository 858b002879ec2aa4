/* What was inferred of a fit, looked up and put into words for those who report it. */
#ifndef PLASTFIT_CORE_UNCERTAINTY_UNCERTAINTY_H
#define PLASTFIT_CORE_UNCERTAINTY_UNCERTAINTY_H

#include "core/uncertainty/inference.h"

/** The method whose interval of value k is shown: the main one, or where that has none (a sandwich
 * of what is one animal's own) another that has. */
uint32_t pf_shown_method(const pf_inference_group *of, size_t k);

/** What was inferred about one parameter instance, in its own units (of what is tied: those of its
 * value, times the factor). */
typedef struct pf_uncertainty {
  double se, lower, upper; /**< NaN: none */
  uint32_t method;         /**< the interval method of these */
  uint32_t verdict;        /**< enum pf_verdict */
  const char *note;        /**< what belongs to the verdict, or why there is none; NULL: nothing */
} pf_uncertainty;

/** inference MAY be NULL. `group` MUST be of the fit that it is about. */
pf_uncertainty pf_uncertainty_of(const pf_inference *inference, const pf_fit_group *group,
                                 size_t instance);
/** What is estimable in non-identifiable subspace s of a group's spectrum: "only a + b is
 * determined". */
pf_status pf_subspace_sentence(const pf_problem *problem, const pf_inference_group *of, size_t s,
                               char *text, size_t capacity, pf_error *error);

#endif
