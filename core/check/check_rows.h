/* Are the rows of the data those that were meant? */
#ifndef PLASTFIT_CORE_CHECK_CHECK_ROWS_H
#define PLASTFIT_CORE_CHECK_CHECK_ROWS_H

#include "core/problem/problem.h"

#include <stdio.h>

/**
 * Of data that are read: rewards that no rule sees, rewards at every rejected offer, trials of one
 * step of a go/no-go and of several steps of a choice between options, animals with the same rows,
 * and with other recorded units. Returns how many lines there were. is_taken_right: nobody has said
 * yet that the rows look like another kind (pf_check_warn_task).
 */
size_t pf_check_warn_rows(const pf_problem *problem, bool is_taken_right, const char *prefix,
                          FILE *stream);

#endif
