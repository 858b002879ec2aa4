/* How the optimiser ended. */
#ifndef PLASTFIT_CORE_TERMINAL_OPTIMISER_LINES_H
#define PLASTFIT_CORE_TERMINAL_OPTIMISER_LINES_H

#include "core/fit/fit.h"

#include <stdio.h>

/** The terminal's lines; nothing for a method of fixed passes, which claims nothing. */
void pf_print_optimiser(const pf_problem *problem, const pf_fit *fit, FILE *out);

#endif
