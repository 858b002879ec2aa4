/*
 * Deviances: which losses count, and what a constant prediction gets.
 *
 * The losses that count are those that are likelihoods; where there is none, the squared errors.
 */
#ifndef PLASTFIT_CORE_EVALUATE_DEVIANCE_H
#define PLASTFIT_CORE_EVALUATE_DEVIANCE_H

#include "core/evaluate/evaluation_plan.h"
#include "core/state/losses.h"

/** Is any loss a likelihood? */
bool pf_deviance_has_likelihood(const pf_model *model);
/** Does loss k count? */
bool pf_deviance_counts(const pf_model *model, size_t k);
/** D = -2 sum of log likelihoods, or the sum of squared errors, over the losses that count; cells
 * in *n. */
double pf_deviance(const pf_model *model, const pf_loss_value *values, int64_t *n);
/** The same of the saturated model (a loss's op `saturate`) over a draw's scored steps: 0 for
 * choices and squared errors. Deviances above are not counted from it, percentages are. */
pf_status pf_deviance_saturated(const pf_model *model, const pf_draw *draw, double *deviance,
                                pf_error *error);
/** 100 (null - model) / (null - saturated), %; NaN unless null > saturated, and where the
 * model is better than what is said to be perfect: the likelihood is a density then. */
double pf_deviance_explained(double null, double model, double saturated);

/**
 * Deviance of the null `mean rate` over the scored steps of some draws (those of one animal's
 * recordings): the constant prediction that fits the fitted steps best, as each loss says (a
 * choice's probability, each unit's mean). NaN where it means nothing: always or never accepted, or
 * a loss without such a null.
 */
pf_status pf_deviance_mean_rate(const pf_model *model, const pf_draw *const *draws, size_t n_draws,
                                double *deviance, pf_error *error);

#endif
