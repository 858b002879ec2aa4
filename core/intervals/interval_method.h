/*
 * An interval method: a descriptor, in a file of its own (core/intervals/fisher.c, ...), and its
 * name in the table PF_EACH_INTERVAL_METHOD.
 */
#ifndef PLASTFIT_CORE_INTERVALS_INTERVAL_METHOD_H
#define PLASTFIT_CORE_INTERVALS_INTERVAL_METHOD_H

#include "core/uncertainty/infer_job.h"

typedef struct pf_interval_method {
  const char *name; /**< as the config has it */
  /**
   * Looks beyond the neighbourhood of the optimum: it gives the verdict "practically not
   * identified".
   */
  bool is_global;
  /** Where the config says "auto", may it be chosen (core/infer/infer.c says when)? */
  bool joins_automatic;
  /** NULL, or why there are none where the fit weighs data otherwise than the likelihood does. */
  const char *needs_likelihood;
  /** NULL, or why there are none of the marginal likelihood. */
  const char *needs_mean;
  /**
   * Intervals of job->out, where information, spectrum, covariance and verdicts are there already.
   * No intervals are no failure: to->why. PF_POINT_FAILED: of this group nothing can be said.
   */
  pf_status (*compute)(pf_infer_job *job, pf_intervals *to, pf_error *error);
} pf_interval_method;

#define PF_INTERVAL_DECLARE(name) extern const pf_interval_method pf_interval_##name;
PF_EACH_INTERVAL_METHOD(PF_INTERVAL_DECLARE)
#undef PF_INTERVAL_DECLARE

/** [PF_N_INTERVAL_METHODS], in the order in which they are computed. */
extern const pf_interval_method *const pf_interval_methods[];

#endif
