#include "core/problem/likelihood.h"

pf_status pf_check_likelihood(const pf_problem *problem, pf_error *error)
{
  if (problem->settings->marginal.kind == PF_LIKELIHOOD_MEAN) {
    return PF_OK;
  }
  return pf_fail_key(error, PF_STOP, "likelihood",
                     "likelihood = \"marginal\" cannot yet be fitted; use \"mean\"");
}
