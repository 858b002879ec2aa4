/* R2 of trajectories: of weights, synapse by synapse, and of activity, unit by unit. */
#ifndef PLASTFIT_CORE_EVALUATE_R2_H
#define PLASTFIT_CORE_EVALUATE_R2_H

#include "core/engine/simulation.h"
#include "core/model/model.h"

/** R2 = 1 - SSE/SST of one series; NaN if the truth never varies or nothing is observed. NaN cells
 * are skipped. */
double pf_r2(const double *truth, const double *model, int64_t n);

/**
 * Weights after changes 1..n of the last runs in the two workspaces, all plastic projections: per
 * synapse 1 - SSE/SST, *r2 their uniform mean (NaN when none varies). *n_still: synapses that never
 * vary in the truth, which are left out. The two models MUST have the same projections and the runs
 * the same steps.
 */
pf_status pf_r2_weights(const pf_simulation *truth, const pf_simulation *run, double *r2,
                        int64_t *n_still, pf_error *error);

/** Two matrices [n_steps][n]. */
typedef struct pf_column_pairs {
  const double *truth;
  int64_t ld_truth;
  const pf_real *run;
  int64_t ld_run;
  int64_t n;
  const uint32_t *flags; /**< [n_steps] */
  uint32_t flag;         /**< of the steps that count */
  int64_t n_steps;
} pf_column_pairs;

/** Mean of pf_r2 over their columns; columns that never vary are left out. NaN when none varies. */
pf_status pf_r2_columns(const pf_column_pairs *of, double *r2, pf_error *error);

/**
 * Correlation of the residuals, truth - run, of a column at one step with those at the next, over
 * all pairs of neighbouring steps that count: sum e_t e_{t+1} / sum (e_t^2 + e_{t+1}^2) / 2, each
 * column's residuals less their mean. Of noise that is independent from step to step it is 0 with a
 * standard error of 1 / sqrt(pairs). NaN without pairs.
 */
double pf_residual_correlation(const pf_column_pairs *of);

#endif
