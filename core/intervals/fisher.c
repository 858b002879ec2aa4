/* Interval method `fisher`: estimate -+ z se (t se where sigma is estimated), standard errors from
 * the Fisher information. */
#include "core/intervals/interval_method.h"

static pf_status compute_fisher(pf_infer_job *job, pf_intervals *to, pf_error *error)
{
  const pf_status status = pf_intervals_create(job->out->n, to, error);
  if (status == PF_OK) {
    pf_intervals_set_symmetric(job->out, job->out->covariance, pf_infer_quantile(job), to);
  }
  return status;
}

const pf_interval_method pf_interval_fisher = {.name = "fisher", .compute = compute_fisher};
