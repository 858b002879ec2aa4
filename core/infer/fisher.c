/* Interval method `fisher`: estimate -+ z se, standard errors from the Fisher information. */
#include "core/infer/interval_method.h"

#include "core/stats/stats.h"

static pf_status compute_fisher(pf_infer_job *job, pf_intervals *to, pf_error *error)
{
  const double level = job->problem->settings->intervals.level;
  const pf_status status = pf_intervals_create(job->out->n, to, error);
  if (status == PF_OK) {
    pf_intervals_set_symmetric(job->out, job->out->covariance,
                               pf_stats_normal_quantile(0.5 + 0.5 * level), to);
  }
  return status;
}

const pf_interval_method pf_interval_fisher = {.name = "fisher", .compute = compute_fisher};
