/* What the end of a group's fit amounts to: is it better than no plasticity, and does the
 * likelihood have its maximum there or go on rising while parameters grow without end? */
#ifndef PLASTFIT_CORE_FIT_JUDGEMENT_H
#define PLASTFIT_CORE_FIT_JUDGEMENT_H

#include "core/fit/fit_groups.h"

typedef struct pf_judgement {
  bool runs_off, worse_than_null; /**< as in pf_fit_group */
  size_t runs_off_most;           /**< likewise */
  bool has_better;                /**< a point that is better than where the fit ended: `better` */
  double *better;                 /**< [layout->n], the caller's */
} pf_judgement;

/** Of `values` [layout->n], where `function`, what was fitted, is `objective`. */
pf_status pf_fit_judge(const pf_problem *problem, const pf_fit_group *group,
                       const pf_function *function, pf_judgement *out, pf_error *error);

#endif
