/* Warm start: the estimates of an earlier run become where the fits start. */
#ifndef PLASTFIT_CORE_PROBLEM_WARM_START_H
#define PLASTFIT_CORE_PROBLEM_WARM_START_H

#include "core/problem/problem.h"

/** problem->warm from init.theta, where the config has one. After the data are there. */
pf_status pf_warm_start(pf_problem *problem, pf_error *error);

#endif
