/* Do the data look like what they are taken for? */
#ifndef PLASTFIT_CORE_CHECK_CHECK_TASK_H
#define PLASTFIT_CORE_CHECK_CHECK_TASK_H

#include "core/problem/problem.h"

#include <stdio.h>

/** What a row of the data is taken for, and why: one line. */
/** What the rate of choices other than 0 is the rate of: "accepted", "option 1", "not 0". */
const char *pf_check_rate_word(const pf_problem *problem);
void pf_check_print_task(const pf_problem *problem, FILE *stream);
/** It looks like something else: one line. Returns 1, or 0: it does not. */
size_t pf_check_warn_task(const pf_problem *problem, const char *prefix, FILE *stream);
/** Units never recorded, constant ones, values that cannot come out of the network. */
size_t pf_check_warn_units(const pf_problem *problem, const char *prefix, FILE *stream);
/** Starting weights of a file that have no synapse. */
size_t pf_check_warn_synapses(const pf_problem *problem, const char *prefix, FILE *stream);

#endif
