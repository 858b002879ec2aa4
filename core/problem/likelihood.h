/* Can `likelihood` = "marginal" be had of what the config says? */
#ifndef PLASTFIT_CORE_PROBLEM_LIKELIHOOD_H
#define PLASTFIT_CORE_PROBLEM_LIKELIHOOD_H

#include "core/problem/problem.h"

/** PF_STOP, with one line, where it cannot. After models and settings. */
pf_status pf_check_likelihood(const pf_problem *problem, pf_error *error);

#endif
