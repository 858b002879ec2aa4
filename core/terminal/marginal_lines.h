/* Which likelihood was fitted, where inputs or starting weights are not known. */
#ifndef PLASTFIT_CORE_TERMINAL_MARGINAL_LINES_H
#define PLASTFIT_CORE_TERMINAL_MARGINAL_LINES_H

#include "core/fit/fit.h"

#include <stdio.h>

/** The terminal's lines; nothing where everything is known. */
void pf_print_likelihood(const pf_problem *problem, const pf_fit *fit, FILE *out);

#endif
