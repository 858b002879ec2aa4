/*
 * The sd of the inputs' noise as a parameter. An input is mean + sd z with z not known, so a draw
 * is a draw of z, and another sd moves its inputs: what a draw's log likelihood has by it are
 * differences between three sds.
 */
#ifndef PLASTFIT_CORE_MARGINAL_INPUT_SD_H
#define PLASTFIT_CORE_MARGINAL_INPUT_SD_H

#include "core/engine/batch.h"
#include "core/fit/fit_groups.h"

/** Of each draw of a batch, whose recordings come in turns as in a group. */
typedef struct pf_input_sd {
  double *score;     /**< [n draws] d/dsd of minus what it adds to the objective */
  double *curvature; /**< [n draws] minus its second derivative */
  double *cross;     /**< [n draws][n_parameters] minus d2/dtheta dsd */
  double *sd;        /**< [n_recordings] of the draws as they stand */
  double *scratch;   /**< [2 n draws + 2 n_recordings] */
  double *gradients; /**< [n draws][n_parameters] scratch */
} pf_input_sd;

/** What is evaluated. */
typedef struct pf_input_sd_in {
  const pf_problem *problem;
  const pf_fit_group *group;
  pf_draw *const *draws; /**< [batch->n] those of the batch, whose inputs are moved */
  const pf_batch *batch;
  const double *thetas; /**< [batch->n][n_parameters] */
  const double *base;   /**< [batch->n] values of pf_batch_each_value as the draws stand */
  pf_workspaces workspaces;
} pf_input_sd_in;

/** Of `n_draws` draws that were made at `values` [layout->n]. Nothing where no sd is learned. */
pf_status pf_input_sd_create(const pf_problem *problem, const pf_fit_group *group, size_t n_draws,
                             const double *values, pf_input_sd *out, pf_error *error);
void pf_input_sd_clear(pf_input_sd *sd);
/** Moves the inputs of draws [n] to the sds of `values`. */
void pf_input_sd_move(const pf_problem *problem, const pf_fit_group *group, pf_draw *const *draws,
                      size_t n, const double *values, pf_input_sd *sd);
/** score, curvature and cross; the draws stand as before. */
pf_status pf_input_sd_evaluate(const pf_input_sd_in *in, pf_input_sd *out, pf_error *error);
/** The sd's instance of a recording, which has a value; NULL: it has none. */
const pf_parameter_instance *pf_input_sd_instance(const pf_problem *problem,
                                                  const pf_layout *layout, size_t recording);
/** To h [n][n], of the values: what draw d adds by its sd, `weight` times. */
void pf_input_sd_add_curvature(const pf_problem *problem, const pf_layout *layout, size_t d,
                               const pf_input_sd *sd, double weight, double *h);
/** The values' sds as an EM step has them: root mean squares of the group's noise. */
void pf_input_sd_update(const pf_problem *problem, const pf_fit_group *group, size_t n_draws,
                        double *values);

#endif
