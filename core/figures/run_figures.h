/* The figures of a run's page, all of them: to add one, write its function and its row. */
#ifndef PLASTFIT_CORE_FIGURES_RUN_FIGURES_H
#define PLASTFIT_CORE_FIGURES_RUN_FIGURES_H

#include "core/figures/run_figure.h"

/** In the order of the page; *n rows. */
const pf_run_figure *pf_run_figure_table(size_t *n);

#endif
