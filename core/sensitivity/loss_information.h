/* What losses make of the tangents of their observables: scores, and the matrix sum J' C J. */
#ifndef PLASTFIT_CORE_SENSITIVITY_LOSS_INFORMATION_H
#define PLASTFIT_CORE_SENSITIVITY_LOSS_INFORMATION_H

#include "core/sensitivity/tangents.h"
#include "core/state/losses.h"

/** Is column i of the loss's whitened tangents column i of the observable's, times a number? */
static inline bool pf_loss_is_diagonal(const pf_loss_declaration *declared)
{
  return declared->n_whitened == 0 && declared->observables.count == 1;
}

/** Sums that losses add to; NULL: not wanted. In the order of pf_tangents, one after the other in
 * one block. */
typedef struct pf_loss_sums {
  double *gradient;    /**< [n] */
  double *information; /**< [n][n], upper triangle */
  double *step_scores; /**< [n_steps][n] */
} pf_loss_sums;

/** Numbers in a block for those that `wanted` has. */
static inline size_t pf_loss_sums_size(const pf_loss_sums *wanted, size_t n, int64_t n_steps)
{
  return n + (wanted->information == NULL ? 0 : n * n) +
         (wanted->step_scores == NULL ? 0 : (size_t)n_steps * n);
}

/** The same sums in another block. */
static inline pf_loss_sums pf_loss_sums_at(double *block, const pf_loss_sums *wanted, size_t n)
{
  double *scores = block + n + (wanted->information == NULL ? 0 : n * n);
  return (pf_loss_sums){.gradient = block,
                        .information = wanted->information == NULL ? NULL : block + n,
                        .step_scores = wanted->step_scores == NULL ? NULL : scores};
}

/** All that losses see, or a block's rows [row0, row0 + n_rows) of losses that are sums over units.
 */
typedef struct pf_loss_part {
  int64_t population; /**< of the block; 0: everything */
  int64_t row0, n_rows;
  const pf_planes *planes; /**< [max_signals] of the block, its columns only; NULL: self->planes */
} pf_loss_part;

/** Add what losses make of the tangents of their observables. mine: the thread's. */
pf_status pf_tangents_losses(const pf_tangents *self, const double *scale, const pf_loss_part *part,
                             pf_workspace *mine, const pf_loss_sums *sums, pf_error *error);

#endif
