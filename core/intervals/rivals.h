/* Rivals: other optima that starts of a fit ended at, nearly as good as the one that is kept. */
#ifndef PLASTFIT_CORE_INTERVALS_RIVALS_H
#define PLASTFIT_CORE_INTERVALS_RIVALS_H

#include "core/uncertainty/infer_job.h"

/** How many of them are looked at, the best ones. */
enum { PF_MAX_RIVALS = 3 };

typedef struct pf_rivals {
  double f_best;                       /**< -L at the estimate */
  const double *values[PF_MAX_RIVALS]; /**< [n] each, the starts' */
  double rise[PF_MAX_RIVALS];          /**< nats above f_best, ascending */
  size_t n;
} pf_rivals;

/**
 * Optima that converged, at most 10 nats above the estimate, further than half a standard error
 * from it and from each other in some value.
 */
pf_status pf_rivals_find(const pf_infer_job *job, pf_rivals *out, pf_error *error);
/**
 * The verdict of a value that has been found identified is "practically not identified" where a
 * rival that the data allow has another value of it, outside the interval that is shown.
 */
pf_status pf_rivals_judge(pf_infer_job *job, pf_error *error);

#endif
