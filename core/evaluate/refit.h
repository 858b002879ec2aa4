/*
 * What is fitted again after a fit: on data that it has not seen, the parameters that animals or
 * experiments have of their own (theta that all share is kept); and, for the null without
 * plasticity, what is left of the model: parameters of network and losses, and starting weights.
 * Always on the steps with PF_STEP_FIT, with the penalties of the fit, by Levenberg-Marquardt.
 */
#ifndef PLASTFIT_CORE_EVALUATE_REFIT_H
#define PLASTFIT_CORE_EVALUATE_REFIT_H

#include "core/fit/fit.h"

/** Values of a layout of their own. */
typedef struct pf_refit {
  pf_layout *layout; /**< NULL: nothing was to be fitted again */
  double *values;    /**< [layout->n] */
} pf_refit;

/**
 * All recordings of `data` (not the unit's own) by the theta of `unit`: what is shared is kept,
 * copies are fitted. Data of other animals than the fit's, by a fit with one theta for all. *out
 * with layout NULL where it has no copies.
 */
pf_status pf_refit_data(const pf_problem *problem, const pf_fit_group *unit, const pf_dataset *data,
                        pf_refit *out, pf_error *error);
/** The slots of unit->layout marked in `missing` [n_instances] are fitted on its recordings of
 * problem->data, in place. */
pf_status pf_refit_missing(const pf_problem *problem, pf_fit_group *unit, const bool *missing,
                           pf_error *error);
/**
 * The null without plasticity of recordings that are simulated with `layout` and `values`: the
 * plastic flag off, rules and host kept. *out with layout NULL where nothing else is free.
 */
pf_status pf_refit_null(const pf_problem *problem, const pf_layout *layout, const double *values,
                        pf_refit *out, pf_error *error);
void pf_refit_clear(pf_refit *refit);

#endif
